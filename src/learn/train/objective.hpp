// SPDX-License-Identifier: Apache-2.0
// What a training makes small. Objectives for labels and targets are here; distillation and others bring their own.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "learn/autograd/network.hpp"
#include "learn/data/dataset.hpp"

namespace alara::learn {

struct LossInputs {
  std::span<const at::Tensor> values;  // of Objective::wanted, with gradients
  at::Tensor inputs;                   // what went into the network, float32 [rows, …]
  at::Tensor labels;                   // int64 [rows]; undefined without classes
  at::Tensor targets;                  // float32 [rows, …]; undefined with classes
  Mode mode = Mode::train;
};

struct Objective {
  // Values of the graph that the loss looks at; empty: its outputs. With classes the first one holds a number for each
  // class, larger where it is likelier: the accuracy is taken from it.
  std::vector<std::string> wanted;
  // What decides the loss beside the network, as text: a checkpoint of another objective is not continued.
  std::string identity = {};
  // The mean over the batch's rows, a scalar with gradients.
  std::function<Result<at::Tensor>(const LossInputs&)> loss;
};

// The value before a final Softmax (also with quantisation or a reshape behind it), else the first output: what
// cross-entropy wants.
[[nodiscard]] std::string logits_of(const graph::Graph& graph);

// Cross-entropy for classes (with a share of certainty spread over all: Szegedy et al., "Rethinking the Inception
// architecture", 2016, section 7), mean squared error for values and for the input itself. Errors: bad_input where the
// model has other than one input.
[[nodiscard]] Result<Objective> objective_for(const graph::Model& model, const Dataset& data, double label_smoothing);

}  // namespace alara::learn
