// SPDX-License-Identifier: Apache-2.0
#include "graph/nhwc/arrange.hpp"

namespace alara::graph::nhwc {

Tensor permuted(const Tensor& tensor, std::span<const std::int64_t> order) {
  const std::size_t rank = tensor.rank();
  ALARA_ASSERT(order.size() == rank, "an order for every axis");
  std::vector<std::size_t> steps(rank, 1);  // elements from one index of an axis to the next, in `tensor`
  for (std::size_t i = rank; i-- > 1;) steps[i - 1] = steps[i] * static_cast<std::size_t>(tensor.shape[i]);
  Shape shape(rank);
  std::vector<std::size_t> stride(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    const auto axis = static_cast<std::size_t>(order[i]);
    ALARA_ASSERT(axis < rank, "an axis of the tensor");
    shape[i] = tensor.shape[axis];
    stride[i] = steps[axis];
  }
  Tensor out = Tensor::zeros(tensor.type, std::move(shape));
  const std::size_t width = bytes_of(tensor.type);
  std::vector<std::int64_t> index(rank, 0);
  std::size_t from = 0;
  for (std::size_t to = 0; to < out.bytes.size(); to += width) {
    std::memcpy(out.bytes.data() + to, tensor.bytes.data() + from * width, width);
    for (std::size_t axis = rank; axis-- > 0;) {
      from += stride[axis];
      if (++index[axis] < out.shape[axis]) break;
      from -= stride[axis] * static_cast<std::size_t>(out.shape[axis]);
      index[axis] = 0;
    }
  }
  return out;
}

}  // namespace alara::graph::nhwc
