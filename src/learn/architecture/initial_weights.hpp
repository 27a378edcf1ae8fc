// SPDX-License-Identifier: Apache-2.0
// First values of weights, the same for the same seed.
#pragma once

#include "graph/tensor.hpp"
#include "learn/data/random.hpp"

namespace alara::learn {

// Normal with variance 2 / fan_in (He et al., "Delving deep into rectifiers", 2015, equation 10).
[[nodiscard]] graph::Tensor he_normal(graph::Shape shape, std::int64_t fan_in, Random chance);
// Uniform within sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, "Understanding the difficulty of training deep
// feedforward neural networks", 2010, equation 16).
[[nodiscard]] graph::Tensor glorot_uniform(graph::Shape shape, std::int64_t fan_in, std::int64_t fan_out,
                                           Random chance);
// [blocks, n, n], each block orthogonal (Saxe et al., "Exact solutions to the nonlinear dynamics of learning", 2014),
// by Gram and Schmidt on normal numbers.
[[nodiscard]] graph::Tensor orthogonal(std::int64_t blocks, std::int64_t n, Random chance);
[[nodiscard]] graph::Tensor filled(graph::Shape shape, float value);

}  // namespace alara::learn
