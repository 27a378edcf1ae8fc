// SPDX-License-Identifier: Apache-2.0
#include "lab/quantization_report.hpp"

#include "lab/text_table.hpp"

namespace alara::lab {
namespace {

using Json = nlohmann::ordered_json;

Json layer_json(const graph::LayerReport& layer) {
  Json out;
  out["name"] = layer.name;
  out["op"] = layer.op;
  out["value"] = layer.value;
  out["integer"] = layer.integer;
  if (layer.integer) out["bits"] = layer.bits;
  if (layer.scales > 0) {
    out["scales"] = layer.scales == 1 ? "tensor" : "channel";
    out["weight_sqnr_db"] = layer.weight_sqnr_db;
  }
  out["sqnr_db"] = layer.sqnr_db;
  out["cosine"] = layer.cosine;
  if (layer.sensitivity) out["sensitivity"] = *layer.sensitivity;
  out["macs"] = layer.macs;
  out["warnings"] = layer.warnings;
  return out;
}

// Converters join the names of all that they fused.
std::string without_middle(const std::string& name) {
  constexpr std::size_t kMost = 60;
  return name.size() <= kMost ? name : name.substr(0, kMost / 2 - 2) + "..." + name.substr(name.size() - kMost / 2 + 1);
}

std::string kind_of(const graph::LayerReport& layer) {
  if (!layer.integer) return "float";
  const std::string bits = fmt::format("int{}", layer.bits);
  if (layer.scales == 0) return bits;
  return bits + (layer.scales == 1 ? ", one scale" : fmt::format(", {} scales", layer.scales));
}

}  // namespace

Json QuantizationReport::json() const {
  Json out;
  out["from"] = from;
  out["to"] = to;
  out["kind"] = kind;
  if (!weight_type.empty()) out["weights"] = weight_type;
  out["bytes_before"] = bytes_before;
  out["bytes_after"] = bytes_after;
  if (accuracy)
    out["accuracy"] = {{"before", accuracy->before}, {"after", accuracy->after}, {"samples", accuracy->samples}};
  if (!result.layers.empty()) {
    out["sqnr_db"] = result.sqnr_db;
    out["cosine"] = result.cosine;
    out["integer_macs"] = result.integer_macs;
    out["put_back"] = result.put_back;
  }
  out["layers"] = Json::array();
  for (const graph::LayerReport& layer : result.layers) out["layers"].push_back(layer_json(layer));
  out["notes"] = result.notes;
  return out;
}

std::string QuantizationReport::text() const {
  std::string out;
  if (!result.layers.empty()) {
    using enum TextTable::Align;
    TextTable table({{"layer"}, {"runs as"}, {"SQNR dB", right}, {"cosine", right}, {"MACs", right}, {"notes"}});
    for (const graph::LayerReport& layer : result.layers)
      table.row({without_middle(layer.name), kind_of(layer), fmt::format("{:.1f}", layer.sqnr_db),
                 fmt::format("{:.5f}", layer.cosine),
                 layer.macs > 0 ? short_count(static_cast<std::int64_t>(layer.macs)) : "",
                 fmt::format("{}", fmt::join(layer.warnings, "; "))});
    out += table.text();
    out += fmt::format("outputs: SQNR {:.1f} dB, cosine {:.5f}; {:.1f} % of the MACs run on integers\n", result.sqnr_db,
                       result.cosine, 100 * result.integer_macs);
  }
  for (const std::string& note : result.notes) out += note + "\n";
  if (accuracy)
    out += fmt::format("accuracy on {} samples: {:.2f} % before, {:.2f} % now\n", accuracy->samples, accuracy->before,
                       accuracy->after);
  out += fmt::format("{} ({}) to {} ({})\n", from, short_bytes(static_cast<std::int64_t>(bytes_before)), to,
                     short_bytes(static_cast<std::int64_t>(bytes_after)));
  return out;
}

}  // namespace alara::lab
