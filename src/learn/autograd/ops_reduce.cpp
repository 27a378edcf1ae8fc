// SPDX-License-Identifier: Apache-2.0
// Reductions over axes. Axes are an attribute in older operator sets and an input in newer ones.
#include <algorithm>
#include <cmath>

#include "learn/autograd/operators.hpp"

namespace alara::learn {
namespace {

using Reduction = at::Tensor (*)(const at::Tensor& x, at::IntArrayRef axes, bool keep);

template <Reduction reduction>
Values reduce(const Call& call) {
  const at::Tensor& x = call[0];
  Integers axes = call.axes(1);
  if (axes.empty()) {
    // No axes to reduce, yet each element is squared, taken the logarithm of and so on, as ONNX Runtime has it.
    if (call.integer("noop_with_empty_axes", 0) != 0) return {reduction(x.unsqueeze(-1), {-1}, false)};
    for (std::int64_t i = 0; i < x.dim(); ++i) axes.push_back(i);
  }
  for (std::int64_t& axis : axes) axis = axis_in(axis, x.dim());
  std::ranges::sort(axes);
  return {reduction(x, axes, call.integer("keepdims", 1) != 0).to(x.scalar_type())};
}

at::Tensor sum(const at::Tensor& x, at::IntArrayRef axes, bool keep) { return at::sum(x, axes, keep); }
at::Tensor mean(const at::Tensor& x, at::IntArrayRef axes, bool keep) {
  return at::mean(x.is_floating_point() ? x : x.to(at::kDouble), axes, keep);
}
at::Tensor l1(const at::Tensor& x, at::IntArrayRef axes, bool keep) { return at::sum(x.abs(), axes, keep); }
at::Tensor l2(const at::Tensor& x, at::IntArrayRef axes, bool keep) {
  const at::Tensor real = x.is_floating_point() ? x : x.to(at::kDouble);
  return at::norm(real, c10::optional<at::Scalar>(2), axes, keep);
}
at::Tensor sum_square(const at::Tensor& x, at::IntArrayRef axes, bool keep) { return at::sum(x * x, axes, keep); }
at::Tensor log_sum(const at::Tensor& x, at::IntArrayRef axes, bool keep) { return at::log(at::sum(x, axes, keep)); }
at::Tensor log_sum_exp(const at::Tensor& x, at::IntArrayRef axes, bool keep) {
  return at::logsumexp(x.is_floating_point() ? x : x.to(at::kDouble), axes, keep);
}
at::Tensor product(const at::Tensor& x, at::IntArrayRef axes, bool keep) {
  at::Tensor out = x;
  for (std::size_t i = axes.size(); i-- > 0;) out = at::prod(out, axes[i], keep);
  return out;
}
// Of no elements: what leaves any other number as it is.
at::Tensor of_nothing(const at::Tensor& x, at::IntArrayRef axes, bool keep, double number) {
  TORCH_CHECK(x.is_floating_point(), "the extreme of no integers");
  return at::full_like(at::sum(x, axes, keep), number);
}
at::Tensor max(const at::Tensor& x, at::IntArrayRef axes, bool keep) {
  return x.numel() == 0 ? of_nothing(x, axes, keep, -INFINITY) : at::amax(x, axes, keep);
}
at::Tensor min(const at::Tensor& x, at::IntArrayRef axes, bool keep) {
  return x.numel() == 0 ? of_nothing(x, axes, keep, INFINITY) : at::amin(x, axes, keep);
}

using Place = at::Tensor (*)(const at::Tensor& x, c10::optional<std::int64_t> axis, bool keep);

// The first place of the extreme, or the last: that is the first from the end.
template <Place place>
Values arg(const Call& call) {
  const at::Tensor& x = call[0];
  const std::int64_t axis = axis_in(call.integer("axis", 0), x.dim());
  const bool keep = call.integer("keepdims", 1) != 0;
  if (call.integer("select_last_index", 0) == 0) return {place(x, axis, keep)};
  return {x.size(axis) - 1 - place(x.flip({axis}), axis, keep)};
}

Values hardmax(const Call& call) {
  const at::Tensor& x = call[0];
  const std::int64_t axis = axis_in(call.integer("axis", -1), x.dim());
  return {at::zeros_like(x).scatter(axis, at::argmax(x, axis, true), 1)};
}

}  // namespace

std::span<const Operator> reduce_operators() {
  static constexpr Operator kTable[] = {
      {"ArgMax", arg<at::argmax>},
      {"ArgMin", arg<at::argmin>},
      {"Hardmax", hardmax},
      {"ReduceL1", reduce<l1>},
      {"ReduceL2", reduce<l2>},
      {"ReduceLogSum", reduce<log_sum>},
      {"ReduceLogSumExp", reduce<log_sum_exp>},
      {"ReduceMax", reduce<max>},
      {"ReduceMean", reduce<mean>},
      {"ReduceMin", reduce<min>},
      {"ReduceProd", reduce<product>},
      {"ReduceSum", reduce<sum>},
      {"ReduceSumSquare", reduce<sum_square>},
  };
  return kTable;
}

}  // namespace alara::learn
