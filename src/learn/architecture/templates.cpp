// SPDX-License-Identifier: Apache-2.0
#include "learn/architecture/templates.hpp"

#include <algorithm>

#include "learn/architecture/layer_kinds.hpp"

namespace alara::learn {

std::span<const Template> templates() {
  static const std::vector<Template> all = [] {
    std::vector<Template> out;
    add_small_templates(out);
    add_classic_templates(out);
    add_mobile_templates(out);
    add_detector_templates(out);
    return out;
  }();
  return all;
}

const Template* template_named(std::string_view name) {
  for (const Template& each : templates())
    if (each.schema.name == name) return &each;
  return nullptr;
}

Property input_property(std::string fallback) {
  return {.name = "input",
          .type = PropertyType::any,
          .sentence = "Shape of one sample, channels first",
          .fallback = std::move(fallback)};
}

Property classes_property(std::string fallback) {
  return {.name = "classes",
          .type = PropertyType::integer,
          .sentence = "Classes; numbers of the output",
          .fallback = std::move(fallback),
          .least = 1,
          .most = 100'000};
}

Property width_property() {
  return {.name = "width",
          .type = PropertyType::number,
          .sentence = "Multiplies the channels of all layers",
          .fallback = "1",
          .least = 0.05,
          .most = 16};
}

std::vector<std::int64_t> numbers(Layers& net, const Options& options, std::string_view name) {
  const Node& node = *options.node(name);  // the map is completed
  std::vector<std::int64_t> out = numbers_of(node);
  if (out.empty() && !(node.is_list() && node.items.empty()))
    net.refuse({ErrorKind::bad_input, fmt::format("{} is a list of whole numbers", name), node.where, {}});
  return out;
}

std::int64_t widened(double channels, double width, std::int64_t divisor) {
  const double wanted = channels * width, step = static_cast<double>(divisor);
  const std::int64_t near = std::max(divisor, static_cast<std::int64_t>((wanted + step / 2) / step) * divisor);
  return static_cast<double>(near) < 0.9 * wanted ? near + divisor : near;
}

}  // namespace alara::learn
