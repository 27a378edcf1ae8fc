// SPDX-License-Identifier: Apache-2.0
// Private to learn/train: one batch through a network, forwards and backwards.
#pragma once

#include "learn/train/objective.hpp"

namespace alara::learn {

struct BatchLoss {
  at::Tensor loss;
  std::int64_t right = 0;  // rows whose largest number is their class's
};

[[nodiscard]] Result<BatchLoss> loss_of(Network& network, const Minibatch& batch, const Dataset& data,
                                        const Objective& objective, Mode mode);
// Gradients of the loss for all parameters. Errors: what libtorch refuses.
Status backward(const at::Tensor& loss);

}  // namespace alara::learn
