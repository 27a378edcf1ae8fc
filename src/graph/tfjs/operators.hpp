// SPDX-License-Identifier: Apache-2.0
// Which operators of TensorFlow.js are known, and what writes each to an ONNX graph.
#pragma once

#include <span>
#include <string_view>

#include "graph/tfjs/step.hpp"

namespace alara::graph::tfjs {

// Gives one value for each output. Errors say what does not fit; the caller adds the place.
using Import = Outputs (*)(Step& step);

// nullptr: not supported.
[[nodiscard]] Import import_of(std::string_view op);

struct Entry {
  std::string_view op;
  Import import;
};
// The table by kind, each in a file of its own.
[[nodiscard]] std::span<const Entry> window_operators();
[[nodiscard]] std::span<const Entry> element_operators();
[[nodiscard]] std::span<const Entry> axis_operators();
[[nodiscard]] std::span<const Entry> product_operators();

// The operators that a fused one does after its own, from its input `first` on ("BiasAdd" is taken out by who reads
// a bias as the convolution's own).
[[nodiscard]] Outputs with_fused(Step& step, nhwc::ValueId x, const std::vector<std::string>& fused, std::size_t first);

}  // namespace alara::graph::tfjs
