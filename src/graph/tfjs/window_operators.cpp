// SPDX-License-Identifier: Apache-2.0
#include "graph/nhwc/window_ops.hpp"

#include "graph/tfjs/operators.hpp"

namespace alara::graph::tfjs {
namespace {

using nhwc::ValueId;

// Pairs of attributes are lists [batch, height, width, channels].
Result<nhwc::Extent> extent_of(const NodeDef& node, const char* attribute) {
  const std::vector<std::int64_t> list = node.integers(attribute);
  if (list.empty()) return nhwc::Extent{};
  if (list.size() == 4 && list[0] == 1 && list[3] == 1) return nhwc::Extent{list[1], list[2]};
  return fail(ErrorKind::bad_input, "{} {} along batch or channels is not supported", attribute, text_of(list));
}

Result<nhwc::Window> window_of(const NodeDef& node) {
  if (const std::string format = node.text("data_format"); !format.empty() && format != "NHWC")
    return fail(ErrorKind::bad_input, "data format {} is not supported", format);
  nhwc::Window out;
  ALARA_TRY(out.stride, extent_of(node, "strides"));
  ALARA_TRY(out.dilation, extent_of(node, "dilations"));
  const std::string padding = node.text("padding");
  if (padding == "SAME") {
    out.padding = nhwc::Padding::same;
  } else if (padding == "EXPLICIT") {
    const std::vector<std::int64_t> pads = node.integers("explicit_paddings");
    if (pads.size() != 8) return fail(ErrorKind::bad_input, "paddings {}", text_of(pads));
    out.padding = nhwc::Padding::given;
    out.pads = {pads[2], pads[4], pads[3], pads[5]};
  } else if (padding != "VALID") {
    return fail(ErrorKind::bad_input, "padding '{}' is not known", padding.substr(0, 20));
  }
  return out;
}

// [height, width, channels, multiplier] as one group for each channel.
Result<nhwc::Filter> depthwise_filter(Step& step) {
  ALARA_TRY(const ValueId id, step.input(1));
  const Constant numbers = step.lowering.at(id).constant;
  if (!numbers || numbers->rank() != 4) return fail(ErrorKind::bad_input, "its weights are no constant of four axes");
  Tensor grouped = *numbers;
  grouped.shape = {grouped.shape[0], grouped.shape[1], 1, grouped.shape[2] * grouped.shape[3]};
  return nhwc::Filter{step.lowering.constant(step.lowering.at(id).name, std::move(grouped)), nhwc::kHwioToOihw};
}

Outputs fused_convolution(Step& step, const nhwc::Filter& filter) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const nhwc::Window window, window_of(step.node));
  std::vector<std::string> fused = step.node.texts("fused_ops");
  std::optional<ValueId> bias;
  std::size_t next = 2;
  if (!fused.empty() && fused[0] == "BiasAdd") {
    ALARA_TRY(bias, step.input(next++));
    fused.erase(fused.begin());
  }
  const std::string name = fused.empty() ? step.name() : step.name() + "/linear";
  ALARA_TRY(const ValueId made, nhwc::convolution(step.lowering, name, x, filter, bias, window));
  return with_fused(step, made, fused, next);
}

Outputs convolution(Step& step) {
  ALARA_TRY(const ValueId weights, step.input(1));
  return fused_convolution(step, {weights, nhwc::kHwioToOihw});
}

Outputs depthwise_convolution(Step& step) {
  ALARA_TRY(const nhwc::Filter filter, depthwise_filter(step));
  return fused_convolution(step, filter);
}

Result<nhwc::Extent> picture_size(const Step& step, std::size_t input) {
  ALARA_TRY(const std::vector<std::int64_t> shape, step.integers(input));
  if (shape.size() == 4) return nhwc::Extent{shape[1], shape[2]};
  if (shape.size() == 2) return nhwc::Extent{shape[0], shape[1]};
  return fail(ErrorKind::bad_input, "{} is no size of a picture", text_of(shape));
}

Outputs transposed_convolution(Step& step) {
  ALARA_TRY(const nhwc::Extent size, picture_size(step, 0));
  ALARA_TRY(const ValueId weights, step.input(1));  // [height, width, out, in]
  ALARA_TRY(const ValueId x, step.input(2));
  ALARA_TRY(const nhwc::Window window, window_of(step.node));
  return single(nhwc::transposed_convolution(step.lowering, step.name(), x, {weights, nhwc::kHwioToOihw}, std::nullopt,
                                             window, size));
}

template <nhwc::Pool kKind>
Outputs pool(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const nhwc::Window window, window_of(step.node));
  ALARA_TRY(const nhwc::Extent size, extent_of(step.node, "ksize"));
  return single(nhwc::pool(step.lowering, step.name(), x, kKind, size, window));
}

template <nhwc::Resize::Mode kMode>
Outputs resize(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const nhwc::Extent size, picture_size(step, 1));
  const auto grid = step.node.flag("align_corners")        ? nhwc::Resize::Grid::align_corners
                    : step.node.flag("half_pixel_centers") ? nhwc::Resize::Grid::half_pixel
                                                           : nhwc::Resize::Grid::corner;
  return single(nhwc::resize(step.lowering, step.name(), x, {kMode, grid, size}));
}

Outputs depth_to_space(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::depth_to_space(step.lowering, step.name(), x, step.node.integer("block_size")));
}

Outputs space_to_depth(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::space_to_depth(step.lowering, step.name(), x, step.node.integer("block_size")));
}

Outputs batch_norm(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  nhwc::BatchNorm options{.epsilon = step.node.number("epsilon", 1e-4F)};
  ALARA_TRY(options.scale, step.input(1));
  ALARA_TRY(options.offset, step.input(2));
  ALARA_TRY(options.mean, step.input(3));
  ALARA_TRY(options.variance, step.input(4));
  return single(nhwc::batch_norm(step.lowering, step.name(), x, options));
}

}  // namespace

std::span<const Entry> window_operators() {
  static constexpr Entry kEntries[] = {
      {"Conv2D", convolution},
      {"_FusedConv2D", convolution},
      {"DepthwiseConv2dNative", depthwise_convolution},
      {"FusedDepthwiseConv2dNative", depthwise_convolution},
      {"Conv2DBackpropInput", transposed_convolution},
      {"MaxPool", pool<nhwc::Pool::max>},
      {"AvgPool", pool<nhwc::Pool::average>},
      {"ResizeBilinear", resize<nhwc::Resize::Mode::bilinear>},
      {"ResizeNearestNeighbor", resize<nhwc::Resize::Mode::nearest>},
      {"DepthToSpace", depth_to_space},
      {"SpaceToDepth", space_to_depth},
      {"FusedBatchNorm", batch_norm},
      {"FusedBatchNormV3", batch_norm},
  };
  return kEntries;
}

}  // namespace alara::graph::tfjs
