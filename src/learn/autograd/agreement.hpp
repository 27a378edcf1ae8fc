// SPDX-License-Identifier: Apache-2.0
// How the tests and the bench `gradients` judge a network: its values against other ones, its gradients against finite
// differences.
#pragma once

#include <span>
#include <vector>

#include "base/result.hpp"
#include "graph/executor.hpp"
#include "learn/autograd/network.hpp"

namespace alara::learn {

// The largest |value - reference| over max(1, largest |reference|) of each tensor: relative to the tensor's scale, and
// absolute below 1. Equal infinities and two NaN agree. Errors: shapes that differ.
[[nodiscard]] Result<double> largest_error(std::span<const graph::Tensor> values,
                                           std::span<const graph::Tensor> references);

// The outputs of the model that this network gives.
[[nodiscard]] Result<std::vector<graph::Tensor>> run_once(const graph::Model& model,
                                                          std::span<const graph::Tensor> inputs);

// largest_error() of that network against what `reference` (ONNX Runtime) computes.
[[nodiscard]] Result<double> largest_forward_error(const graph::Model& model, std::span<const graph::Tensor> inputs,
                                                   const graph::ExecutorFactory& reference);

inline constexpr double kDifferenceStep = 1e-5;

struct GradientCheck {
  Mode mode = Mode::infer;
  std::uint64_t seed = 1;                // of the weights
  const graph::Model* smooth = nullptr;  // whose differences count instead of the model's own
};
// The gradient of a weighted sum of the float outputs for every element of the float inputs and the parameters, against
// central differences in float64: the largest |gradient - difference| over max(1, |difference|). Inputs and parameters
// must lie further than kDifferenceStep from kinks. Where `smooth` is given parameters are left out.
[[nodiscard]] Result<double> largest_gradient_error(const graph::Model& model, std::span<const graph::Tensor> inputs,
                                                    const GradientCheck& check = {});

}  // namespace alara::learn
