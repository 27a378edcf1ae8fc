// SPDX-License-Identifier: Apache-2.0
#include "learn/autograd/agreement.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>

#include "learn/autograd/network.hpp"

namespace alara::learn {
namespace {

double error_of(double value, double reference, double scale) {
  if (value == reference || (std::isnan(value) && std::isnan(reference))) return 0;
  const double error = std::abs(value - reference) / scale;
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
}

Result<double> error_of(const graph::Tensor& value, const graph::Tensor& reference) {
  if (value.shape != reference.shape)
    return fail(ErrorKind::internal, "{} where {} is expected", value.text(), reference.text());
  ALARA_TRY(const at::Tensor a, to_torch(value));
  ALARA_TRY(const at::Tensor b, to_torch(reference));
  const at::Tensor x = a.to(at::kDouble).contiguous();
  const at::Tensor y = b.to(at::kDouble).contiguous();
  const std::span<const double> xs(x.data_ptr<double>(), static_cast<std::size_t>(x.numel()));
  const std::span<const double> ys(y.data_ptr<double>(), static_cast<std::size_t>(y.numel()));
  double scale = 1;
  for (const double number : ys)
    if (std::isfinite(number)) scale = std::max(scale, std::abs(number));
  double worst = 0;
  for (std::size_t i = 0; i < xs.size(); ++i) worst = std::max(worst, error_of(xs[i], ys[i], scale));
  return worst;
}

Result<std::vector<at::Tensor>> to_torch_all(std::span<const graph::Tensor> tensors) {
  std::vector<at::Tensor> out;
  for (const graph::Tensor& tensor : tensors) {
    ALARA_TRY(at::Tensor each, to_torch(tensor));
    out.push_back(std::move(each));
  }
  return out;
}

// A weighted sum of all that has gradients: one number whose gradient tells about every output.
at::Tensor weighted_sum(const std::vector<at::Tensor>& outputs, std::uint64_t seed) {
  at::Generator chance = at::detail::createCPUGenerator(seed);
  at::Tensor sum = at::zeros({}, at::kDouble);
  for (const at::Tensor& output : outputs) {
    if (!output.defined() || !output.is_floating_point()) continue;
    const at::Tensor weights = at::empty(output.sizes(), at::kDouble).uniform_(0.5, 1.5, chance);
    sum = sum + (output.to(at::kDouble) * weights).sum();
  }
  return sum;
}

// One thing to differentiate for, and how to get the sum for its present numbers.
struct Probe {
  Network& network;
  const std::vector<at::Tensor>& inputs;
  std::uint64_t seed;

  [[nodiscard]] Result<at::Tensor> sum() const {
    ALARA_TRY(const auto outputs, network.run(inputs));
    return weighted_sum(outputs, seed);
  }
  [[nodiscard]] Result<double> number() const {
    const at::NoGradGuard guard;
    ALARA_TRY(const at::Tensor out, sum());
    return out.item<double>();
  }
};

Result<double> worst_difference(const Probe& probe, const at::Tensor& leaf) {
  const at::Tensor gradient = leaf.grad().defined() ? leaf.grad().contiguous() : at::zeros_like(leaf).contiguous();
  auto* numbers = leaf.data_ptr<double>();
  double worst = 0;
  for (std::int64_t i = 0; i < leaf.numel(); ++i) {
    const double before = numbers[i];
    numbers[i] = before + kDifferenceStep;
    ALARA_TRY(const double above, probe.number());
    numbers[i] = before - kDifferenceStep;
    ALARA_TRY(const double below, probe.number());
    numbers[i] = before;
    const double difference = (above - below) / (2 * kDifferenceStep);
    worst = std::max(worst, error_of(gradient.data_ptr<double>()[i], difference, std::max(1.0, std::abs(difference))));
  }
  return worst;
}

}  // namespace

Result<double> largest_error(std::span<const graph::Tensor> values, std::span<const graph::Tensor> references) {
  if (values.size() != references.size())
    return fail(ErrorKind::internal, "{} outputs where {} are expected", values.size(), references.size());
  double worst = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    ALARA_TRY(const double error, error_of(values[i], references[i]));
    worst = std::max(worst, error);
  }
  return worst;
}

Result<std::vector<graph::Tensor>> run_once(const graph::Model& model, std::span<const graph::Tensor> inputs) {
  const at::NoGradGuard guard;
  ALARA_TRY(Network network, Network::build(model));
  ALARA_TRY(const auto given, to_torch_all(inputs));
  ALARA_TRY(const auto outputs, network.run(given));
  std::vector<graph::Tensor> out;
  for (const at::Tensor& output : outputs) out.push_back(from_torch(output));
  return out;
}

Result<double> largest_gradient_error(const graph::Model& model, std::span<const graph::Tensor> inputs,
                                      std::uint64_t seed) {
  ALARA_TRY(Network network, Network::build(model, {Precision::float64, seed}));
  ALARA_TRY(std::vector<at::Tensor> given, to_torch_all(inputs));
  std::vector<at::Tensor> leaves;
  for (at::Tensor& input : given) {
    if (!input.is_floating_point()) continue;
    input = input.to(at::kDouble).contiguous().set_requires_grad(true);
    leaves.push_back(input);
  }
  for (const auto& [name, parameter] : network.parameters()) leaves.push_back(parameter);
  const Probe probe{network, given, seed};
  ALARA_TRY(const at::Tensor sum, probe.sum());
  if (!sum.requires_grad()) return fail(ErrorKind::internal, "no gradient reaches the outputs");
  sum.backward();
  double worst = 0;
  for (const at::Tensor& leaf : leaves) {
    ALARA_TRY(const double error, worst_difference(probe, leaf));
    worst = std::max(worst, error);
  }
  return worst;
}

}  // namespace alara::learn
