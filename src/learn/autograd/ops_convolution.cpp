// SPDX-License-Identifier: Apache-2.0
// Convolutions and matrix products.
#include <algorithm>

#include "learn/autograd/operators.hpp"
#include "learn/autograd/window.hpp"

namespace alara::learn {
namespace {

// Channels last is what libtorch's convolutions are fastest with, depthwise ones by far; what follows keeps the order.
at::Tensor channels_last(const at::Tensor& x) {
  return x.dim() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast) : x;
}

Values conv(const Call& call) {
  const at::Tensor x = channels_last(call[0]);
  const at::Tensor& weight = call[1];
  const Window window = window_of(call, weight.sizes().slice(2));
  const std::int64_t groups = call.integer("group", 1);
  const Integers zeros(window.rank(), 0);
  if (window.symmetric())
    return {channels_last(at::convolution(x, weight, call.maybe(2), window.strides, window.begins, window.dilations,
                                          false, zeros, groups))};
  return {at::convolution(at::constant_pad_nd(x, window.torch_pads()), weight, call.maybe(2), window.strides, zeros,
                          window.dilations, false, zeros, groups)};
}

// Pads, or more output padding, so that the output has the size that auto_pad or output_shape asks for:
// size = stride (in - 1) + output_padding + reach - pads.
void fit_output(const Call& call, Window& window, Integers& output_padding) {
  const Integers shape = call.node.integers("output_shape");
  const std::string auto_pad = call.node.text("auto_pad", "NOTSET");
  if (shape.empty() && auto_pad != "SAME_UPPER" && auto_pad != "SAME_LOWER") return;
  for (std::size_t i = 0; i < window.rank(); ++i) {
    const std::int64_t in = call[0].size(static_cast<std::int64_t>(i) + 2);
    const std::int64_t wanted = shape.empty() ? in * window.strides[i] : shape.at(i + shape.size() - window.rank());
    const std::int64_t natural = window.strides[i] * (in - 1) + output_padding.at(i) + window.reach(i);
    output_padding[i] += std::max<std::int64_t>(0, wanted - natural);
    const std::int64_t total = std::max<std::int64_t>(0, natural - wanted);
    window.begins[i] = auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
    window.ends[i] = total - window.begins[i];
  }
}

Values conv_transpose(const Call& call) {
  const at::Tensor& x = call[0];
  const at::Tensor& weight = call[1];
  const std::int64_t groups = call.integer("group", 1);
  Window window = bare_window_of(call, weight.sizes().slice(2));
  Integers output_padding = call.node.integers("output_padding", Integers(window.rank(), 0));
  fit_output(call, window, output_padding);
  const Integers zeros(window.rank(), 0);
  const bool plain = window.symmetric();
  const at::Tensor y = at::convolution(x, weight, call.maybe(2), window.strides, plain ? window.begins : zeros,
                                       window.dilations, true, output_padding, groups);
  if (plain) return {y};
  Integers crop = window.torch_pads();
  for (std::int64_t& pad : crop) pad = -pad;
  return {at::constant_pad_nd(y, crop)};
}

Values gemm(const Call& call) {
  const at::Tensor a = call.integer("transA", 0) != 0 ? call[0].t() : call[0];
  const at::Tensor b = call.integer("transB", 0) != 0 ? call[1].t() : call[1];
  const double alpha = call.number("alpha", 1);
  const double beta = call.number("beta", 1);
  if (call.has(2)) return {at::addmm(call[2], a, b, beta, alpha)};
  const at::Tensor y = at::mm(a, b);
  return {alpha == 1 ? y : y * alpha};
}

Values matmul(const Call& call) { return {at::matmul(call[0], call[1])}; }

Values einsum(const Call& call) {
  return {at::einsum(call.node.text("equation", ""), at::TensorList(call.inputs.data(), call.inputs.size()))};
}

}  // namespace

std::span<const Operator> convolution_operators() {
  static constexpr Operator kTable[] = {
      {"Conv", conv, inputs(1, 2)},           {"ConvTranspose", conv_transpose, inputs(1, 2)},
      {"Einsum", einsum, inputs(0, 1, 2, 3)}, {"Gemm", gemm, inputs(0, 1, 2)},
      {"MatMul", matmul, inputs(0, 1)},
  };
  return kTable;
}

}  // namespace alara::learn
