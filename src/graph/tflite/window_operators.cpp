// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "graph/nhwc/window_ops.hpp"
#include "graph/tflite/fused.hpp"
#include "graph/tflite/operators.hpp"

namespace alara::graph::tflite {
namespace {

using nhwc::ValueId;

nhwc::Padding padding_of(schema::Padding padding) {
  return padding == schema::Padding::SAME ? nhwc::Padding::same : nhwc::Padding::valid;
}

template <typename Options>
nhwc::Window window_of(const Options& options) {
  return {.stride = {options.stride_h(), options.stride_w()},
          .dilation = {options.dilation_h(), options.dilation_w()},
          .padding = padding_of(options.padding())};
}

Outputs convolution(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::Conv2DOptions>());
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const ValueId weights, step.input(1));
  return with_activation(step, options->activation(), [&](const std::string& name) {
    return nhwc::convolution(step.lowering, name, x, {weights, nhwc::kOhwiToOihw}, step.optional_input(2),
                             window_of(*options));
  });
}

Outputs depthwise_convolution(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::DepthwiseConv2DOptions>());
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const ValueId weights, step.input(1));  // [1, height, width, channels * multiplier]
  return with_activation(step, options->activation(), [&](const std::string& name) {
    return nhwc::convolution(step.lowering, name, x, {weights, nhwc::kOhwiToIohw}, step.optional_input(2),
                             window_of(*options));
  });
}

Result<nhwc::Extent> picture_size(const Step& step, std::size_t input) {
  ALARA_TRY(const std::vector<std::int64_t> shape, step.integers(input));
  if (shape.size() == 4) return nhwc::Extent{shape[1], shape[2]};
  if (shape.size() == 2) return nhwc::Extent{shape[0], shape[1]};
  return fail(ErrorKind::bad_input, "{} is no size of a picture", text_of(shape));
}

Outputs transposed_convolution(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::TransposeConvOptions>());
  ALARA_TRY(const nhwc::Extent size, picture_size(step, 0));
  ALARA_TRY(const ValueId weights, step.input(1));
  ALARA_TRY(const ValueId x, step.input(2));
  const nhwc::Window window{.stride = {options->stride_h(), options->stride_w()}};
  return with_activation(step, options->activation(), [&](const std::string& name) {
    return nhwc::transposed_convolution(step.lowering, name, x, {weights, nhwc::kOhwiToIohw}, step.optional_input(3),
                                        window, size);
  });
}

template <nhwc::Pool kKind>
Outputs pool(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::Pool2DOptions>());
  ALARA_TRY(const ValueId x, step.input(0));
  const nhwc::Window window{.stride = {options->stride_h(), options->stride_w()},
                            .padding = padding_of(options->padding())};
  return with_activation(step, options->activation(), [&](const std::string& name) {
    return nhwc::pool(step.lowering, name, x, kKind, {options->filter_height(), options->filter_width()}, window);
  });
}

template <typename Options>
Outputs resize(Step& step, nhwc::Resize::Mode mode) {
  ALARA_TRY(const auto* options, step.options<Options>());
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const nhwc::Extent size, picture_size(step, 1));
  const auto grid = options->align_corners()        ? nhwc::Resize::Grid::align_corners
                    : options->half_pixel_centers() ? nhwc::Resize::Grid::half_pixel
                                                    : nhwc::Resize::Grid::corner;
  return single(nhwc::resize(step.lowering, step.name(), x, {mode, grid, size}));
}

Outputs resize_bilinear(Step& step) {
  return resize<schema::ResizeBilinearOptions>(step, nhwc::Resize::Mode::bilinear);
}

Outputs resize_nearest(Step& step) {
  return resize<schema::ResizeNearestNeighborOptions>(step, nhwc::Resize::Mode::nearest);
}

Outputs depth_to_space(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::DepthToSpaceOptions>());
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::depth_to_space(step.lowering, step.name(), x, options->block_size()));
}

Outputs space_to_depth(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::SpaceToDepthOptions>());
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::space_to_depth(step.lowering, step.name(), x, options->block_size()));
}

}  // namespace

// Its options are three int32: padding (1 same, 2 valid), stride along the width, stride along the height.
Outputs import_transposed_convolution_with_bias(Step& step) {
  std::array<std::int32_t, 3> options{};
  const auto* bytes = step.op.custom_options();
  if (bytes == nullptr || bytes->size() < sizeof options) return fail(ErrorKind::corrupt, "its options are not there");
  std::memcpy(options.data(), bytes->data(), sizeof options);
  ALARA_TRY(const ValueId x, step.input(0));
  ALARA_TRY(const ValueId weights, step.input(1));
  const Dims in = step.lowering.at(x).dims;
  const Dims kernel = step.lowering.at(weights).dims;
  const nhwc::Window window{.stride = {options[2], options[1]}};
  if (options[0] < 1 || options[0] > 2 || in.size() != 4 || kernel.size() != 4)
    return fail(ErrorKind::bad_input, "padding {} of {}", options[0], text_of(in));
  const auto size = [&](std::size_t axis, std::int64_t stride) {
    return options[0] == 1 ? in[axis].size * stride : (in[axis].size - 1) * stride + kernel[axis].size;
  };
  return single(nhwc::transposed_convolution(step.lowering, step.name(), x, {weights, nhwc::kOhwiToIohw},
                                             step.optional_input(2), window,
                                             {size(1, window.stride.height), size(2, window.stride.width)}));
}

std::span<const Entry> window_operators() {
  using enum schema::BuiltinOperator;
  static constexpr Entry kEntries[] = {
      {CONV_2D, convolution},
      {DEPTHWISE_CONV_2D, depthwise_convolution},
      {TRANSPOSE_CONV, transposed_convolution},
      {AVERAGE_POOL_2D, pool<nhwc::Pool::average>},
      {MAX_POOL_2D, pool<nhwc::Pool::max>},
      {RESIZE_BILINEAR, resize_bilinear},
      {RESIZE_NEAREST_NEIGHBOR, resize_nearest},
      {DEPTH_TO_SPACE, depth_to_space},
      {SPACE_TO_DEPTH, space_to_depth},
  };
  return kEntries;
}

}  // namespace alara::graph::tflite
