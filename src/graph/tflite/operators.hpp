// SPDX-License-Identifier: Apache-2.0
// Which operators of TensorFlow Lite are known, and what writes each to an ONNX graph.
#pragma once

#include <string>

#include "graph/tflite/step.hpp"

namespace alara::graph::tflite {

// Gives one value for each output. Errors say what does not fit; the caller adds the place.
using Import = Outputs (*)(Step& step);

// "CONV_2D", "CUSTOM MyOperator".
[[nodiscard]] std::string name_of(const schema::OperatorCode& code);
// nullptr: not supported.
[[nodiscard]] Import import_of(const schema::OperatorCode& code);

struct Entry {
  schema::BuiltinOperator code;
  Import import;
};
// The table by kind, each in a file of its own.
[[nodiscard]] std::span<const Entry> window_operators();
[[nodiscard]] std::span<const Entry> element_operators();
[[nodiscard]] std::span<const Entry> axis_operators();
[[nodiscard]] std::span<const Entry> reduce_operators();
// MediaPipe's operator of its own: a transposed convolution with a bias.
[[nodiscard]] Outputs import_transposed_convolution_with_bias(Step& step);

}  // namespace alara::graph::tflite
