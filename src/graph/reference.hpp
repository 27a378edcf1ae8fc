// SPDX-License-Identifier: Apache-2.0
// Computes single nodes over constants, plainly: what constant folding needs (shapes that graphs compute, and weights
// that are stored transposed, scaled, in half precision or as integers). Not for running networks: those go through
// an Executor.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "graph/model.hpp"

namespace alara::graph {

// True when compute() knows the node's operator (in the forms of opsets 17 to 21).
[[nodiscard]] bool has_reference(const Node& node);

// What the node makes of its inputs; nullptr stands for one that is left out. Integers wrap as they do in C, half
// precision is computed in single and rounded once. Errors: exhausted (the outputs would take more than `max_bytes`;
// found before memory is taken), bad_input (inputs that do not fit), unavailable (an operator or a type not known
// here).
[[nodiscard]] Result<std::vector<Tensor>> compute(const Node& node, std::span<const Tensor* const> inputs,
                                                  std::size_t max_bytes);

}  // namespace alara::graph
