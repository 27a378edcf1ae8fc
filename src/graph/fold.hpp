// SPDX-License-Identifier: Apache-2.0
// Constant folding: nodes whose inputs are all constants, or that ask only for shapes which are known, are computed
// once and become constants. Bounded: a file of a few bytes can not ask for gigabytes.
#pragma once

#include <cstddef>

#include "base/result.hpp"
#include "graph/model.hpp"
#include "graph/shapes.hpp"

namespace alara::graph {

inline constexpr std::size_t kMaxFoldedBytes = std::size_t{64} << 20;        // of one result
inline constexpr std::size_t kMaxFoldedTotalBytes = std::size_t{256} << 20;  // of all, beside ...
inline constexpr std::size_t kFoldedPerConstantByte = 4;  // ... so many times the model's own constants
// What computing may read, of all nodes together: time is bounded by it as memory is by what is made.
inline constexpr std::size_t kMaxFoldedReadBytes = std::size_t{1} << 30;  // beside ...
inline constexpr std::size_t kReadPerConstantByte = 16;                   // ... so many times the model's own constants

struct FoldOptions {
  enum class Dequantize { keep, fold };
  // fold: integer weights become float32 ones (four times the size; needed before quantising such a model anew).
  Dequantize dequantize = Dequantize::keep;
  std::size_t max_bytes = kMaxFoldedBytes;           // larger results stay nodes
  std::size_t max_read_bytes = kMaxFoldedReadBytes;  // nodes that would read more than is left of it stay
};

// Returns how many nodes went. `values` (infer_shapes) makes Shape and Size nodes known; may be empty. What can not be
// computed stays as it is; outputs of the graph keep their names and stay made by nodes.
std::size_t fold_constants(Graph& graph, const ValueTable& values, const FoldOptions& options = {});

}  // namespace alara::graph
