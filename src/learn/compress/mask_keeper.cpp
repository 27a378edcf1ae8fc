// SPDX-License-Identifier: Apache-2.0
#include "learn/compress/mask_keeper.hpp"

#include <ATen/ATen.h>

#include <algorithm>

namespace alara::learn {
namespace {

std::span<float> numbers_of(Network& network, const std::string& weight) {
  const at::Tensor& parameter = network.parameters().at(weight);
  ALARA_ASSERT(parameter.is_contiguous() && parameter.scalar_type() == at::kFloat, "parameters are dense float32");
  return {parameter.data_ptr<float>(), static_cast<std::size_t>(parameter.numel())};
}

}  // namespace

MaskKeeper::MaskKeeper(graph::Graph graph, graph::MaskOptions options, graph::SparsitySchedule schedule,
                       std::int64_t refresh, std::int64_t least)
    : graph_(std::move(graph)),
      layers_(graph::prunable_layers(graph_, least)),
      options_(options),
      schedule_(schedule),
      refresh_(refresh) {}

std::int64_t MaskKeeper::last_choice(std::int64_t step) const {
  return step >= schedule_.end ? schedule_.end : std::max<std::int64_t>(1, step / refresh_ * refresh_);
}

void MaskKeeper::begin(Network& network, std::int64_t step) {
  if (step > 0) choose(network, last_choice(step));
}

void MaskKeeper::update(Network& network, std::int64_t step) {
  if (last_choice(step) == step) choose(network, step);
  apply(network);
}

void MaskKeeper::choose(Network& network, std::int64_t step) {
  options_.sparsity = schedule_.at(step);
  std::vector<graph::MaskedWeights> layers;
  for (const graph::PrunableLayer& layer : layers_) layers.push_back({layer.layout, numbers_of(network, layer.weight)});
  auto masks = graph::choose_masks(layers, options_);
  ALARA_ASSERT(masks.has_value(), "a schedule's sparsity lies between 0 and 1");
  masks_ = *std::move(masks);
}

void MaskKeeper::apply(Network& network) const {
  const at::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const std::span<float> numbers = numbers_of(network, layers_[i].weight);
    for (std::size_t k = 0; k < numbers.size(); ++k)
      if (masks_[i][k] == 0) numbers[k] = 0;
  }
}

}  // namespace alara::learn
