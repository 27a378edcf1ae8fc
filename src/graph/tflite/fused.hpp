// SPDX-License-Identifier: Apache-2.0
// Activations that TensorFlow Lite has as options of other operators.
#pragma once

#include <string>

#include "graph/nhwc/element_ops.hpp"
#include "graph/tflite/step.hpp"

namespace alara::graph::tflite {

[[nodiscard]] inline Result<nhwc::Activation> activation_of(schema::FusedActivation fused) {
  switch (fused) {
    case schema::FusedActivation::NONE:
      return nhwc::Activation::none;
    case schema::FusedActivation::RELU:
      return nhwc::Activation::relu;
    case schema::FusedActivation::RELU_N1_TO_1:
      return nhwc::Activation::relu_n1_to_1;
    case schema::FusedActivation::RELU6:
      return nhwc::Activation::relu6;
    case schema::FusedActivation::TANH:
      return nhwc::Activation::tanh;
    default:
      return fail(ErrorKind::bad_input, "fused activation {} is not supported", static_cast<int>(fused));
  }
}

// What `compute(name)` makes, with the activation after it; the last of both has the step's name.
template <typename Compute>
[[nodiscard]] Outputs with_activation(Step& step, schema::FusedActivation fused, Compute compute) {
  ALARA_TRY(const nhwc::Activation kind, activation_of(fused));
  Result<nhwc::ValueId> linear = compute(nhwc::before(kind, step.name()));
  if (!linear) return fail_with(std::move(linear));
  return std::vector<nhwc::ValueId>{nhwc::activation(step.lowering, step.name(), kind, *linear)};
}

[[nodiscard]] inline Outputs single(Result<nhwc::ValueId> result) {
  if (!result) return fail_with(std::move(result));
  return std::vector<nhwc::ValueId>{*result};
}

}  // namespace alara::graph::tflite
