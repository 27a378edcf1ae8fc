// SPDX-License-Identifier: Apache-2.0
#include "learn/train/optimiser.hpp"

#include <ATen/ATen.h>

#include <cmath>

namespace alara::learn {
namespace {
constexpr double kFirstDecay = 0.9, kSecondDecay = 0.999, kEpsilon = 1e-8;  // Adam's usual ones
}

Optimiser::Optimiser(const std::map<std::string, at::Tensor>& parameters, const TrainOptions& options)
    : kind_(options.optimiser), momentum_(options.momentum), clip_(options.clip) {
  for (const auto& [name, parameter] : parameters) {
    Slot slot{parameter, at::zeros_like(parameter.detach()), {}, parameter.dim() > 1 ? options.weight_decay : 0};
    state_.emplace((kind_ == OptimiserKind::sgd ? "momentum/" : "first/") + name, slot.first);
    if (kind_ == OptimiserKind::adam) {
      slot.second = at::zeros_like(slot.first);
      state_.emplace("second/" + name, slot.second);
    }
    slots_.push_back(std::move(slot));
  }
}

void Optimiser::step(double rate, std::int64_t step) {
  const at::NoGradGuard no_gradients;
  if (clip_ > 0) clip_gradients();
  for (Slot& slot : slots_) {
    if (!slot.parameter.grad().defined()) continue;
    kind_ == OptimiserKind::sgd ? step_sgd(slot, rate) : step_adam(slot, rate, step);
    slot.parameter.mutable_grad().reset();
  }
}

void Optimiser::clip_gradients() {
  double squares = 0;
  for (const Slot& slot : slots_)
    if (slot.parameter.grad().defined()) {
      const double norm = slot.parameter.grad().norm().item<double>();
      squares += norm * norm;
    }
  const double norm = std::sqrt(squares);
  if (norm <= clip_) return;
  for (Slot& slot : slots_)
    if (slot.parameter.grad().defined()) slot.parameter.mutable_grad().mul_(clip_ / norm);
}

void Optimiser::step_sgd(Slot& slot, double rate) const {
  at::Tensor gradient = slot.parameter.grad();
  if (slot.decay > 0) gradient = gradient.add(slot.parameter, slot.decay);
  slot.first.mul_(momentum_).add_(gradient);
  slot.parameter.add_(gradient.add(slot.first, momentum_), -rate);
}

void Optimiser::step_adam(Slot& slot, double rate, std::int64_t step) const {
  const at::Tensor& gradient = slot.parameter.grad();
  if (slot.decay > 0) slot.parameter.mul_(1 - rate * slot.decay);
  slot.first.mul_(kFirstDecay).add_(gradient, 1 - kFirstDecay);
  slot.second.mul_(kSecondDecay).addcmul_(gradient, gradient, 1 - kSecondDecay);
  const double first = 1 - std::pow(kFirstDecay, step), second = 1 - std::pow(kSecondDecay, step);
  slot.parameter.addcdiv_(slot.first, slot.second.sqrt().div_(std::sqrt(second)).add_(kEpsilon), -rate / first);
}

}  // namespace alara::learn
