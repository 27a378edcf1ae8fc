// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include "base/quantity.hpp"
#include "node/compile.hpp"

namespace alara::node {
namespace {

std::string_view name_of(Lane lane) { return lane == Lane::fast ? "fast" : "slow"; }

std::string described(const ValueInfo& value) {
  return value.unit.text().empty() ? value.name : fmt::format("{} [{}]", value.name, value.unit.text());
}

void explain_part(std::string& out, const Site& site, const PipelinePart& part) {
  const std::string& first = site.assets[part.assets.front()].name;
  const std::string assets = part.assets.size() == 1 ? first
                                                     : fmt::format("{} assets, {} … {}", part.assets.size(), first,
                                                                   site.assets[part.assets.back()].name);
  out += fmt::format("  {} on shard {} ({} lane): {}; at most {}\n", part.name, part.shard, name_of(part.lane), assets,
                     format_size(part.memory_bound));
  for (const PipelinePart::Step& step : part.steps) {
    std::vector<std::string> gives;
    for (const ValueInfo& value : step.gives) gives.push_back(described(value));
    out += fmt::format("    {:<16} {:<9} reads {}{}{}\n", step.name, step.kind, fmt::join(step.reads, ", "),
                       gives.empty() ? "" : ", gives ", fmt::join(gives, ", "));
  }
}

}  // namespace

std::string explain(const Site& site, const Compiled& compiled, const Identities& identities) {
  std::string out =
      fmt::format("node {}: {} signals of {} assets, {} actuators, {} pipelines\n", site.name, compiled.signals.size(),
                  site.assets.size(), identities.actuators.size(), site.pipelines.size());
  out += fmt::format("shards: {} fast and 1 slow; pipelines hold at most {}, allowed are {}\n", compiled.fast_shards,
                     format_size(compiled.memory_bound), format_size(site.settings.memory));
  out += "\nconnectors\n";
  for (const CompiledConnector& connector : compiled.connectors) {
    out += fmt::format("  {} ({}): {} signals, {} actuators, {} published values\n", connector.name, connector.protocol,
                       connector.signals.size(), connector.actuators.size(), connector.outlets.size());
    if (connector.code)
      for (const std::string& line : connector.code->explain()) out += "    " + line + "\n";
  }
  out += "\npipelines\n";
  for (const PipelinePart& part : compiled.parts) explain_part(out, site, part);
  return out;
}

}  // namespace alara::node
