// SPDX-License-Identifier: Apache-2.0
#include "graph/nhwc/axis_ops.hpp"

#include <algorithm>
#include <numeric>

#include "graph/nhwc/element_ops.hpp"

namespace alara::graph::nhwc {
namespace {

// A reshape whose target is known: from either order where both are the same sequence.
ValueId reshape_to(Lowering& lowering, const std::string& name, ValueId x, const Dims& dims,
                   std::vector<std::int64_t> target) {
  const Dims from = lowering.at(x).dims;
  // A batch that stays is copied, so that the graph works for other batches too.
  if (!from.empty() && !dims.empty() && from[0] == dims[0] && target[0] > 0) target[0] = 0;
  const bool first = lowering.is_first(x) && lowering.same_in_both(x);
  const std::string input = lowering.in(x, first ? Layout::channels_first : Layout::channels_last);
  return lowering.node("Reshape", name, {input, lowering.integers(name + "/shape", std::move(target))},
                       {lowering.at(x).type, dims});
}

std::vector<std::int64_t> sizes_of(const Dims& dims) {
  std::vector<std::int64_t> out;
  for (const Dim& dim : dims) out.push_back(dim.size);
  return out;
}

// To dims that are x's with sizes of 1 put in or out: at most one is open, or ONNX's own operator does it.
Result<ValueId> with_dims(Lowering& lowering, const std::string& name, ValueId x, const Dims& dims,
                          const std::string& op, const std::vector<std::int64_t>& axes) {
  const std::vector<std::int64_t> target = sizes_of(dims);
  if (std::count(target.begin(), target.end(), -1) <= 1 && std::count(target.begin(), target.end(), 0) == 0)
    return reshape_to(lowering, name, x, dims, target);
  return lowering.node(op, name, {lowering.last(x), lowering.integers(name + "/axes", axes)},
                       {lowering.at(x).type, dims});
}

Status check_lengths(const Dims& dims, std::initializer_list<std::size_t> lengths) {
  for (const std::size_t length : lengths)
    if (length != dims.size())
      return fail(ErrorKind::bad_input, "{} numbers for the axes of {}", length, text_of(dims));
  return {};
}

}  // namespace

Result<ValueId> reshape(Lowering& lowering, const std::string& name, ValueId x,
                        const std::vector<std::int64_t>& target) {
  ALARA_TRY(const Dims dims, reshaped(lowering.at(x).dims, target));
  if (dims == lowering.at(x).dims) return x;
  if (std::count(target.begin(), target.end(), 0) > 0)
    return fail(ErrorKind::bad_input, "a reshape to {}, which has no numbers", text_of(target));
  return reshape_to(lowering, name, x, dims, target);
}

Result<ValueId> reshape(Lowering& lowering, const std::string& name, ValueId x, ValueId target) {
  if (lowering.at(target).constant) {
    ALARA_TRY(const std::vector<std::int64_t> known, lowering.known_integers(target));
    return reshape(lowering, name, x, known);
  }
  const Dims rank = lowering.at(target).dims;
  if (rank.size() != 1 || !rank[0].known() || rank[0].size > static_cast<std::int64_t>(kMaxRank))
    return fail(ErrorKind::bad_input, "how many axes '{}' gives is not known", lowering.at(target).name);
  const bool first = lowering.is_first(x) && lowering.same_in_both(x);
  const std::string input = lowering.in(x, first ? Layout::channels_first : Layout::channels_last);
  return lowering.node("Reshape", name, {input, lowering.indices(target)},
                       {lowering.at(x).type, Dims(static_cast<std::size_t>(rank[0].size))});
}

Result<ValueId> squeeze(Lowering& lowering, const std::string& name, ValueId x, const std::vector<std::int64_t>& axes) {
  const Dims dims = lowering.at(x).dims;
  ALARA_TRY(const std::vector<std::size_t> hit, axes_of(axes, dims.size()));
  Dims out;
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const bool named = std::binary_search(hit.begin(), hit.end(), i);
    if (named && dims[i].known() && dims[i].size != 1)
      return fail(ErrorKind::bad_input, "axis {} of {} is not of size 1", i, text_of(dims));
    if (named || (hit.empty() && dims[i].size == 1))
      numbers.push_back(static_cast<std::int64_t>(i));
    else
      out.push_back(dims[i]);
  }
  if (numbers.empty()) return x;
  return with_dims(lowering, name, x, out, "Squeeze", numbers);
}

Result<ValueId> expand(Lowering& lowering, const std::string& name, ValueId x, std::int64_t axis) {
  Dims dims = lowering.at(x).dims;
  ALARA_TRY(const std::size_t at, axis_of(axis, dims.size() + 1));
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(at), {1, {}});
  return with_dims(lowering, name, x, dims, "Unsqueeze", {static_cast<std::int64_t>(at)});
}

Result<ValueId> transpose(Lowering& lowering, const std::string& name, ValueId x,
                          const std::vector<std::int64_t>& order) {
  const Value& from = lowering.at(x);
  std::vector<std::int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] != static_cast<std::int64_t>(i) || sorted.size() != from.rank())
      return fail(ErrorKind::bad_input, "{} is no order of the axes of {}", text_of(order), text_of(from.dims));
  if (sorted == order) return x;
  Dims dims;
  for (const std::int64_t axis : order) dims.push_back(from.dims[static_cast<std::size_t>(axis)]);
  // Transposes between the two orders cost nothing: the other form is there, or will be where it is wanted.
  if (order == std::vector<std::int64_t>{0, 3, 1, 2} && lowering.is_first(x))
    return lowering.alias(name, from.type, dims, {lowering.first(x), ""});
  if (order == std::vector<std::int64_t>{0, 2, 3, 1} && !lowering.is_first(x))
    return lowering.alias(name, lowering.at(x).type, dims, {"", lowering.last(x)});
  return lowering.node("Transpose", name, {lowering.last(x)}, {lowering.at(x).type, dims}, {{"perm", order}});
}

Result<ValueId> concatenate(Lowering& lowering, const std::string& name, const std::vector<ValueId>& parts,
                            std::int64_t axis) {
  if (parts.empty()) return fail(ErrorKind::bad_input, "it has no inputs");
  Dims dims = lowering.at(parts[0]).dims;
  ALARA_TRY(const std::size_t along, axis_of(axis, dims.size()));
  for (std::size_t part = 1; part < parts.size(); ++part) {
    const Dims& next = lowering.at(parts[part]).dims;
    bool fits = next.size() == dims.size();
    for (std::size_t i = 0; fits && i < dims.size(); ++i) {
      if (i == along)
        dims[i] = {dims[i].known() && next[i].known() ? dims[i].size + next[i].size : -1, {}};
      else if (!dims[i].known())
        dims[i] = next[i];
      else
        fits = !next[i].known() || next[i].size == dims[i].size;
    }
    if (!fits)
      return fail(ErrorKind::bad_input, "{} can not be put to {} along axis {}", text_of(next), text_of(dims), along);
  }
  if (parts.size() == 1) return parts[0];
  const Layout layout = dims.size() == 4 ? lowering.layout_for(parts) : Layout::channels_last;
  std::vector<std::string> inputs;
  for (const ValueId part : parts) inputs.push_back(lowering.in(part, layout));
  return lowering.node("Concat", name, inputs, {lowering.at(parts[0]).type, dims, layout},
                       {{"axis", static_cast<std::int64_t>(axis_in(layout, along))}});
}

Result<ValueId> pack(Lowering& lowering, const std::string& name, const std::vector<ValueId>& parts,
                     std::int64_t axis) {
  std::vector<ValueId> expanded;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string part = parts.size() == 1 ? name : fmt::format("{}/part_{}", name, i);
    ALARA_TRY(const ValueId one, expand(lowering, part, parts[i], axis));
    expanded.push_back(one);
  }
  return concatenate(lowering, name, expanded, axis);
}

Result<std::vector<ValueId>> unpack(Lowering& lowering, const std::string& name, ValueId x, std::int64_t axis) {
  const Dims dims = lowering.at(x).dims;
  ALARA_TRY(const std::size_t along, axis_of(axis, dims.size()));
  if (!dims[along].known()) return fail(ErrorKind::bad_input, "how many parts {} has is not known", text_of(dims));
  const std::vector<std::int64_t> ones(static_cast<std::size_t>(std::min<std::int64_t>(dims[along].size, 4096)), 1);
  ALARA_TRY(const std::vector<ValueId> parts, split(lowering, name, x, axis, ones));
  std::vector<ValueId> out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    ALARA_TRY(const ValueId one, squeeze(lowering, fmt::format("{}/part_{}", name, i), parts[i], {axis}));
    out.push_back(one);
  }
  return out;
}

Result<std::vector<ValueId>> split(Lowering& lowering, const std::string& name, ValueId x, std::int64_t axis,
                                   const std::vector<std::int64_t>& sizes) {
  const Dims dims = lowering.at(x).dims;
  ALARA_TRY(const std::size_t along, axis_of(axis, dims.size()));
  const Layout layout = lowering.layout_of(x);
  std::vector<Made> made;
  std::int64_t sum = 0;
  for (const std::int64_t size : sizes) {
    Dims part = dims;
    part[along] = {size, {}};
    made.push_back({lowering.at(x).type, part, layout});
    if (size < 0 || (sum += size) > kMaxElements) sum = -1;
    if (sum < 0) break;
  }
  if (sizes.empty() || sum < 0 || (dims[along].known() && sum != dims[along].size))
    return fail(ErrorKind::bad_input, "{} can not be split into {} along axis {}", text_of(dims), text_of(sizes),
                along);
  if (sizes.size() == 1) return std::vector<ValueId>{x};
  return lowering.nodes("Split", name, {lowering.in(x, layout), lowering.integers(name + "/sizes", sizes)}, made,
                        {{"axis", static_cast<std::int64_t>(axis_in(layout, along))}});
}

Pad pad_of_pairs(const std::vector<std::int64_t>& numbers) {
  Pad out;
  for (std::size_t i = 0; i + 1 < numbers.size(); i += 2) {
    out.before.push_back(numbers[i]);
    out.after.push_back(numbers[i + 1]);
  }
  return out;
}

Result<ValueId> pad(Lowering& lowering, const std::string& name, ValueId x, const Pad& options) {
  Dims dims = lowering.at(x).dims;
  ALARA_CHECK(check_lengths(dims, {options.before.size(), options.after.size()}));
  const bool symmetric = options.mode == Pad::Mode::symmetric;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const std::int64_t most = std::max(options.before[i], options.after[i]);
    if (std::min(options.before[i], options.after[i]) < 0 || most > kMaxElements)
      return fail(ErrorKind::bad_input, "padding {} and {}", options.before[i], options.after[i]);
    // Of one number, the edge itself is the mirror's only picture: ONNX's "edge" does it.
    if (symmetric && most > 1) return fail(ErrorKind::bad_input, "symmetric padding by more than 1 is not supported");
    if (options.mode == Pad::Mode::reflect && dims[i].known() && most >= std::max<std::int64_t>(dims[i].size, 1))
      return fail(ErrorKind::bad_input, "{} can not be mirrored by {}", text_of(dims), most);
    if (dims[i].known())
      dims[i] = {dims[i].size + options.before[i] + options.after[i], {}};
    else if (most > 0)
      dims[i] = {};
  }
  const Layout layout = lowering.layout_of(x);
  std::vector<std::int64_t> pads = dims.size() == 4 ? ordered(layout, options.before) : options.before;
  const std::vector<std::int64_t> after = dims.size() == 4 ? ordered(layout, options.after) : options.after;
  pads.insert(pads.end(), after.begin(), after.end());
  std::vector<std::string> inputs = {lowering.in(x, layout), lowering.integers(name + "/pads", pads)};
  if (options.fill) {
    if (count(lowering.at(*options.fill).dims) != 1)
      return fail(ErrorKind::bad_input, "padding with {}", text_of(lowering.at(*options.fill).dims));
    ALARA_TRY(const ValueId fill, reshape(lowering, name + "/fill", *options.fill, std::vector<std::int64_t>{}));
    inputs.push_back(lowering.last(fill));
  }
  const char* const mode = symmetric ? "edge" : options.mode == Pad::Mode::reflect ? "reflect" : "constant";
  return lowering.node("Pad", name, inputs, {lowering.at(x).type, dims, layout}, {{"mode", std::string(mode)}});
}

Result<ValueId> gather(Lowering& lowering, const std::string& name, ValueId x, ValueId indices, std::int64_t axis,
                       std::int64_t batch) {
  const Dims dims = lowering.at(x).dims;
  const Dims places = lowering.at(indices).dims;
  ALARA_TRY(const std::size_t along, axis_of(axis, dims.size()));
  if (batch != 0) return fail(ErrorKind::bad_input, "gathering with batch_dims {} is not supported", batch);
  Dims out(dims.begin(), dims.begin() + static_cast<std::ptrdiff_t>(along));
  out.insert(out.end(), places.begin(), places.end());
  out.insert(out.end(), dims.begin() + static_cast<std::ptrdiff_t>(along) + 1, dims.end());
  return lowering.node("Gather", name, {lowering.last(x), lowering.last(indices)}, {lowering.at(x).type, out},
                       {{"axis", static_cast<std::int64_t>(along)}});
}

Result<ValueId> gather_nd(Lowering& lowering, const std::string& name, ValueId x, ValueId indices) {
  const Dims dims = lowering.at(x).dims;
  const Dims places = lowering.at(indices).dims;
  if (places.empty() || !places.back().known() || places.back().size < 1 ||
      places.back().size > static_cast<std::int64_t>(dims.size()))
    return fail(ErrorKind::bad_input, "places of {} in {}", text_of(places), text_of(dims));
  Dims out(places.begin(), places.end() - 1);
  out.insert(out.end(), dims.begin() + static_cast<std::ptrdiff_t>(places.back().size), dims.end());
  return lowering.node("GatherND", name, {lowering.last(x), lowering.indices(indices)}, {lowering.at(x).type, out});
}

Result<ValueId> tile(Lowering& lowering, const std::string& name, ValueId x, const std::vector<std::int64_t>& repeats) {
  Dims dims = lowering.at(x).dims;
  ALARA_CHECK(check_lengths(dims, {repeats.size()}));
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (repeats[i] < 0 || repeats[i] > kMaxElements) return fail(ErrorKind::bad_input, "{} repeats", repeats[i]);
    if (repeats[i] != 1) dims[i] = {dims[i].known() ? dims[i].size * repeats[i] : -1, {}};
  }
  const Layout layout = lowering.layout_of(x);
  const std::vector<std::int64_t> counts = dims.size() == 4 ? ordered(layout, repeats) : repeats;
  return lowering.node("Tile", name, {lowering.in(x, layout), lowering.integers(name + "/repeats", counts)},
                       {lowering.at(x).type, dims, layout});
}

ValueId shape(Lowering& lowering, const std::string& name, ValueId x, DataType type) {
  const Dims dims = lowering.at(x).dims;
  const auto rank = static_cast<std::int64_t>(dims.size());
  if (count(dims)) {
    const std::vector<std::int64_t> sizes = sizes_of(dims);
    if (type == DataType::int64) return lowering.constant(name, Tensor::of(Shape{rank}, sizes));
    return lowering.constant(name, Tensor::of(Shape{rank}, std::vector<std::int32_t>(sizes.begin(), sizes.end())));
  }
  const ValueId sizes = lowering.node("Shape", type == DataType::int64 ? name : name + "/int64", {lowering.last(x)},
                                      {DataType::int64, {{rank, {}}}});
  return cast(lowering, name, sizes, type);
}

}  // namespace alara::graph::nhwc
