// SPDX-License-Identifier: Apache-2.0
// Constants with their axes in another order.
#pragma once

#include <span>

#include "graph/tensor.hpp"

namespace alara::graph::nhwc {

// Axis i of the result is axis order[i] of `tensor`. `order` is a permutation of its axes (a bug otherwise).
[[nodiscard]] Tensor permuted(const Tensor& tensor, std::span<const std::int64_t> order);

}  // namespace alara::graph::nhwc
