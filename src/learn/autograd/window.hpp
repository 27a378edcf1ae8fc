// SPDX-License-Identifier: Apache-2.0
// Private to learn/autograd: the sliding window of convolutions and pools, from a node's attributes.
#pragma once

#include <ATen/ATen.h>

#include "learn/autograd/call.hpp"

namespace alara::learn {

struct Window {
  Integers kernel, strides, dilations;  // one entry for each spatial dimension
  Integers begins, ends;                // pads

  [[nodiscard]] std::size_t rank() const { return kernel.size(); }
  [[nodiscard]] std::int64_t reach(std::size_t i) const { return (kernel[i] - 1) * dilations[i] + 1; }
  [[nodiscard]] bool symmetric() const { return begins == ends; }
  // In libtorch's order: last dimension first, begin before end.
  [[nodiscard]] Integers torch_pads() const;
};

// Without auto_pad: pads are those of the attribute.
[[nodiscard]] Window bare_window_of(const Call& call, at::IntArrayRef kernel);
// With the pads that auto_pad gives for the node's first input.
[[nodiscard]] Window window_of(const Call& call, at::IntArrayRef kernel);
// Places that the window takes along spatial dimension i of size `in`. With ceil_mode the last may reach out of the
// padded input but must start in the input or before it (as ONNX Runtime and libtorch have it).
[[nodiscard]] std::int64_t places(const Window& window, std::size_t i, std::int64_t in, bool ceil_mode);

}  // namespace alara::learn
