// SPDX-License-Identifier: Apache-2.0
// Operators that slide over pictures: convolutions, pools, and those that change a picture's size. All take values of
// four axes [batch, height, width, channels] and give such ones.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "graph/nhwc/lowering.hpp"

namespace alara::graph::nhwc {

struct Extent {
  std::int64_t height = 1;
  std::int64_t width = 1;
};

enum class Padding : std::uint8_t { same, valid, given };

struct Window {
  Extent stride = {};
  Extent dilation = {};
  Padding padding = Padding::valid;
  std::array<std::int64_t, 4> pads = {};  // where given: top, left, bottom, right
};

// Weights, with the order of their axes that gives ONNX's.
struct Filter {
  ValueId value = {};
  std::array<std::int64_t, 4> order = {};
};
inline constexpr std::array<std::int64_t, 4> kOhwiToOihw = {0, 3, 1, 2};
inline constexpr std::array<std::int64_t, 4> kHwioToOihw = {3, 2, 0, 1};
inline constexpr std::array<std::int64_t, 4> kOhwiToIohw = {3, 0, 1, 2};

// Groups follow from the channels of `x` and of the filter: as many = one group, one = depthwise.
[[nodiscard]] Result<ValueId> convolution(Lowering& lowering, const std::string& name, ValueId x, const Filter& filter,
                                          std::optional<ValueId> bias, const Window& window);
// The gradient of a convolution: `output` is the size to give; `filter` gives ONNX's [in, out, height, width].
[[nodiscard]] Result<ValueId> transposed_convolution(Lowering& lowering, const std::string& name, ValueId x,
                                                     const Filter& filter, std::optional<ValueId> bias,
                                                     const Window& window, const Extent& output);

enum class Pool : std::uint8_t { max, average };
// What lies outside of the picture does not count.
[[nodiscard]] Result<ValueId> pool(Lowering& lowering, const std::string& name, ValueId x, Pool kind,
                                   const Extent& size, const Window& window);

struct Resize {
  enum class Mode : std::uint8_t { bilinear, nearest } mode = Mode::bilinear;
  enum class Grid : std::uint8_t { corner, half_pixel, align_corners } grid = Grid::corner;
  Extent size = {};
};
[[nodiscard]] Result<ValueId> resize(Lowering& lowering, const std::string& name, ValueId x, const Resize& options);

[[nodiscard]] Result<ValueId> depth_to_space(Lowering& lowering, const std::string& name, ValueId x,
                                             std::int64_t block);
[[nodiscard]] Result<ValueId> space_to_depth(Lowering& lowering, const std::string& name, ValueId x,
                                             std::int64_t block);

// Inference with fixed statistics, each of one number a channel.
struct BatchNorm {
  ValueId scale = {};
  ValueId offset = {};
  ValueId mean = {};
  ValueId variance = {};
  float epsilon = 1e-3F;
};
[[nodiscard]] Result<ValueId> batch_norm(Lowering& lowering, const std::string& name, ValueId x,
                                         const BatchNorm& options);

}  // namespace alara::graph::nhwc
