// SPDX-License-Identifier: Apache-2.0
// Weights as 8-bit integers with DequantizeLinear in front of float computing: a quarter of the size, no calibration.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "graph/model.hpp"
#include "graph/quantize/weights.hpp"

namespace alara::graph {

inline constexpr std::int64_t kFewWeights = 256;  // tensors smaller than this stay as they are

struct Smaller {
  Model model;
  std::size_t changed = 0;  // tensors
  std::vector<std::string> notes;
};

// Conv, ConvTranspose, Gemm, MatMul, GRU and LSTM. Errors: bad_input (an excluded name that is not there, nothing to
// do).
[[nodiscard]] Result<Smaller> quantize_weights(Model model, Granularity granularity,
                                               const std::set<std::string>& exclude = {});

}  // namespace alara::graph
