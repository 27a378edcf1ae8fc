// SPDX-License-Identifier: Apache-2.0
// Activations.
#include "learn/autograd/operators.hpp"

namespace alara::learn {
namespace {

Values clip(const Call& call) {
  const auto limit = [&](std::size_t i) -> c10::optional<at::Scalar> {
    return call.has(i) ? c10::optional<at::Scalar>(call[i].item()) : c10::nullopt;
  };
  const auto low = limit(1);
  const auto high = limit(2);
  // Both limits are the usual case (ReLU6), and hardtanh's gradient is the faster one.
  if (low && high && call[0].is_floating_point()) return {at::hardtanh(call[0], *low, *high)};
  return {low || high ? at::clamp(call[0], low, high) : call[0]};
}

Values hard_sigmoid(const Call& call) {
  return {at::hardtanh(call[0] * call.number("alpha", 0.2) + call.number("beta", 0.5), 0, 1)};
}

Values prelu(const Call& call) {
  const at::Tensor& x = call[0];
  const at::Tensor& slope = call[1];
  const bool of_channels =
      x.dim() > 1 && slope.dim() == x.dim() - 1 && slope.numel() == x.size(1) && slope.size(0) == x.size(1);
  if (of_channels || slope.numel() == 1) return {at::prelu(x, slope.flatten())};
  return {at::where(x < 0, x * slope, x)};
}

Values thresholded_relu(const Call& call) {
  const at::Tensor& x = call[0];
  return {at::where(x > call.number("alpha", 1), x, at::zeros_like(x))};
}

Values shrink(const Call& call) {
  const at::Tensor& x = call[0];
  const double limit = call.number("lambd", 0.5);
  const double bias = call.number("bias", 0);
  return {at::where(x < -limit, x + bias, at::where(x > limit, x - bias, at::zeros_like(x)))};
}

Values selu(const Call& call) {
  return {at::elu(call[0], call.number("alpha", 1.67326319217681884765625),
                  call.number("gamma", 1.05070102214813232421875))};
}

}  // namespace

std::span<const Operator> activation_operators() {
  static constexpr Operator kTable[] = {
      {"Celu", [](const Call& c) { return Values{at::celu(c[0], c.number("alpha", 1))}; }},
      {"Clip", clip},
      {"Elu", [](const Call& c) { return Values{at::elu(c[0], c.number("alpha", 1))}; }},
      {"Gelu", [](const Call& c) { return Values{at::gelu(c[0], c.node.text("approximate", "none"))}; }},
      {"HardSigmoid", hard_sigmoid},
      {"HardSwish", [](const Call& c) { return Values{at::hardswish(c[0])}; }},
      {"LeakyRelu", [](const Call& c) { return Values{at::leaky_relu(c[0], c.number("alpha", 0.01))}; }},
      {"Mish", [](const Call& c) { return Values{at::mish(c[0])}; }},
      {"PRelu", prelu, inputs(1)},
      {"Relu", [](const Call& c) { return Values{at::relu(c[0])}; }},
      {"Selu", selu},
      {"Shrink", shrink},
      {"Sigmoid", [](const Call& c) { return Values{at::sigmoid(c[0])}; }},
      {"Softplus", [](const Call& c) { return Values{at::softplus(c[0])}; }},
      {"Softsign", [](const Call& c) { return Values{c[0] / (1 + c[0].abs())}; }},
      {"Tanh", [](const Call& c) { return Values{at::tanh(c[0])}; }},
      {"ThresholdedRelu", thresholded_relu},
  };
  return kTable;
}

}  // namespace alara::learn
