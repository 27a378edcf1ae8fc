// SPDX-License-Identifier: Apache-2.0
// Changes parameters by their gradients: SGD with Nesterov's momentum (Sutskever et al., 2013) and AdamW (Loshchilov
// and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2).
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "learn/plan/train_options.hpp"

namespace alara::learn {

class Optimiser {
 public:
  // The parameters are changed in place. Weight decay is for those of two and more dimensions.
  Optimiser(const std::map<std::string, at::Tensor>& parameters, const TrainOptions& options);

  // One step with the gradients that the parameters have, which it clears; `step` counts from 1.
  void step(double rate, std::int64_t step);
  // What it remembers, as "momentum/conv.weight": to be stored, and filled when a training goes on.
  [[nodiscard]] const std::map<std::string, at::Tensor>& state() const { return state_; }

 private:
  struct Slot {
    at::Tensor parameter, first, second;
    double decay = 0;
  };
  void clip_gradients();
  void step_sgd(Slot& slot, double rate) const;
  void step_adam(Slot& slot, double rate, std::int64_t step) const;

  OptimiserKind kind_;
  double momentum_, clip_;
  std::map<std::string, at::Tensor> state_;
  std::vector<Slot> slots_;
};

}  // namespace alara::learn
