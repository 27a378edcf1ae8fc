// SPDX-License-Identifier: Apache-2.0
// Private to learn/architecture: the networks that have a name.
#pragma once

#include <span>

#include "core/schema.hpp"
#include "learn/architecture/layers.hpp"

namespace alara::learn {

struct Template {
  Schema schema;
  void (*build)(Layers& net, const Options& options);  // gives outputs; what does not fit is in net.status()
};

[[nodiscard]] std::span<const Template> templates();
[[nodiscard]] const Template* template_named(std::string_view name);  // nullptr: there is none

// Properties that several templates have.
[[nodiscard]] Property input_property(std::string fallback);
[[nodiscard]] Property classes_property(std::string fallback);
[[nodiscard]] Property width_property();  // multiplies the channels of all layers

// A list of whole numbers; what is none is refused.
[[nodiscard]] std::vector<std::int64_t> numbers(Layers& net, const Options& options, std::string_view name);
// Channels times a width, as a multiple of `divisor`, at least 0.9 of the product (MobileNetV2's rule).
[[nodiscard]] std::int64_t widened(double channels, double width, std::int64_t divisor = 8);

void add_small_templates(std::vector<Template>& out);
void add_mobile_templates(std::vector<Template>& out);
void add_classic_templates(std::vector<Template>& out);
void add_detector_templates(std::vector<Template>& out);

}  // namespace alara::learn
