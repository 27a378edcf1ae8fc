// SPDX-License-Identifier: Apache-2.0
// How the tests and the bench `gradients` judge a network: its values against other ones, its gradients against finite
// differences.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "graph/executor.hpp"
#include "graph/model.hpp"

namespace alara::learn {

// The largest |value - reference| over max(1, largest |reference|) of each tensor: relative to the tensor's scale, and
// absolute below 1. Equal infinities and two NaN agree. Errors: shapes that differ.
[[nodiscard]] Result<double> largest_error(std::span<const graph::Tensor> values,
                                           std::span<const graph::Tensor> references);

// The outputs of the model that this network gives.
[[nodiscard]] Result<std::vector<graph::Tensor>> run_once(const graph::Model& model,
                                                          std::span<const graph::Tensor> inputs);

// The gradient of a weighted sum of the float outputs (weights from `seed`) for every element of the float inputs and
// parameters, against central differences in float64: the largest |gradient - difference| over max(1, |difference|).
// `inputs` should lie further than kDifferenceStep from kinks.
inline constexpr double kDifferenceStep = 1e-5;
[[nodiscard]] Result<double> largest_gradient_error(const graph::Model& model, std::span<const graph::Tensor> inputs,
                                                    std::uint64_t seed);

}  // namespace alara::learn
