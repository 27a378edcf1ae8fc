// SPDX-License-Identifier: Apache-2.0
// Sparse constants of TensorFlow Lite files (pruned networks) as dense ones.
#pragma once

#include <span>

#include "base/result.hpp"
#include "graph/tensor.hpp"
#include "tflite_generated.h"

namespace alara::graph::tflite {

inline constexpr std::uint64_t kMaxSparseGain = 32;  // dense bytes for each stored one, more is refused

// `stored` are the numbers that are there, in the order of the traversal. Errors: corrupt (segments and indices that
// lead out, other numbers of numbers), exhausted.
[[nodiscard]] Result<Tensor> densified(const schema::SparsityParameters& sparsity, DataType type, const Shape& shape,
                                       std::span<const std::byte> stored);

}  // namespace alara::graph::tflite
