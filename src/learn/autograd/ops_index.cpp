// SPDX-License-Identifier: Apache-2.0
// What picks elements by their places: slices, gathers, scatters, pads, orders.
#include <algorithm>

#include "learn/autograd/operators.hpp"

namespace alara::learn {
namespace {

// Indices that may count from the end, made to count from the start.
at::Tensor from_start(const at::Tensor& indices, std::int64_t size) {
  const at::Tensor wide = indices.to(at::kLong);
  return at::where(wide < 0, wide + size, wide);
}

at::Tensor sliced(const at::Tensor& x, std::int64_t axis, std::int64_t start, std::int64_t end, std::int64_t step) {
  const std::int64_t size = x.size(axis);
  TORCH_CHECK(step != 0, "a step of 0");
  if (step > 0) return x.slice(axis, start, end, step);
  const auto bounded = [&](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + size : i, -1, size - 1); };
  // An end far below stands for "up to and with the first".
  const std::int64_t last = end < -size ? -1 : bounded(end);
  Integers places;
  for (std::int64_t i = bounded(start); i > last; i += step) places.push_back(i);
  return x.index_select(axis, tensor_of(places));
}

Values slice(const Call& call) {
  const Integers starts = call.integers(1);
  const Integers ends = call.integers(2);
  const Integers axes = call.has(3) ? call.integers(3) : Integers{};
  const Integers steps = call.has(4) ? call.integers(4) : Integers(starts.size(), 1);
  TORCH_CHECK(
      ends.size() == starts.size() && steps.size() == starts.size() && (axes.empty() || axes.size() == starts.size()),
      "as many ends, axes and steps as starts");
  at::Tensor out = call[0];
  for (std::size_t i = 0; i < starts.size(); ++i)
    out = sliced(out, axis_in(axes.empty() ? static_cast<std::int64_t>(i) : axes[i], out.dim()), starts[i], ends[i],
                 steps[i]);
  return {out};
}

Values gather(const Call& call) {
  const at::Tensor& x = call[0];
  const std::int64_t axis = axis_in(call.integer("axis", 0), x.dim());
  const at::Tensor indices = from_start(call[1], x.size(axis));
  Integers shape = x.sizes().vec();
  shape.erase(shape.begin() + axis);
  shape.insert(shape.begin() + axis, indices.sizes().begin(), indices.sizes().end());
  return {x.index_select(axis, indices.flatten()).reshape(shape)};
}

Values gather_elements(const Call& call) {
  const std::int64_t axis = axis_in(call.integer("axis", 0), call[0].dim());
  return {at::gather(call[0], axis, from_start(call[1], call[0].size(axis)))};
}

// Columns of the last dimension of `indices`, each for one dimension of x.
c10::List<c10::optional<at::Tensor>> index_columns(const at::Tensor& x, const at::Tensor& indices, std::int64_t first) {
  c10::List<c10::optional<at::Tensor>> out;
  for (std::int64_t i = 0; i < indices.size(-1); ++i)
    out.push_back(from_start(indices.select(-1, i), x.size(first + i)));
  return out;
}

Values gather_nd(const Call& call) {
  const std::int64_t shared = call.integer("batch_dims", 0);
  TORCH_CHECK(shared <= 1, "batch_dims above 1");
  if (shared == 0) return {at::index(call[0], index_columns(call[0], call[1], 0))};
  Values rows;
  for (std::int64_t i = 0; i < call[0].size(0); ++i) {
    const at::Tensor row = call[0].select(0, i);
    rows.push_back(at::index(row, index_columns(row, call[1].select(0, i), 0)));
  }
  return {at::stack(rows)};
}

Values scatter_elements(const Call& call) {
  const at::Tensor& x = call[0];
  const std::int64_t axis = axis_in(call.integer("axis", 0), x.dim());
  const at::Tensor indices = from_start(call[1], x.size(axis));
  if (call.node.text("reduction", "none") == "add") return {at::scatter_add(x, axis, indices, call[2])};
  return {at::scatter(x, axis, indices, call[2])};
}

Values scatter_nd(const Call& call) {
  const bool add = call.node.text("reduction", "none") == "add";
  return {at::index_put(call[0], index_columns(call[0], call[1], 0), call[2], add)};
}

std::string scatter_limits(const graph::Node& node) {
  const std::string reduction = node.text("reduction", "none");
  return reduction == "none" || reduction == "add" ? "" : "reduction " + reduction;
}

// Where each element of a dimension padded by `begin` and `end` comes from, for the modes that repeat the input.
Integers pad_places(const std::string& mode, std::int64_t size, std::int64_t begin, std::int64_t end) {
  Integers out;
  TORCH_CHECK(size > 0, "there is nothing to repeat");
  const std::int64_t period = 2 * (size - 1);
  for (std::int64_t i = -begin; i < size + end; ++i) {
    if (mode == "edge") {
      out.push_back(std::clamp<std::int64_t>(i, 0, size - 1));
    } else if (mode == "wrap") {
      out.push_back(((i % size) + size) % size);
    } else {
      const std::int64_t turn = period == 0 ? 0 : ((i % period) + period) % period;
      out.push_back(std::min(turn, period - turn));
    }
  }
  return out;
}

Values pad(const Call& call) {
  const at::Tensor& x = call[0];
  const Integers pads = call.integers(1);
  Integers axes = call.has(3) ? call.integers(3) : Integers{};
  for (std::int64_t i = 0; i < x.dim() && !call.has(3); ++i) axes.push_back(i);
  TORCH_CHECK(pads.size() == 2 * axes.size(), "two pads for each axis");
  const std::string mode = call.node.text("mode", "constant");
  Integers torch_pads(static_cast<std::size_t>(2 * x.dim()), 0);
  at::Tensor out = x;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t axis = axis_in(axes[i], x.dim());
    const std::int64_t begin = pads[i];
    const std::int64_t end = pads[i + axes.size()];
    torch_pads[static_cast<std::size_t>(2 * (x.dim() - 1 - axis))] = begin;
    torch_pads[static_cast<std::size_t>(2 * (x.dim() - 1 - axis) + 1)] = end;
    if (mode != "constant" && (begin != 0 || end != 0))
      out = out.index_select(axis, tensor_of(pad_places(mode, x.size(axis), begin, end)));
  }
  if (mode != "constant") return {out};
  return {at::constant_pad_nd(x, torch_pads, call.has(2) ? call[2].item() : at::Scalar(0))};
}

std::string pad_limits(const graph::Node& node) {
  const std::string mode = node.text("mode", "constant");
  return mode == "constant" || mode == "edge" || mode == "reflect" || mode == "wrap" ? "" : "mode " + mode;
}

Values top_k(const Call& call) {
  auto [values, places] =
      at::topk(call[0], call.integers(1).at(0), call.integer("axis", -1), call.integer("largest", 1) != 0);
  return {values, places};
}

Values cumulative_sum(const Call& call) {
  const at::Tensor& x = call[0];
  const std::int64_t axis = axis_in(call.integers(1).at(0), x.dim());
  const bool reverse = call.integer("reverse", 0) != 0;
  const at::Tensor forward = reverse ? x.flip({axis}) : x;
  at::Tensor sum = at::cumsum(forward, axis).to(x.scalar_type());
  if (call.integer("exclusive", 0) != 0) sum = sum - forward;
  return {reverse ? sum.flip({axis}) : sum};
}

Values one_hot(const Call& call) {
  const std::int64_t depth = call.integers(1).at(0);
  const at::Tensor indices = from_start(call[0], depth);
  const std::int64_t axis = axis_in(call.integer("axis", -1), indices.dim() + 1);
  const at::Tensor& values = call[2];
  const at::Tensor hit = indices.unsqueeze(-1) == at::arange(depth, at::kLong);
  return {at::where(hit, values.select(0, 1), values.select(0, 0)).movedim(-1, axis)};
}

Values triangle(const Call& call) {
  const std::int64_t diagonal = call.has(1) ? call.integers(1).at(0) : 0;
  return {call.integer("upper", 1) != 0 ? at::triu(call[0], diagonal) : at::tril(call[0], diagonal)};
}

}  // namespace

std::span<const Operator> index_operators() {
  static constexpr Operator kTable[] = {
      {"CumSum", cumulative_sum},
      {"Gather", gather, inputs(0)},
      {"GatherElements", gather_elements},
      {"GatherND", gather_nd},
      {"NonZero", [](const Call& c) { return Values{at::nonzero(c[0]).t()}; }},
      {"OneHot", one_hot},
      {"Pad", pad, 0, 0, pad_limits},
      {"ScatterElements", scatter_elements, 0, 0, scatter_limits},
      {"ScatterND", scatter_nd, 0, 0, scatter_limits},
      {"Slice", slice},
      {"TopK", top_k},
      {"Trilu", triangle},
  };
  return kTable;
}

}  // namespace alara::learn
