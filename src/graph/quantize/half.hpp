// SPDX-License-Identifier: Apache-2.0
// Weights and computing in 16-bit floating point; inputs and outputs of the model stay float32.
#pragma once

#include <set>
#include <string>

#include "base/result.hpp"
#include "graph/model.hpp"
#include "graph/quantize/weight_only.hpp"

namespace alara::graph {

// Operators that ONNX does not define for float16, those with subgraphs, and the excluded ones stay float32, with
// casts around them. Weights beyond float16's 65504 are cut there, and a note says so.
[[nodiscard]] Result<Smaller> to_half_precision(Model model, const std::set<std::string>& exclude = {});

}  // namespace alara::graph
