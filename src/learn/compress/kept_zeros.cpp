// SPDX-License-Identifier: Apache-2.0
#include "learn/compress/kept_zeros.hpp"

#include <ATen/ATen.h>

#include <memory>

#include "graph/prune/masks.hpp"

namespace alara::learn {

std::vector<std::string> pruned_parameters(const Network& network) {
  std::vector<std::string> out;
  for (const auto& [name, tensor] : network.parameters()) {
    if (tensor.dim() < 2 || tensor.numel() < graph::kLeastWeights) continue;
    const std::int64_t zeros = tensor.numel() - tensor.detach().count_nonzero().item<std::int64_t>();
    if (static_cast<double>(zeros) >= kPrunedShare * static_cast<double>(tensor.numel())) out.push_back(name);
  }
  return out;
}

Hooks keep_zeros(std::vector<std::string> parameters) {
  auto masks = std::make_shared<std::map<std::string, at::Tensor>>();
  Hooks hooks;
  hooks.identity = fmt::format("zeros kept in {}", fmt::join(parameters, ","));
  hooks.at_start = [masks, parameters = std::move(parameters)](Network& network, std::int64_t) {
    for (const std::string& name : parameters)
      masks->insert_or_assign(name, network.parameters().at(name).detach().ne(0).to(at::kFloat));
  };
  hooks.after_step = [masks](Network& network, std::int64_t) {
    const at::NoGradGuard no_gradients;
    for (const auto& [name, mask] : *masks) network.parameters().at(name).mul_(mask);
  };
  return hooks;
}

}  // namespace alara::learn
