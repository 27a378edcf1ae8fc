// SPDX-License-Identifier: Apache-2.0
// Normalisations, Softmax and Dropout.
#include "learn/autograd/operators.hpp"

namespace alara::learn {
namespace {

at::Tensor over_channels(const at::Tensor& statistic, const at::Tensor& x) {
  Integers shape(static_cast<std::size_t>(x.dim()), 1);
  if (x.dim() > 1) shape[1] = -1;
  return statistic.view(shape);
}

// A graph that was itself exported for training: statistics are outputs.
Values batch_norm_with_outputs(const Call& call, double epsilon, double momentum) {
  const at::Tensor& x = call[0];
  Integers others;
  for (std::int64_t i = 0; i < x.dim(); ++i)
    if (i != 1) others.push_back(i);
  const at::Tensor mean = at::mean(x, others);
  const at::Tensor variance = at::var(x, others, /*unbiased=*/false);
  const at::Tensor y = (x - over_channels(mean, x)) * over_channels(call[1] * at::rsqrt(variance + epsilon), x) +
                       over_channels(call[2], x);
  return {y, call[3] * momentum + mean * (1 - momentum), call[4] * momentum + variance * (1 - momentum)};
}

Values batch_normalization(const Call& call) {
  const double epsilon = call.number("epsilon", 1e-5);
  const double momentum = call.number("momentum", 0.9);
  if (call.node.outputs.size() > 1 && call.integer("training_mode", 0) != 0)
    return batch_norm_with_outputs(call, epsilon, momentum);
  return {at::batch_norm(call[0], call[1], call[2], call[3], call[4], call.mode == Mode::train, 1 - momentum, epsilon,
                         /*cudnn_enabled=*/false)};
}

Values layer_normalization(const Call& call) {
  const at::Tensor& x = call[0];
  const std::int64_t axis = axis_in(call.integer("axis", -1), x.dim());
  const at::IntArrayRef shape = x.sizes().slice(static_cast<std::size_t>(axis));
  const at::Tensor scale = call[1].expand(shape).contiguous();
  const auto bias = call.has(2) ? c10::optional<at::Tensor>(call[2].expand(shape).contiguous()) : c10::nullopt;
  auto [y, mean, deviation] = at::native_layer_norm(x, shape, scale, bias, call.number("epsilon", 1e-5));
  return {y, mean, deviation};
}

Values instance_normalization(const Call& call) {
  return {at::instance_norm(call[0], call[1], call[2], {}, {}, /*use_input_stats=*/true, 0,
                            call.number("epsilon", 1e-5),
                            /*cudnn_enabled=*/false)};
}

// Scale and shift are one for each group up to operator set 20, one for each channel from 21 on.
Values group_normalization(const Call& call) {
  const at::Tensor& x = call[0];
  const std::int64_t groups = call.integer("num_groups", 1);
  TORCH_CHECK(groups > 0, groups, " groups");
  const auto per_channel = [&](const at::Tensor& t) {
    return t.numel() == x.size(1) ? t : t.repeat_interleave(x.size(1) / groups);
  };
  return {at::group_norm(x, groups, per_channel(call[1]), per_channel(call[2]), call.number("epsilon", 1e-5),
                         /*cudnn_enabled=*/false)};
}

Values mean_variance_normalization(const Call& call) {
  const Integers axes = call.node.integers("axes", {0, 2, 3});
  const at::Tensor centred = call[0] - at::mean(call[0], axes, true);
  return {centred / at::sqrt(at::mean(centred * centred, axes, true) + 1e-9)};
}

// y = x / (bias + alpha / size * sum of squares of `size` neighbouring channels) ^ beta.
Values local_response_normalization(const Call& call) {
  const at::Tensor& x = call[0];
  const std::int64_t size = call.integer("size", 1);
  Integers pads(static_cast<std::size_t>(2 * (x.dim() - 1)), 0);
  pads[pads.size() - 2] = (size - 1) / 2;
  pads[pads.size() - 1] = size - 1 - (size - 1) / 2;
  const at::Tensor squares = at::constant_pad_nd(x * x, pads);
  at::Tensor sum = squares.slice(1, 0, x.size(1));
  for (std::int64_t i = 1; i < size; ++i) sum = sum + squares.slice(1, i, i + x.size(1));
  const double alpha = call.number("alpha", 1e-4) / static_cast<double>(size);
  return {x / at::pow(sum * alpha + call.number("bias", 1), call.number("beta", 0.75))};
}

Values lp_normalization(const Call& call) {
  const at::Tensor& x = call[0];
  const auto p = static_cast<double>(call.integer("p", 2));
  return {x / at::norm(x, c10::optional<at::Scalar>(p), {axis_in(call.integer("axis", -1), x.dim())}, true)};
}

Values softmax(const Call& call) { return {at::softmax(call[0], call.integer("axis", -1))}; }
Values log_softmax(const Call& call) { return {at::log_softmax(call[0], call.integer("axis", -1))}; }

Values dropout(const Call& call) {
  const at::Tensor& x = call[0];
  const double ratio = call.has(1) ? call[1].item<double>() : call.number("ratio", 0.5);
  if (call.mode == Mode::infer || ratio == 0) return {x, at::ones_like(x, at::kBool)};
  at::Generator chance = call.chance;
  const at::Tensor kept = at::empty_like(x).bernoulli_(1 - ratio, chance);
  return {x * kept / (1 - ratio), kept.to(at::kBool)};
}

}  // namespace

std::span<const Operator> normalize_operators() {
  static constexpr Operator kTable[] = {
      {"BatchNormalization", batch_normalization, inputs(1, 2), inputs(3, 4)},
      {"Dropout", dropout},
      {"GroupNormalization", group_normalization, inputs(1, 2)},
      {"InstanceNormalization", instance_normalization, inputs(1, 2)},
      {"LRN", local_response_normalization},
      {"LayerNormalization", layer_normalization, inputs(1, 2)},
      {"LogSoftmax", log_softmax},
      {"LpNormalization", lp_normalization},
      {"MeanVarianceNormalization", mean_variance_normalization},
      {"Softmax", softmax},
  };
  return kTable;
}

}  // namespace alara::learn
