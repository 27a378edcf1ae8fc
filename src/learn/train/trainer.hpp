// SPDX-License-Identifier: Apache-2.0
// Trains a network on a data set. The same seed, data and number of threads give the same weights, bit for bit; a
// training that was stopped and goes on from its checkpoint gives those of one that was not.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "learn/autograd/network.hpp"
#include "learn/data/dataset.hpp"
#include "learn/plan/checkpoint.hpp"
#include "learn/plan/train_options.hpp"
#include "learn/train/objective.hpp"
#include "learn/train/optimiser.hpp"

namespace alara::learn {

// What others do in between. A hook whose effect depends on more than the network and its argument breaks the promise
// that a continued training is an unbroken one.
struct Hooks {
  std::string identity = {};     // what decides their effect, as text: a checkpoint of other hooks is not continued
  std::int64_t counts_from = 0;  // the step from whose epoch on epochs may be the best one, and patience runs
  std::function<void(Network&, std::int64_t step)> at_start;        // `step` is not 0 where a training goes on
  std::function<void(Network&, std::int64_t step)> after_step;      // masks of pruning; steps count from 1
  std::function<Status(Network&, const EpochReport&)> after_epoch;  // an error ends the training
};

// Loss and accuracy (percent; 0 without classes) over a part, without augmentation.
struct Evaluation {
  double loss = 0, accuracy = 0;
};
[[nodiscard]] Result<Evaluation> evaluate(Network& network, const Dataset& data, Part part, const Objective& objective,
                                          std::size_t batch = 256);

class Trainer {
 public:
  // Network and data must outlive it.
  Trainer(Network& network, const Dataset& data, TrainOptions options, Objective objective, Hooks hooks = {});

  // To the end, or until `progress` says stop; then the network has the last step's weights, or, at the end, those that
  // the options ask for. Errors: bad_input (options, what the objective refuses, a checkpoint of another training,
  // numbers that are not finite any more), those of files.
  [[nodiscard]] Result<TrainReport> run(Progress& progress);

 private:
  enum class Outcome : std::uint8_t { done, stopped, ended_early };

  Status begin();
  Result<Outcome> run_epoch(Progress& progress);
  Status run_batch(std::span<const std::uint32_t> rows);
  Result<bool> finish_epoch();  // whether patience is over
  Result<Evaluation> validate();
  void keep_if_best(const EpochReport& epoch);
  Status restore(const Checkpoint& from);
  Status save();
  void update_average();
  void exchange_with(std::map<std::string, at::Tensor>& others);
  void take_final_weights(Outcome outcome);
  [[nodiscard]] std::uint64_t hash_of_weights() const;
  [[nodiscard]] std::size_t batches() const;
  [[nodiscard]] std::int64_t steps() const;
  // Parameters and running statistics by "parameter/name" and "statistic/name".
  [[nodiscard]] std::map<std::string, at::Tensor> weights() const;

  Network& network_;
  const Dataset& data_;
  const TrainOptions options_;
  const Objective objective_;
  const Hooks hooks_;
  Optimiser optimiser_;
  std::map<std::string, at::Tensor> averages_, best_;  // by the names of weights()
  Checkpoint state_;                                   // its tensors are filled when it is written
  double rate_ = 0;                                    // of the last step
  std::int64_t begun_ns_ = 0;                          // of the part of the epoch that runs now
};

// A model trained by `options` for the data's own objective, with its preprocessing and class names in the metadata.
struct Trained {
  graph::Model model;
  TrainReport report;
};
[[nodiscard]] Result<Trained> train(graph::Model model, const Dataset& data, const TrainOptions& options,
                                    Progress& progress);
// The same for another objective (over the upgraded model's values), and with hooks.
[[nodiscard]] Result<Trained> train(graph::Model model, const Dataset& data, const TrainOptions& options,
                                    Objective objective, Hooks hooks, Progress& progress);

}  // namespace alara::learn
