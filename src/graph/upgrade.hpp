// SPDX-License-Identifier: Apache-2.0
// Brings models of older operator sets to one form, so that passes know one.
#pragma once

#include "base/result.hpp"
#include "graph/model.hpp"

namespace alara::graph {

inline constexpr std::int64_t kWorkingOpset = 17;

// Rewrites what changed between a model's opset and 17: attributes that became inputs (Clip, Pad, Slice, Squeeze,
// Unsqueeze, ReduceSum, Split, TopK, Dropout), Upsample to Resize, Softmax over many axes, Constant nodes to
// constants. Models of 18 to 21 keep their opset; readers of axes use axes_of(). Errors: what can not be brought over.
Status upgrade(Model& model);

// The axes of a reduction, Squeeze or Unsqueeze, from its attribute or its constant input; nullopt: all, or not
// constant.
[[nodiscard]] std::optional<std::vector<std::int64_t>> axes_of(const Graph& graph, const Node& node);

}  // namespace alara::graph
