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

// The sum as a function of what lies in `inputs` and in the network's parameters.
struct Probe {
  Network& network;
  const std::vector<at::Tensor>& inputs;
  const GradientCheck& check;

  [[nodiscard]] Result<at::Tensor> sum() const {
    ALARA_TRY(const auto outputs, network.run(inputs, {}, check.mode));
    return weighted_sum(outputs, check.seed);
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

Result<double> largest_forward_error(const graph::Model& model, std::span<const graph::Tensor> inputs,
                                     const graph::ExecutorFactory& reference) {
  ALARA_TRY(const auto executor, reference(model, {}, {.threads = 1, .optimise = false}));
  std::vector<graph::TensorView> views;
  for (const graph::Tensor& input : inputs) views.push_back(graph::view(input));
  ALARA_TRY(const auto expected, executor->run(views));
  std::vector<graph::Tensor> references;
  for (const graph::TensorView& value : expected) references.push_back(value.copy());
  ALARA_TRY(const auto values, run_once(model, inputs));
  return largest_error(values, references);
}

Result<double> largest_gradient_error(const graph::Model& model, std::span<const graph::Tensor> inputs,
                                      const GradientCheck& check) {
  const NetworkOptions options{Precision::float64, check.seed};
  ALARA_TRY(Network network, Network::build(model, options));
  ALARA_TRY(Network smooth, Network::build(check.smooth != nullptr ? *check.smooth : model, options));
  ALARA_TRY(std::vector<at::Tensor> given, to_torch_all(inputs));
  std::vector<at::Tensor> leaves;
  for (at::Tensor& input : given) {
    if (!input.is_floating_point()) continue;
    input = input.to(at::kDouble).contiguous().set_requires_grad(true);
    leaves.push_back(input);
  }
  for (const auto& [name, parameter] : network.parameters())
    if (check.smooth == nullptr) leaves.push_back(parameter);
  ALARA_TRY(const at::Tensor sum, (Probe{network, given, check}.sum()));
  if (!sum.requires_grad()) return fail(ErrorKind::internal, "no gradient reaches the outputs");
  sum.backward();
  const Probe probe{check.smooth != nullptr ? smooth : network, given, check};
  double worst = 0;
  for (const at::Tensor& leaf : leaves) {
    ALARA_TRY(const double error, worst_difference(probe, leaf));
    worst = std::max(worst, error);
  }
  return worst;
}

}  // namespace alara::learn
