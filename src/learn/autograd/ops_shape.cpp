// SPDX-License-Identifier: Apache-2.0
// What changes shapes, and what makes and reads them.
#include <algorithm>
#include <numeric>

#include "learn/autograd/operators.hpp"

namespace alara::learn {
namespace {

// Entries of 0 copy the input's size. The declared batch in front means the one of this run (network.hpp).
Values reshape(const Call& call) {
  const at::Tensor& x = call[0];
  Integers shape = call.integers(1);
  if (call.carries_batch && call.batch.differs() && !shape.empty() && shape[0] == call.batch.declared &&
      call.node.integer("allowzero", 0) == 0)
    shape[0] = call.batch.actual;
  for (std::size_t i = 0; i < shape.size() && call.integer("allowzero", 0) == 0; ++i)
    if (shape[i] == 0) shape[i] = x.size(static_cast<std::int64_t>(i));
  return {x.reshape(shape)};
}

Values flatten(const Call& call) {
  const at::Tensor& x = call[0];
  const std::int64_t axis = call.integer("axis", 1) + (call.integer("axis", 1) < 0 ? x.dim() : 0);
  TORCH_CHECK(axis >= 0 && axis <= x.dim(), "axis ", axis, " of ", x.dim(), " dimensions");
  std::int64_t rows = 1;
  for (std::int64_t i = 0; i < axis; ++i) rows *= x.size(i);
  const std::int64_t columns = x.numel() == 0 ? 0 : x.numel() / rows;
  return {x.reshape({rows, columns})};
}

Values squeeze(const Call& call) {
  const at::Tensor& x = call[0];
  Integers axes = call.axes(1);
  for (std::int64_t i = 0; i < x.dim() && !call.has(1) && !call.node.has("axes"); ++i)
    if (x.size(i) == 1) axes.push_back(i);
  for (std::int64_t& axis : axes) axis = axis_in(axis, x.dim());
  Integers shape;
  for (std::int64_t i = 0; i < x.dim(); ++i)
    if (std::ranges::find(axes, i) == axes.end())
      shape.push_back(x.size(i));
    else
      TORCH_CHECK(x.size(i) == 1, "axis ", i, " has size ", x.size(i));
  return {x.reshape(shape)};
}

Values unsqueeze(const Call& call) {
  const at::Tensor& x = call[0];
  Integers axes = call.axes(1);
  for (std::int64_t& axis : axes) axis = axis_in(axis, x.dim() + static_cast<std::int64_t>(axes.size()));
  std::ranges::sort(axes);
  Integers shape = x.sizes().vec();
  for (const std::int64_t axis : axes) shape.insert(shape.begin() + axis, 1);
  return {x.reshape(shape)};
}

Values transpose(const Call& call) {
  Integers order(static_cast<std::size_t>(call[0].dim()));
  std::iota(order.rbegin(), order.rend(), 0);
  return {call[0].permute(call.node.integers("perm", order))};
}

// Broadcasts both ways, as ONNX's Expand does.
Values expand(const Call& call) {
  const at::Tensor& x = call[0];
  return {x.expand(at::infer_size(x.sizes(), call.integers(1)))};
}

Values tile(const Call& call) { return {call[0].repeat(call.integers(1))}; }

Values concat(const Call& call) {
  const std::int64_t axis = axis_in(call.integer("axis", 0), call[0].dim());
  Values parts(call.inputs.begin(), call.inputs.end());
  for (at::Tensor& part : parts) {
    if (axis == 0 || !call.batch.differs() || call.batch.declared != 1 || part.size(0) != 1) continue;
    Integers shape = part.sizes().vec();
    shape[0] = std::ranges::max(parts, {}, [](const at::Tensor& t) { return t.size(0); }).size(0);
    part = part.expand(shape);
  }
  return {at::cat(parts, axis)};
}

Values split(const Call& call) {
  const at::Tensor& x = call[0];
  const std::int64_t axis = axis_in(call.integer("axis", 0), x.dim());
  if (call.has(1)) return at::split_with_sizes(x, call.integers(1), axis);
  const auto parts = static_cast<std::int64_t>(call.node.outputs.size());
  return at::split(x, (x.size(axis) + parts - 1) / parts, axis);
}

Values shape(const Call& call) {
  const at::Tensor& x = call[0];
  const auto bounded = [&](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + x.dim() : i, 0, x.dim()); };
  const std::int64_t start = bounded(call.integer("start", 0));
  const std::int64_t end = std::max(start, bounded(call.integer("end", x.dim())));
  return {tensor_of(Integers(x.sizes().begin() + start, x.sizes().begin() + end))};
}

Values constant_of_shape(const Call& call) {
  const graph::Tensor* value = call.node.tensor("value");
  if (value == nullptr) return {at::zeros(call.integers(0), call.real)};
  const auto fill = to_torch(*value);
  TORCH_CHECK(fill && fill->numel() == 1, "its value must be one number");
  const at::ScalarType type = fill->scalar_type() == at::kFloat ? call.real : fill->scalar_type();
  return {at::full(call.integers(0), fill->item(), type)};
}

Values range(const Call& call) {
  return {at::arange(call[0].item(), call[1].item(), call[2].item(), call[0].options())};
}

std::int64_t block_size(const Call& call) {
  const std::int64_t size = call.integer("blocksize", 1);
  TORCH_CHECK(size > 0 && size < 65536, "blocks of size ", size);
  return size;
}

// x[n, c, h, w] with c = (block rows, block columns, channels) or, mode CRD, (channels, block rows, block columns).
Values depth_to_space(const Call& call) {
  const at::Tensor& x = call[0];
  const std::int64_t b = block_size(call);
  const bool crd = call.node.text("mode", "DCR") == "CRD";
  const std::int64_t c = x.size(1) / (b * b);
  const at::Tensor blocks = crd ? x.reshape({x.size(0), c, b, b, x.size(2), x.size(3)}).permute({0, 1, 4, 2, 5, 3})
                                : x.reshape({x.size(0), b, b, c, x.size(2), x.size(3)}).permute({0, 3, 4, 1, 5, 2});
  return {blocks.reshape({x.size(0), c, x.size(2) * b, x.size(3) * b})};
}

Values space_to_depth(const Call& call) {
  const at::Tensor& x = call[0];
  const std::int64_t b = block_size(call);
  return {x.reshape({x.size(0), x.size(1), x.size(2) / b, b, x.size(3) / b, b})
              .permute({0, 3, 5, 1, 2, 4})
              .reshape({x.size(0), x.size(1) * b * b, x.size(2) / b, x.size(3) / b})};
}

}  // namespace

std::span<const Operator> shape_operators() {
  static constexpr Operator kTable[] = {
      {"Concat", concat},
      {"ConstantOfShape", constant_of_shape},
      {"DepthToSpace", depth_to_space},
      {"Expand", expand},
      {"Flatten", flatten},
      {"Identity", [](const Call& c) { return Values{c[0]}; }},
      {"Range", range},
      {"Reshape", reshape},
      {"Shape", shape},
      {"Size", [](const Call& c) { return Values{at::scalar_tensor(c[0].numel(), at::kLong)}; }},
      {"SpaceToDepth", space_to_depth},
      {"Split", split},
      {"Squeeze", squeeze},
      {"Tile", tile},
      {"Transpose", transpose},
      {"Unsqueeze", unsqueeze},
  };
  return kTable;
}

}  // namespace alara::learn
