// SPDX-License-Identifier: Apache-2.0
#include "graph/reference.hpp"

#include <algorithm>

#include "graph/reference_ops.hpp"

namespace alara::graph {
namespace reference {

Result<const Tensor*> Call::input(std::size_t i) const {
  if (!given(i)) return fail(ErrorKind::bad_input, "{} lacks its input {}", node.label(), i);
  return inputs[i];
}

Result<std::vector<std::int64_t>> Call::integers(std::size_t i, std::string_view attribute) const {
  if (!given(i)) return node.integers(attribute);
  if (inputs[i]->rank() > 1)
    return fail(ErrorKind::bad_input, "{}: input {} is {}, not a list", node.label(), i, inputs[i]->text());
  if (inputs[i]->elements() > kMaxListed)
    return fail(ErrorKind::exhausted, "{}: input {} lists {} numbers, more than {}", node.label(), i,
                inputs[i]->elements(), kMaxListed);
  return inputs[i]->to_integers();
}

Result<Tensor> Call::make(DataType type, Shape shape) const {
  ALARA_TRY(const std::int64_t elements, elements_of(shape));
  if (shape.size() > kMaxRank)
    return fail(ErrorKind::bad_input, "{} makes {} dimensions; {} are supported", node.label(), shape.size(), kMaxRank);
  if (bytes_of(type) == 0) return fail(ErrorKind::unavailable, "{} of {}", node.label(), name_of(type));
  if (static_cast<std::size_t>(elements) > max_bytes / bytes_of(type))
    return fail(ErrorKind::exhausted, "{} makes {} elements, more than {} bytes", node.label(), elements, max_bytes);
  return Tensor::zeros(type, std::move(shape));
}

Result<std::size_t> axis_of(std::int64_t axis, std::size_t rank) {
  const auto dims = static_cast<std::int64_t>(rank);
  if (axis < -dims || axis >= dims) return fail(ErrorKind::bad_input, "there is no axis {} of {}", axis, rank);
  return static_cast<std::size_t>(axis < 0 ? axis + dims : axis);
}

std::vector<std::int64_t> strides_of(std::span<const std::int64_t> shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t d = shape.size(); d-- > 1;)  // wraps only beside a dimension of 0, where nothing is walked
    strides[d - 1] =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(strides[d]) * static_cast<std::uint64_t>(shape[d]));
  return strides;
}

Result<Shape> broadcast(std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
  Shape out(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < out.size(); ++i) {  // from the back
    const std::int64_t left = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t right = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (left != right && left != 1 && right != 1)
      return fail(ErrorKind::bad_input, "shapes {} and {} do not go together", text_of(a), text_of(b));
    out[out.size() - 1 - i] = left == 1 ? right : left;
  }
  return out;
}

std::vector<std::int64_t> broadcast_strides(std::span<const std::int64_t> shape, std::span<const std::int64_t> target) {
  const std::vector<std::int64_t> own = strides_of(shape);
  std::vector<std::int64_t> strides(target.size(), 0);
  const std::size_t shift = target.size() - shape.size();
  for (std::size_t d = 0; d < shape.size(); ++d)
    if (shape[d] == target[d + shift] && shape[d] != 1) strides[d + shift] = own[d];
  return strides;
}

namespace {

const Operator* find(const Node& node) {
  if (!node.domain.empty()) return nullptr;
  for (const auto table : {movements(), arithmetic()})
    for (const Operator& candidate : table)
      if (candidate.name == node.op) return &candidate;
  return nullptr;
}

}  // namespace
}  // namespace reference

bool has_reference(const Node& node) { return reference::find(node) != nullptr; }

Result<std::vector<Tensor>> compute(const Node& node, std::span<const Tensor* const> inputs, std::size_t max_bytes) {
  const reference::Operator* found = reference::find(node);
  if (found == nullptr) return fail(ErrorKind::unavailable, "{} is not computed here", node.label());
  return found->compute({node, inputs, max_bytes});
}

}  // namespace alara::graph
