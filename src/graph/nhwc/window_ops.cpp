// SPDX-License-Identifier: Apache-2.0
#include "graph/nhwc/window_ops.hpp"

#include <algorithm>
#include <cmath>

namespace alara::graph::nhwc {
namespace {

constexpr std::int64_t kMaxStep = std::int64_t{1}
                                  << 24;  // of strides, dilations, kernels: keeps sums far from overflow

Status check_picture(const Lowering& lowering, ValueId id) {
  if (lowering.at(id).rank() == 4) return {};
  return fail(ErrorKind::bad_input, "'{}' has shape {}, not [batch, height, width, channels]", lowering.at(id).name,
              text_of(lowering.at(id).dims));
}

Status check_steps(const Extent& extent, std::string_view what) {
  if (std::min(extent.height, extent.width) >= 1 && std::max(extent.height, extent.width) <= kMaxStep) return {};
  return fail(ErrorKind::bad_input, "{} {} x {} is not between 1 and {}", what, extent.height, extent.width, kMaxStep);
}

Status check_block(std::int64_t block) {
  if (block >= 1 && block <= 4096) return {};
  return fail(ErrorKind::bad_input, "a block of {0} x {0} is not between 1 and 4096", block);
}

// Along one axis: what is padded on both sides, and how many places the window has. Padding as TensorFlow computes
// SAME: out = ceil(in / stride), the odd pixel at the end.
struct Span {
  std::int64_t before = 0;
  std::int64_t after = 0;
  Dim places = {};
};
Result<Span> slide(const Dim& in, std::int64_t kernel, std::int64_t stride, std::int64_t dilation, const Window& window,
                   std::size_t axis) {
  const std::int64_t reach = (kernel - 1) * dilation + 1;
  Span out;
  if (window.padding == Padding::given) {
    out.before = window.pads[axis];
    out.after = window.pads[axis + 2];
    if (out.before < 0 || out.after < 0 || std::max(out.before, out.after) > kMaxStep)
      return fail(ErrorKind::bad_input, "padding {} and {} is not between 0 and {}", out.before, out.after, kMaxStep);
  }
  if (!in.known()) return out;
  if (window.padding == Padding::same) {
    const std::int64_t places = (in.size + stride - 1) / stride;
    const std::int64_t total = std::max<std::int64_t>((places - 1) * stride + reach - in.size, 0);
    return Span{total / 2, total - total / 2, {places, {}}};
  }
  const std::int64_t room = in.size + out.before + out.after - reach;
  if (room < 0)
    return fail(ErrorKind::bad_input, "a window of {} does not fit into {}", reach, in.size + out.before + out.after);
  out.places = {room / stride + 1, {}};
  return out;
}

// Writes strides, dilations and padding, and gives [batch, height, width, channels] of the result.
Result<Dims> place_window(const Dims& x, const Extent& kernel, const Window& window, const Dim& channels,
                          Attributes& attributes) {
  ALARA_CHECK(check_steps(kernel, "window"));
  ALARA_CHECK(check_steps(window.stride, "stride"));
  ALARA_CHECK(check_steps(window.dilation, "dilation"));
  ALARA_TRY(const Span rows, slide(x[1], kernel.height, window.stride.height, window.dilation.height, window, 0));
  ALARA_TRY(const Span columns, slide(x[2], kernel.width, window.stride.width, window.dilation.width, window, 1));
  attributes["kernel_shape"] = std::vector<std::int64_t>{kernel.height, kernel.width};
  attributes["strides"] = std::vector<std::int64_t>{window.stride.height, window.stride.width};
  if (window.dilation.height != 1 || window.dilation.width != 1)
    attributes["dilations"] = std::vector<std::int64_t>{window.dilation.height, window.dilation.width};
  if (window.padding == Padding::same && (!x[1].known() || !x[2].known()))
    attributes["auto_pad"] = std::string("SAME_UPPER");
  else
    attributes["pads"] = std::vector<std::int64_t>{rows.before, columns.before, rows.after, columns.after};
  return Dims{x[0], rows.places, columns.places, channels};
}

Result<Shape> filter_shape(const Lowering& lowering, const Filter& filter) {
  const Value& weights = lowering.at(filter.value);
  const std::optional<Shape> shape = shape_of(weights.dims);
  if (!shape || shape->size() != 4 || std::count(shape->begin(), shape->end(), 0) > 0)
    return fail(ErrorKind::bad_input, "'{}' has shape {}, which is none of weights", weights.name,
                text_of(weights.dims));
  Shape out;
  for (const std::int64_t axis : filter.order) out.push_back((*shape)[static_cast<std::size_t>(axis)]);
  return out;
}

Status add_bias(Lowering& lowering, std::optional<ValueId> bias, std::int64_t channels,
                std::vector<std::string>& inputs) {
  if (!bias) return {};
  const Value& numbers = lowering.at(*bias);
  if (numbers.rank() != 1 || numbers.dims[0].size != channels)
    return fail(ErrorKind::bad_input, "bias '{}' has shape {} for {} channels", numbers.name, text_of(numbers.dims),
                channels);
  inputs.push_back(lowering.last(*bias));
  return {};
}

}  // namespace

Result<ValueId> convolution(Lowering& lowering, const std::string& name, ValueId x, const Filter& filter,
                            std::optional<ValueId> bias, const Window& window) {
  ALARA_CHECK(check_picture(lowering, x));
  ALARA_TRY(const Shape weights, filter_shape(lowering, filter));
  const Dims dims = lowering.at(x).dims;
  if (!dims[3].known() || dims[3].size % weights[1] != 0 ||
      weights[0] % std::max<std::int64_t>(dims[3].size / weights[1], 1) != 0)
    return fail(ErrorKind::bad_input, "{} channels do not fit weights of {} for {} outputs", text_of(dims), weights[1],
                weights[0]);
  Attributes attributes;
  ALARA_TRY(Dims out, place_window(dims, {weights[2], weights[3]}, window, {weights[0], {}}, attributes));
  attributes["group"] = dims[3].size / weights[1];
  std::vector<std::string> inputs = {lowering.first(x),
                                     lowering.arranged(filter.value, {filter.order.begin(), filter.order.end()})};
  ALARA_CHECK(add_bias(lowering, bias, weights[0], inputs));
  return lowering.node("Conv", name, inputs, {lowering.at(x).type, out, Layout::channels_first}, attributes);
}

Result<ValueId> transposed_convolution(Lowering& lowering, const std::string& name, ValueId x, const Filter& filter,
                                       std::optional<ValueId> bias, const Window& window, const Extent& output) {
  ALARA_CHECK(check_picture(lowering, x));
  ALARA_CHECK(check_steps(window.stride, "stride"));
  ALARA_CHECK(check_steps(output, "size"));
  ALARA_TRY(const Shape weights, filter_shape(lowering, filter));
  const Dims dims = lowering.at(x).dims;
  if (dims[3].size != weights[0] || !dims[1].known() || !dims[2].known())
    return fail(ErrorKind::bad_input, "{} does not fit weights for {} channels", text_of(dims), weights[0]);
  // The convolution whose gradient this is goes from `output` to x, with padding `total` along each axis.
  std::vector<std::int64_t> begins, ends, more;
  for (const auto& [in, kernel, stride, size] :
       {std::tuple(dims[1].size, weights[2], window.stride.height, output.height),
        std::tuple(dims[2].size, weights[3], window.stride.width, output.width)}) {
    const std::int64_t total = (in - 1) * stride + kernel - size;
    const std::int64_t padded = std::max<std::int64_t>(total, 0);
    begins.push_back(padded / 2);
    ends.push_back(padded - padded / 2);
    more.push_back(padded - total);
    if (more.back() >= stride || padded >= kernel)
      return fail(ErrorKind::bad_input, "a size of {} does not come from {} with stride {} and a window of {}", size,
                  in, stride, kernel);
  }
  Attributes attributes = {{"kernel_shape", std::vector<std::int64_t>{weights[2], weights[3]}},
                           {"strides", std::vector<std::int64_t>{window.stride.height, window.stride.width}},
                           {"pads", std::vector<std::int64_t>{begins[0], begins[1], ends[0], ends[1]}},
                           {"output_padding", more}};
  std::vector<std::string> inputs = {lowering.first(x),
                                     lowering.arranged(filter.value, {filter.order.begin(), filter.order.end()})};
  ALARA_CHECK(add_bias(lowering, bias, weights[1], inputs));
  const Dims out = {dims[0], {output.height, {}}, {output.width, {}}, {weights[1], {}}};
  return lowering.node("ConvTranspose", name, inputs, {lowering.at(x).type, out, Layout::channels_first}, attributes);
}

Result<ValueId> pool(Lowering& lowering, const std::string& name, ValueId x, Pool kind, const Extent& size,
                     const Window& window) {
  ALARA_CHECK(check_picture(lowering, x));
  const Dims dims = lowering.at(x).dims;
  Attributes attributes;
  ALARA_TRY(Dims out, place_window(dims, size, window, dims[3], attributes));
  const Made made{lowering.at(x).type, std::move(out), Layout::channels_first};
  const bool whole = dims[1].size == size.height && dims[2].size == size.width && made.dims[1].size == 1 &&
                     made.dims[2].size == 1 && window.padding != Padding::given;
  if (kind == Pool::average && whole) return lowering.node("GlobalAveragePool", name, {lowering.first(x)}, made);
  return lowering.node(kind == Pool::max ? "MaxPool" : "AveragePool", name, {lowering.first(x)}, made, attributes);
}

Result<ValueId> resize(Lowering& lowering, const std::string& name, ValueId x, const Resize& options) {
  ALARA_CHECK(check_picture(lowering, x));
  ALARA_CHECK(check_steps(options.size, "size"));
  const Dims dims = lowering.at(x).dims;
  if (!dims[1].known() || !dims[2].known() || dims[1].size < 1 || dims[2].size < 1)
    return fail(ErrorKind::bad_input, "a picture of {} can not be resized", text_of(dims));
  // Factors, not sizes: they leave the batch open. Slightly greater where rounding would lose a pixel.
  std::vector<float> factors = {1, 1};
  for (const auto& [from, to] :
       {std::pair(dims[1].size, options.size.height), std::pair(dims[2].size, options.size.width)}) {
    float factor = static_cast<float>(to) / static_cast<float>(from);
    while (std::floor(factor * static_cast<float>(from)) < static_cast<float>(to))
      factor = std::nextafter(factor, 2e30F);
    factors.push_back(factor);
  }
  const bool nearest = options.mode == Resize::Mode::nearest;
  Attributes attributes = {{"mode", std::string(nearest ? "nearest" : "linear")}};
  switch (options.grid) {
    case Resize::Grid::corner:
      attributes["coordinate_transformation_mode"] = std::string("asymmetric");
      break;
    case Resize::Grid::half_pixel:
      attributes["coordinate_transformation_mode"] = std::string("half_pixel");
      break;
    case Resize::Grid::align_corners:
      attributes["coordinate_transformation_mode"] = std::string("align_corners");
      break;
  }
  if (nearest)
    attributes["nearest_mode"] = std::string(options.grid == Resize::Grid::corner ? "floor" : "round_prefer_ceil");
  ValueId scales = lowering.constant(name + "/scales", Tensor::of(Shape{4}, factors));
  const Dims out = {dims[0], {options.size.height, {}}, {options.size.width, {}}, dims[3]};
  return lowering.node("Resize", name, {lowering.first(x), "", lowering.last(scales)},
                       {lowering.at(x).type, out, Layout::channels_first}, attributes);
}

Result<ValueId> depth_to_space(Lowering& lowering, const std::string& name, ValueId x, std::int64_t block) {
  ALARA_CHECK(check_picture(lowering, x));
  ALARA_CHECK(check_block(block));
  Dims dims = lowering.at(x).dims;
  if (!dims[3].known() || dims[3].size % (block * block) != 0)
    return fail(ErrorKind::bad_input, "the channels of {} are no multiple of {} x {}", text_of(dims), block, block);
  dims[3].size /= block * block;
  for (const std::size_t axis : {1, 2}) dims[axis] = {dims[axis].known() ? dims[axis].size * block : -1, {}};
  return lowering.node("DepthToSpace", name, {lowering.first(x)}, {lowering.at(x).type, dims, Layout::channels_first},
                       {{"blocksize", block}, {"mode", std::string("DCR")}});
}

Result<ValueId> space_to_depth(Lowering& lowering, const std::string& name, ValueId x, std::int64_t block) {
  ALARA_CHECK(check_picture(lowering, x));
  ALARA_CHECK(check_block(block));
  Dims dims = lowering.at(x).dims;
  for (const std::size_t axis : {1, 2}) {
    if (dims[axis].known() && dims[axis].size % block != 0)
      return fail(ErrorKind::bad_input, "the sides of {} are no multiple of {}", text_of(dims), block);
    dims[axis] = {dims[axis].known() ? dims[axis].size / block : -1, {}};
  }
  if (dims[3].known()) dims[3].size *= block * block;
  return lowering.node("SpaceToDepth", name, {lowering.first(x)}, {lowering.at(x).type, dims, Layout::channels_first},
                       {{"blocksize", block}});
}

Result<ValueId> batch_norm(Lowering& lowering, const std::string& name, ValueId x, const BatchNorm& options) {
  ALARA_CHECK(check_picture(lowering, x));
  std::vector<std::string> inputs = {lowering.first(x)};
  for (const ValueId each : {options.scale, options.offset, options.mean, options.variance})
    ALARA_CHECK(add_bias(lowering, each, lowering.at(x).dims[3].size, inputs));
  return lowering.node("BatchNormalization", name, inputs,
                       {lowering.at(x).type, lowering.at(x).dims, Layout::channels_first},
                       {{"epsilon", options.epsilon}});
}

}  // namespace alara::graph::nhwc
