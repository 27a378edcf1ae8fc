// SPDX-License-Identifier: Apache-2.0
#include "graph/executor.hpp"

namespace alara::graph {

Tensor TensorView::copy() const { return {type, Shape(shape.begin(), shape.end()), {bytes.begin(), bytes.end()}, {}}; }

TensorView view(const Tensor& tensor) { return {tensor.type, tensor.shape, tensor.bytes}; }

}  // namespace alara::graph
