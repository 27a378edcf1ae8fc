// SPDX-License-Identifier: Apache-2.0
// Private to learn/architecture: how a kernel slides over the spatial dimensions of a sample.
#pragma once

#include "learn/architecture/layers.hpp"

namespace alara::learn {

struct WindowPlan {
  std::vector<std::int64_t> kernel, stride, dilation;  // of each spatial dimension
  std::vector<std::int64_t> pads;                      // ONNX: begins, then ends
  std::vector<std::int64_t> out;                       // sizes of the output
};

// `in` is [channels, …] with one or two spatial dimensions.
[[nodiscard]] Result<WindowPlan> plan_window(std::string_view what, const graph::Shape& in, const Sizes& kernel,
                                             const Sizes& stride, const Sizes& dilation, Padding padding,
                                             bool round_up);

}  // namespace alara::learn
