// SPDX-License-Identifier: Apache-2.0
// Operators that join numbers, cut some out, look them up or put others around them.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "graph/shape_rules.hpp"

namespace alara::graph {
namespace {

Status concat(ShapeContext& context) {
  Followed joined;
  bool followed = true;
  for (std::size_t i = 0; followed && i < context.inputs(); ++i) {
    const auto numbers = context.numbers(i);
    followed = numbers.has_value();
    if (followed) joined.numbers.insert(joined.numbers.end(), numbers->numbers.begin(), numbers->numbers.end());
  }
  if (followed) context.follow(0, std::move(joined));
  std::optional<Dims> out;
  std::size_t axis = 0;
  for (std::size_t i = 0; i < context.inputs(); ++i) {
    const Dims* dims = context.dims(i);
    if (dims == nullptr) return unknown(context);
    ALARA_TRY(axis, context.axis_of(context.node.integer("axis", 0), dims->size()));
    if (!out) {
      out = *dims;
      continue;
    }
    if (dims->size() != out->size()) return context.misfit("inputs differ in their dimensions");
    for (std::size_t d = 0; d < out->size(); ++d) {
      Dim& to = (*out)[d];
      const Dim& from = (*dims)[d];
      if (d == axis)
        to = to.known() && from.known() ? Dim{to.size + from.size, {}} : Dim{};
      else if (to.known() && from.known() && to.size != from.size)
        return context.misfit("inputs differ in dimension {}", d);
      else if (!to.known())
        to = from;
    }
  }
  context.set(0, context.type(0), std::move(out));
  return {};
}

Status split(ShapeContext& context) {
  const std::size_t parts = context.node.outputs.size();
  const Dims* input = context.dims(0);
  if (input == nullptr || parts == 0) return unknown(context, parts);
  ALARA_TRY(const std::size_t axis, context.axis_of(context.node.integer("axis", 0), input->size()));
  const auto sizes = context.node.input(1).empty() ? std::nullopt : context.integers(1);
  if (sizes && sizes->size() != parts) return context.misfit("{} sizes for {} parts", sizes->size(), parts);
  const Dim& whole = (*input)[axis];
  const std::int64_t each =
      whole.known() ? (whole.size + static_cast<std::int64_t>(parts) - 1) / static_cast<std::int64_t>(parts) : -1;
  const std::int64_t last = whole.size - each * static_cast<std::int64_t>(parts - 1);
  if (!sizes && context.node.input(1).empty() && whole.known() && last < 0)
    return context.misfit("{} can not be cut into {} parts", whole.size, parts);
  for (std::size_t i = 0; i < parts; ++i) {
    Dims out = *input;
    if (sizes) {
      out[axis] = {(*sizes)[i], {}};
      if ((*sizes)[i] < 0) return context.misfit("a part has size {}", (*sizes)[i]);
    } else if (!context.node.input(1).empty() || !whole.known())
      out[axis] = {};
    else
      out[axis] = {i + 1 < parts ? each : last, {}};
    context.set(i, context.type(0), std::move(out));
  }
  return {};
}

// Elements that start:end:step takes of `size`, by the rules of ONNX's Slice.
std::int64_t taken(std::int64_t size, std::int64_t start, std::int64_t end, std::int64_t step) {
  if (start < 0) start += size;
  if (end < 0) end = end < -size ? -1 : end + size;
  if (step > 0) {
    start = std::clamp<std::int64_t>(start, 0, size);
    end = std::clamp<std::int64_t>(end, 0, size);
    return end <= start ? 0 : (end - start - 1) / step + 1;
  }
  start = std::clamp<std::int64_t>(start, 0, size - 1);
  end = std::clamp<std::int64_t>(end, -1, size - 1);
  if (size == 0 || start <= end) return 0;
  const std::uint64_t back = std::uint64_t{0} - static_cast<std::uint64_t>(step);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(start - end - 1) / back) + 1;
}

struct SliceArguments {
  std::vector<std::int64_t> starts, ends, axes, steps;
};

std::optional<SliceArguments> slice_arguments(const ShapeContext& context) {
  const auto starts = context.integers(1);
  const auto ends = context.integers(2);
  if (!starts || !ends || starts->size() != ends->size()) return std::nullopt;
  SliceArguments out{*starts, *ends, {}, std::vector<std::int64_t>(starts->size(), 1)};
  out.axes.resize(starts->size());
  std::iota(out.axes.begin(), out.axes.end(), 0);
  for (const auto& [i, to] : {std::pair{std::size_t{3}, &out.axes}, std::pair{std::size_t{4}, &out.steps}}) {
    if (context.node.input(i).empty()) continue;
    const auto given = context.integers(i);
    if (!given || given->size() != starts->size()) return std::nullopt;
    *to = *given;
  }
  return out;
}

void follow_slice(ShapeContext& context, const SliceArguments& cut) {
  const auto numbers = context.numbers(0);
  if (!numbers || cut.starts.size() != 1 || cut.steps[0] != 1) return;
  const auto size = static_cast<std::int64_t>(numbers->numbers.size());
  const std::int64_t length = taken(size, cut.starts[0], cut.ends[0], 1);
  const std::int64_t first =
      std::clamp<std::int64_t>(cut.starts[0] < 0 ? cut.starts[0] + size : cut.starts[0], 0, size);
  const auto begin = numbers->numbers.begin() + static_cast<std::ptrdiff_t>(first);
  context.follow(0, {Dims(begin, begin + static_cast<std::ptrdiff_t>(length)), false});
}

Status slice(ShapeContext& context) {
  const Dims* input = context.dims(0);
  if (input == nullptr) return unknown(context);
  const auto cut = slice_arguments(context);
  if (!cut) {
    context.set(0, context.type(0), Dims(input->size()));
    return {};
  }
  Dims out = *input;
  for (std::size_t i = 0; i < cut->starts.size(); ++i) {
    ALARA_TRY(const std::size_t axis, context.axis_of(cut->axes[i], input->size()));
    if (cut->steps[i] == 0) return context.misfit("the step is 0");
    const bool whole = cut->starts[i] == 0 && cut->steps[i] == 1 && cut->ends[i] >= kMaxSize;
    if (!whole)
      out[axis] =
          out[axis].known() ? Dim{taken(out[axis].size, cut->starts[i], cut->ends[i], cut->steps[i]), {}} : Dim{};
  }
  context.set(0, context.type(0), std::move(out));
  follow_slice(context, *cut);
  return {};
}

void follow_gather(ShapeContext& context) {
  const auto numbers = context.numbers(0);
  const auto indices = context.integers(1);
  const Dims* shape = context.dims(1);
  if (!numbers || numbers->scalar || !indices || shape == nullptr || shape->size() > 1) return;
  Followed out{{}, shape->empty()};
  for (std::int64_t index : *indices) {
    const auto size = static_cast<std::int64_t>(numbers->numbers.size());
    if (index < 0) index += size;
    if (index < 0 || index >= size) return;
    out.numbers.push_back(numbers->numbers[static_cast<std::size_t>(index)]);
  }
  context.follow(0, std::move(out));
}

Status gather(ShapeContext& context) {
  const Dims* data = context.dims(0);
  const Dims* indices = context.dims(1);
  if (data == nullptr || indices == nullptr) return unknown(context);
  ALARA_TRY(const std::size_t axis, context.axis_of(context.node.integer("axis", 0), data->size()));
  Dims out(data->begin(), data->begin() + static_cast<std::ptrdiff_t>(axis));
  out.insert(out.end(), indices->begin(), indices->end());
  out.insert(out.end(), data->begin() + static_cast<std::ptrdiff_t>(axis) + 1, data->end());
  context.set(0, context.type(0), std::move(out));
  if (axis == 0) follow_gather(context);
  return {};
}

Status gather_elements(ShapeContext& context) {
  const Dims* indices = context.dims(1);
  context.set(0, context.type(0), indices == nullptr ? std::nullopt : std::optional(*indices));
  return {};
}

Status gather_nd(ShapeContext& context) {
  const Dims* data = context.dims(0);
  const Dims* indices = context.dims(1);
  if (data == nullptr || indices == nullptr || indices->empty() || !indices->back().known()) return unknown(context);
  const std::int64_t depth = indices->back().size + context.node.integer("batch_dims", 0);
  if (depth < 0 || depth > static_cast<std::int64_t>(data->size()))
    return context.misfit("indices of {} numbers", depth);
  Dims out(indices->begin(), indices->end() - 1);
  out.insert(out.end(), data->begin() + depth, data->end());
  context.set(0, context.type(0), std::move(out));
  return {};
}

Status pad(ShapeContext& context) {
  const Dims* input = context.dims(0);
  if (input == nullptr) return unknown(context);
  const auto pads = context.integers(1);
  const auto axes = context.node.input(3).empty() ? std::nullopt : context.integers(3);
  if (!pads || (!axes && !context.node.input(3).empty())) {
    context.set(0, context.type(0), Dims(input->size()));
    return {};
  }
  std::vector<std::int64_t> all(input->size());
  std::iota(all.begin(), all.end(), 0);
  const std::vector<std::int64_t>& named = axes ? *axes : all;
  if (pads->size() != 2 * named.size()) return context.misfit("{} pads for {} axes", pads->size(), named.size());
  Dims out = *input;
  for (std::size_t i = 0; i < named.size(); ++i) {
    ALARA_TRY(const std::size_t axis, context.axis_of(named[i], input->size()));
    const std::int64_t before = (*pads)[i];
    const std::int64_t after = (*pads)[named.size() + i];
    if (std::abs(before) > kMaxSize || std::abs(after) > kMaxSize) return context.misfit("pads of {}", before);
    if (before == 0 && after == 0) continue;
    if (out[axis].known() && out[axis].size + before + after < 0)
      return context.misfit("padding takes away more than there is");
    out[axis] = out[axis].known() ? Dim{out[axis].size + before + after, {}} : Dim{};
  }
  context.set(0, context.type(0), std::move(out));
  return {};
}

}  // namespace

ShapeRules cut_rules() {
  return {{"Concat", concat},
          {"Split", split},
          {"Slice", slice},
          {"Gather", gather},
          {"GatherElements", gather_elements},
          {"GatherND", gather_nd},
          {"Pad", pad}};
}

}  // namespace alara::graph
