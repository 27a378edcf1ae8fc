// SPDX-License-Identifier: Apache-2.0
// Training a pruned network on without filling its zeros again: fine-tuning after pruning, also after quantisation.
#pragma once

#include <string>
#include <vector>

#include "learn/train/trainer.hpp"

namespace alara::learn {

inline constexpr double kPrunedShare = 0.3;  // of zeros, from which on a tensor of weights counts as pruned

// The parameters of at least graph::kLeastWeights numbers of which kPrunedShare or more are exactly 0, by name.
[[nodiscard]] std::vector<std::string> pruned_parameters(const Network& network);

// Hooks that keep the zeros which these parameters have when the training begins, or goes on.
[[nodiscard]] Hooks keep_zeros(std::vector<std::string> parameters);

}  // namespace alara::learn
