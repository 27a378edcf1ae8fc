// SPDX-License-Identifier: Apache-2.0
// Pruning with fine-tuning: weights go to zero on a schedule while the network is trained on, or filters are really
// removed in rounds with training in between. What the network said before pruning may be its teacher.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "graph/prune/filters.hpp"
#include "graph/prune/masks.hpp"
#include "learn/compress/distillation.hpp"
#include "learn/train/trainer.hpp"

namespace alara::learn {

struct PruneOptions {
  std::optional<graph::FilterOptions> filters = {};  // filters that are removed; unset: none
  int rounds = 2;                                    // in which they go, with an equal part of the training after each
  std::optional<graph::MaskOptions> weights = {};    // weights that become zero, after the filters; unset: none
  double ramp = 0.5;                                 // share of their training in which the zeros grow to be all
  std::int64_t refresh = 16;                         // steps between choices of who is zero, until the ramp's end
  std::int64_t least = graph::kLeastWeights;         // tensors with fewer weights keep them all
  double teach = 0.5;  // the dense network's share of the loss (DistilOptions::weight); 0: labels alone
  TrainOptions training;
};

struct PrunedLayer {
  std::string weight;                            // its constant
  std::int64_t weights = 0;                      // that are left, zeros included
  double sparsity = 0;                           // share of zeros among them
  std::int64_t filters_before = 0, filters = 0;  // equal where none were removed
};

struct Pruned {
  graph::Model model;
  std::vector<PrunedLayer> layers;  // those that could be pruned, in node order
  LearningCurve curve;              // of all trainings, one after the other
  bool stopped = false;             // `model` is what had been reached
};

// Errors: bad_input (options, nothing to prune), and those of training. A checkpoint (options.training.checkpoint) is
// written for each part of the training under a name of its own, "NAME.1", "NAME.2", …; the work goes on from them.
[[nodiscard]] Result<Pruned> prune(graph::Model model, const Dataset& data, const PruneOptions& options,
                                   Progress& progress);

}  // namespace alara::learn
