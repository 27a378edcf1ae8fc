// SPDX-License-Identifier: Apache-2.0
// Private to learn/autograd: rounding to integers through which gradients pass.
#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "graph/tensor.hpp"

namespace alara::learn {

struct IntegerRange {
  double low = 0;
  double high = 0;
};
[[nodiscard]] std::optional<IntegerRange> integer_range(graph::DataType type);  // nullopt: not a quantised type

// round(steps) + zero, held within the range. The gradient is 1 inside the range, 0 outside.
[[nodiscard]] at::Tensor rounded(const at::Tensor& steps, const at::Tensor& zero, const IntegerRange& range);

}  // namespace alara::learn
