// SPDX-License-Identifier: Apache-2.0
// The slices of axis_ops.hpp.
#include <algorithm>

#include "graph/nhwc/axis_ops.hpp"

namespace alara::graph::nhwc {
namespace {

// One axis of an ONNX Slice; end and begin as ONNX clamps them.
struct Range {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t stride = 1;
};
constexpr std::int64_t kEnd = std::int64_t{1} << 62;

// How many entries the range has of an axis, with negative positions counted from its end.
Dim range_size(const Range& range, const Dim& dim) {
  if (!dim.known()) return {range.begin == 0 && range.end == kEnd && range.stride == 1 ? dim : Dim{}};
  const auto place = [&](std::int64_t at, std::int64_t low, std::int64_t high) {
    return std::clamp(at < 0 ? at + dim.size : at, low, high);
  };
  const bool up = range.stride > 0;
  const std::int64_t begin = up ? place(range.begin, 0, dim.size) : place(range.begin, -1, dim.size - 1);
  const std::int64_t end = range.end == -kEnd ? -1
                           : up               ? place(range.end, 0, dim.size)
                                              : place(range.end, -1, dim.size - 1);
  const std::int64_t distance = up ? end - begin : begin - end;
  const std::int64_t step = up ? range.stride : -range.stride;
  return {std::max<std::int64_t>(0, (distance + step - 1) / step), {}};
}

// x[ranges], with the layout that x has. Whole axes are left out.
ValueId take(Lowering& lowering, const std::string& name, ValueId x, const std::vector<Range>& ranges) {
  const Dims dims = lowering.at(x).dims;
  const Layout layout = lowering.is_first(x) ? Layout::channels_first : Layout::channels_last;
  Dims out = dims;
  std::vector<std::int64_t> begins, ends, axes, steps;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const Range& range = ranges[i];
    out[i] = range_size(range, dims[i]);
    if (range.begin == 0 && range.stride == 1 && (range.end == kEnd || out[i] == dims[i])) continue;
    begins.push_back(range.begin);
    ends.push_back(range.end);
    axes.push_back(static_cast<std::int64_t>(axis_in(layout, i)));
    steps.push_back(range.stride);
  }
  if (axes.empty()) return x;
  std::vector<std::string> inputs = {lowering.in(x, layout), lowering.integers(name + "/begin", begins),
                                     lowering.integers(name + "/end", ends), lowering.integers(name + "/axes", axes)};
  if (std::any_of(steps.begin(), steps.end(), [](std::int64_t step) { return step != 1; }))
    inputs.push_back(lowering.integers(name + "/steps", steps));
  return lowering.node("Slice", name, inputs, {lowering.at(x).type, out, layout});
}

// What the entries of a StridedSlice say of each axis of x and of the result.
struct SlicePlan {
  std::vector<Range> ranges;
  std::vector<std::size_t> dropped;  // axes of x
  std::vector<bool> result;          // of each axis of the result: comes from x (true) or is new
};
Result<SlicePlan> plan_slice(const StridedSlice& options, std::size_t rank) {
  const std::size_t entries = options.begin.size();
  if (options.end.size() != entries || options.strides.size() != entries || entries > 32)
    return fail(ErrorKind::bad_input, "{} begins, {} ends and {} strides", entries, options.end.size(),
                options.strides.size());
  const auto bit = [](std::int64_t mask, std::size_t i) { return (mask >> i & 1) != 0; };
  std::size_t speaking = 0;  // entries that speak of one axis each
  for (std::size_t i = 0; i < entries; ++i)
    if (!bit(options.ellipsis_mask, i) && !bit(options.new_axis_mask, i)) ++speaking;
  if (speaking > rank) return fail(ErrorKind::bad_input, "{} ranges for {} axes", speaking, rank);
  SlicePlan plan;
  const auto whole = [&](std::size_t axes) {
    for (; axes > 0 && plan.ranges.size() < rank; --axes) {
      plan.ranges.push_back({0, kEnd, 1});
      plan.result.push_back(true);
    }
  };
  for (std::size_t i = 0; i < entries; ++i) {
    if (bit(options.ellipsis_mask, i)) {
      whole(rank - speaking);
    } else if (bit(options.new_axis_mask, i)) {
      plan.result.push_back(false);
    } else if (bit(options.shrink_mask, i)) {
      plan.dropped.push_back(plan.ranges.size());
      const std::int64_t at = options.begin[i];
      plan.ranges.push_back({at, at == -1 ? kEnd : at + 1, 1});
    } else {
      const std::int64_t stride = options.strides[i];
      if (stride == 0 || stride < -kMaxElements || stride > kMaxElements)
        return fail(ErrorKind::bad_input, "a stride of {}", stride);
      const std::int64_t first = stride > 0 ? 0 : kEnd;
      const std::int64_t last = stride > 0 ? kEnd : -kEnd;
      plan.ranges.push_back({bit(options.begin_mask, i) ? first : options.begin[i],
                             bit(options.end_mask, i) ? last : options.end[i], stride});
      plan.result.push_back(true);
    }
  }
  if (plan.ranges.size() < rank) whole(rank - plan.ranges.size());
  return plan;
}

}  // namespace

Result<ValueId> slice(Lowering& lowering, const std::string& name, ValueId x, const std::vector<std::int64_t>& begin,
                      const std::vector<std::int64_t>& size) {
  const Dims dims = lowering.at(x).dims;
  if (begin.size() != dims.size() || size.size() != dims.size())
    return fail(ErrorKind::bad_input, "{} begins and {} sizes for the axes of {}", begin.size(), size.size(),
                text_of(dims));
  std::vector<Range> ranges;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const std::int64_t room = dims[i].known() ? dims[i].size : kMaxElements;
    if (begin[i] < 0 || size[i] < -1 || begin[i] > room || size[i] > room - begin[i])
      return fail(ErrorKind::bad_input, "{} from {} on of axis {} of {}", size[i], begin[i], i, text_of(dims));
    ranges.push_back({begin[i], size[i] == -1 ? kEnd : begin[i] + size[i], 1});
  }
  return take(lowering, name, x, ranges);
}

Result<ValueId> strided_slice(Lowering& lowering, const std::string& name, ValueId x, const StridedSlice& options) {
  const std::size_t rank = lowering.at(x).rank();
  ALARA_TRY(const SlicePlan plan, plan_slice(options, rank));
  for (const std::size_t axis : plan.dropped) {
    const Dim dim = lowering.at(x).dims[axis];
    const std::int64_t at = plan.ranges[axis].begin;
    if (dim.known() && (at < -dim.size || at >= dim.size))
      return fail(ErrorKind::bad_input, "index {} of axis {} of {}", at, axis, text_of(lowering.at(x).dims));
  }
  const bool same_axes = plan.dropped.empty() && plan.result.size() == rank;
  const ValueId taken = take(lowering, same_axes ? name : name + "/taken", x, plan.ranges);
  if (same_axes) return taken;
  ValueId out = taken;
  if (!plan.dropped.empty()) {
    const std::vector<std::int64_t> axes(plan.dropped.begin(), plan.dropped.end());
    const bool is_last = plan.result.size() == rank - plan.dropped.size();
    ALARA_TRY(out, squeeze(lowering, is_last ? name : name + "/squeezed", out, axes));
  }
  for (std::size_t i = 0; i < plan.result.size(); ++i) {
    if (plan.result[i]) continue;
    ALARA_TRY(out, expand(lowering, name, out, static_cast<std::int64_t>(i)));
  }
  return out;
}

}  // namespace alara::graph::nhwc
