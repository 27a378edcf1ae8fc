// SPDX-License-Identifier: Apache-2.0
// Operators that lay numbers out anew: reshape, transpose, repeat, resize.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "graph/shape_rules.hpp"

namespace alara::graph {
namespace {

// Number of elements; unknown when a dimension is.
std::optional<std::int64_t> count(const Dims& dims) {
  std::int64_t product = 1;
  for (const Dim& dim : dims) {
    if (!dim.known()) return std::nullopt;
    if (dim.size != 0 && product > kMaxSize / dim.size) return std::nullopt;
    product *= dim.size;
  }
  return product;
}

// What stands for -1 in a reshape: the elements of `input` over those of the other targets; free dimensions that are
// on both sides cancel.
Dim left_over(const Dims& input, const Dims& target, std::size_t at) {
  Dims above = input;
  std::int64_t below = 1;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (i == at) continue;
    if (target[i].known()) {
      if (target[i].size == 0 || below > kMaxSize / target[i].size) return {};
      below *= target[i].size;
      continue;
    }
    const auto same = std::find_if(above.begin(), above.end(), [&](const Dim& dim) {
      return !dim.known() && !dim.symbol.empty() && dim.symbol == target[i].symbol;
    });
    if (same == above.end()) return {};
    above.erase(same);
  }
  std::vector<Dim> free;
  std::copy_if(above.begin(), above.end(), std::back_inserter(free), [](const Dim& dim) { return !dim.known(); });
  std::erase_if(above, [](const Dim& dim) { return !dim.known(); });
  const auto known = count(above);
  if (!known || free.size() > 1 || *known % below != 0) return {};
  if (free.empty()) return {*known / below, {}};
  return *known == below ? free.front() : Dim{};
}

Status reshape(ShapeContext& context) {
  const auto wanted = context.numbers(1);
  if (!wanted) {
    const Dims* shape = context.dims(1);  // the rank at least
    if (shape == nullptr || shape->size() != 1 || !shape->front().known() || shape->front().size > 16)
      return unknown(context);
    context.set(0, context.type(0), Dims(static_cast<std::size_t>(shape->front().size)));
    return {};
  }
  const Dims* input = context.dims(0);
  const bool zero_is_zero = context.node.integer("allowzero", 0) != 0;
  Dims out = wanted->numbers;
  std::optional<std::size_t> open;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i].symbol == kLiteral) {
      if (out[i].size != -1 || open) return context.misfit("the target has {} or more than one -1", out[i].size);
      open = i;
    } else if (out[i].size == 0 && !zero_is_zero) {
      if (input != nullptr && i >= input->size()) return context.misfit("there is no dimension {} to keep", i);
      out[i] = input == nullptr ? Dim{} : (*input)[i];
    }
  }
  if (open) out[*open] = input == nullptr ? Dim{} : left_over(*input, out, *open);
  if (input != nullptr) {
    const auto before = count(*input);
    const auto after = count(out);
    if (before && after && *before != *after)
      return context.misfit("{} elements can not become {}", *before, text_of(out));
  }
  context.set(0, context.type(0), std::move(out));
  if (auto numbers = context.numbers(0)) context.follow(0, *std::move(numbers));
  return {};
}

Dim product(const Dims& dims, std::size_t first, std::size_t last) {
  const Dims part(dims.begin() + static_cast<std::ptrdiff_t>(first), dims.begin() + static_cast<std::ptrdiff_t>(last));
  if (part.size() == 1) return part.front();
  const auto size = count(part);
  return size ? Dim{*size, {}} : Dim{};
}

Status flatten(ShapeContext& context) {
  const Dims* input = context.dims(0);
  if (input == nullptr) {
    context.set(0, context.type(0), Dims(2));
    return {};
  }
  std::int64_t axis = context.node.integer("axis", 1);
  const auto rank = static_cast<std::int64_t>(input->size());
  if (axis < -rank || axis > rank) return context.misfit("there is no axis {}", axis);
  if (axis < 0) axis += rank;
  const auto at = static_cast<std::size_t>(axis);
  context.set(0, context.type(0), Dims{product(*input, 0, at), product(*input, at, input->size())});
  return {};
}

Status squeeze(ShapeContext& context) {
  if (auto numbers = context.numbers(0); numbers && numbers->numbers.size() == 1)
    context.follow(0, {numbers->numbers, true});
  const Dims* input = context.dims(0);
  const bool all = !context.node.has("axes") && context.node.input(1).empty();
  const auto axes = context.axes();
  if (input == nullptr || (!all && !axes)) return unknown(context);
  std::vector<bool> gone(input->size(), false);
  if (all)
    for (std::size_t i = 0; i < input->size(); ++i) gone[i] = (*input)[i].size == 1;
  else
    for (const std::int64_t axis : *axes) {
      ALARA_TRY(const std::size_t at, context.axis_of(axis, input->size()));
      if ((*input)[at].known() && (*input)[at].size != 1)
        return context.misfit("dimension {} of size {} can not be squeezed", axis, (*input)[at].size);
      gone[at] = true;
    }
  Dims out;
  for (std::size_t i = 0; i < input->size(); ++i)
    if (!gone[i]) out.push_back((*input)[i]);
  context.set(0, context.type(0), std::move(out));
  return {};
}

Status unsqueeze(ShapeContext& context) {
  if (auto numbers = context.numbers(0); numbers && numbers->scalar) context.follow(0, {numbers->numbers, false});
  const Dims* input = context.dims(0);
  const auto axes = context.axes();
  if (input == nullptr || !axes) return unknown(context);
  const std::size_t rank = input->size() + axes->size();
  std::vector<bool> added(rank, false);
  for (const std::int64_t axis : *axes) {
    ALARA_TRY(const std::size_t at, context.axis_of(axis, rank));
    if (added[at]) return context.misfit("axis {} is named twice", axis);
    added[at] = true;
  }
  Dims out;
  std::size_t next = 0;
  for (std::size_t i = 0; i < rank; ++i) out.push_back(added[i] ? Dim{1, {}} : (*input)[next++]);
  context.set(0, context.type(0), std::move(out));
  return {};
}

Status transpose(ShapeContext& context) {
  const Dims* input = context.dims(0);
  if (input == nullptr) return unknown(context);
  std::vector<std::int64_t> order(input->size());
  std::iota(order.rbegin(), order.rend(), 0);
  order = context.node.integers("perm", order);
  std::vector<std::int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted.size() != input->size() || sorted[i] != static_cast<std::int64_t>(i))
      return context.misfit("perm [{}] is no order of {} dimensions", fmt::join(order, ", "), input->size());
  Dims out;
  for (const std::int64_t from : order) out.push_back((*input)[static_cast<std::size_t>(from)]);
  context.set(0, context.type(0), std::move(out));
  return {};
}

Status expand(ShapeContext& context) {
  const Dims* input = context.dims(0);
  const auto target = context.numbers(1);
  if (input == nullptr || !target) return unknown(context);
  auto out = broadcast(*input, target->numbers);
  if (!out) return context.misfit("it can not be expanded to {}", text_of(target->numbers));
  context.set(0, context.type(0), std::move(out));
  return {};
}

Status tile(ShapeContext& context) {
  const Dims* input = context.dims(0);
  const auto repeats = context.integers(1);
  if (input == nullptr || !repeats) return unknown(context);
  if (repeats->size() != input->size()) return context.misfit("{} repeats are given", repeats->size());
  Dims out = *input;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t times = (*repeats)[i];
    if (times < 0 || times > kMaxSize) return context.misfit("it is repeated {} times", times);
    if (times != 1) out[i] = out[i].known() ? Dim{out[i].size * times, {}} : Dim{};
  }
  context.set(0, context.type(0), std::move(out));
  return {};
}

Status resize(ShapeContext& context) {
  const Dims* input = context.dims(0);
  if (input == nullptr) return unknown(context);
  Dims out(input->size());
  std::vector<std::int64_t> axes(input->size());
  std::iota(axes.begin(), axes.end(), 0);
  axes = context.node.integers("axes", axes);
  if (axes.size() != input->size()) out = *input;
  // Sizes that keep a ratio are only limits, and scales are of the region that is cut out: both are not followed.
  const bool stretched = context.node.text("keep_aspect_ratio_policy", "stretch") == "stretch";
  const bool cropped = context.node.text("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize";
  const auto sizes = stretched ? context.numbers(3) : std::nullopt;
  const Tensor* scales = cropped ? nullptr : context.constant(2);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    ALARA_TRY(const std::size_t at, context.axis_of(axes[i], input->size()));
    const Dim& size = (*input)[at];
    if (sizes && sizes->numbers.size() == axes.size()) {
      out[at] = sizes->numbers[i];
    } else if (scales != nullptr && scales->type == DataType::float32 &&
               scales->elements() == static_cast<std::int64_t>(axes.size())) {
      const double scaled = std::floor(static_cast<double>(size.size) * double{scales->values<float>()[i]});
      if (!(scales->values<float>()[i] > 0) || scaled > static_cast<double>(kMaxSize))
        return context.misfit("a scale is {}", scales->values<float>()[i]);
      out[at] = size.known() ? Dim{static_cast<std::int64_t>(scaled), {}} : Dim{};
      if (!size.known() && scales->values<float>()[i] == 1.0F) out[at] = size;
    } else {
      out[at] = {};
    }
  }
  context.set(0, context.type(0), std::move(out));
  return {};
}

Dim times(const Dim& size, std::int64_t factor) { return size.known() ? Dim{size.size * factor, {}} : Dim{}; }
Dim over(const Dim& size, std::int64_t divisor) { return size.known() ? Dim{size.size / divisor, {}} : Dim{}; }

Status space_and_depth(ShapeContext& context) {
  const Dims* input = context.dims(0);
  if (input == nullptr) return unknown(context);
  const std::int64_t block = context.node.integer("blocksize", 1);
  if (block < 1 || block > 4096 || input->size() != 4) return context.misfit("blocksize is {}", block);
  const Dims& in = *input;
  const bool to_space = context.node.op == "DepthToSpace";
  context.set(0, context.type(0),
              to_space ? Dims{in[0], over(in[1], block * block), times(in[2], block), times(in[3], block)}
                       : Dims{in[0], times(in[1], block * block), over(in[2], block), over(in[3], block)});
  return {};
}

}  // namespace

ShapeRules layout_rules() {
  return {{"Reshape", reshape},
          {"Flatten", flatten},
          {"Squeeze", squeeze},
          {"Unsqueeze", unsqueeze},
          {"Transpose", transpose},
          {"Expand", expand},
          {"Tile", tile},
          {"Resize", resize},
          {"DepthToSpace", space_and_depth},
          {"SpaceToDepth", space_and_depth}};
}

}  // namespace alara::graph
