// SPDX-License-Identifier: Apache-2.0
#include "learn/autograd/call.hpp"

#include <algorithm>

namespace alara::learn {

Integers integers_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kLong).contiguous();
  const auto* first = flat.data_ptr<std::int64_t>();
  return {first, first + flat.numel()};
}

at::Tensor tensor_of(const Integers& numbers) { return at::tensor(numbers, at::kLong); }

std::int64_t axis_in(std::int64_t axis, std::int64_t rank) {
  TORCH_CHECK(axis >= -rank && axis < std::max<std::int64_t>(rank, 1), "axis ", axis, " of ", rank, " dimensions");
  return axis < 0 ? axis + rank : axis;
}

double Call::number(std::string_view name, double otherwise) const {
  return node.has(name) ? static_cast<double>(node.number(name, 0)) : otherwise;
}

Integers Call::axes(std::size_t i) const { return has(i) ? integers(i) : node.integers("axes"); }

}  // namespace alara::learn
