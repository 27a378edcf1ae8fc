// SPDX-License-Identifier: Apache-2.0
// How good a model is on labelled data, run as it will be run on a device: by an executor, sample by sample or, where
// its batch is free, in batches.
#pragma once

#include "base/result.hpp"
#include "graph/executor.hpp"
#include "graph/model.hpp"
#include "learn/data/dataset.hpp"

namespace alara::learn {

struct Score {
  std::size_t samples = 0;
  double accuracy = 0;         // percent of samples whose largest output is their class; 0 for other targets
  double mean_square = 0;      // mean squared difference to targets, or to the input itself; 0 for classes
  std::vector<double> errors;  // of each sample, for Target::itself: its own mean square
};

struct ScoreOptions {
  std::size_t batch = 100;  // rows of a run, where the model's batch is free
  std::size_t most = 0;     // rows of the part that are looked at, from the first on; 0: all
  int threads = 1;
};

// Of the model's first output. Errors: of running the model, and bad_input where its output does not fit the data.
[[nodiscard]] Result<Score> score_of(const graph::Model& model, const Dataset& data, Part part,
                                     const graph::ExecutorFactory& executors, const ScoreOptions& options = {});

}  // namespace alara::learn
