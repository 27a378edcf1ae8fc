// SPDX-License-Identifier: Apache-2.0
// What a training is told and what it tells. Free of libtorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "learn/data/dataset.hpp"
#include "learn/plan/rate_schedule.hpp"

namespace alara::learn {

enum class OptimiserKind : std::uint8_t {
  sgd,   // with Nesterov's momentum
  adam,  // with decoupled weight decay (AdamW)
};

struct TrainOptions {
  int epochs = 10;
  std::size_t batch = 64;  // larger is faster and finds slightly worse minima
  double rate = 0.002;     // for Adam; SGD wants about 0.05
  RateSchedule schedule;
  OptimiserKind optimiser = OptimiserKind::adam;
  double momentum = 0.9;       // of SGD
  double weight_decay = 0.01;  // of weights, not of biases and norms; SGD wants about 0.0005
  double clip = 0;             // largest norm of all gradients together; 0: any
  double label_smoothing = 0;  // share of certainty that is spread over all classes
  Augmentation augmentation;
  double average = 0;      // decay of the running mean of weights that is kept in their place; 0: none; about 0.998
  int patience = 0;        // epochs without a better validation score after which it ends; 0: never
  bool keep_best = false;  // give the weights of the best validation epoch, not the last
  std::uint64_t seed = 1;
  int threads = 0;                        // of libtorch; 0: one for each CPU
  std::filesystem::path checkpoint = {};  // a file; empty: none. Where it exists, the training goes on from it.

  // What decides the result, as text: a checkpoint of another training is not continued.
  [[nodiscard]] std::string fingerprint() const;
  // Errors: bad_input, what is out of its range.
  Status check() const;
};

struct EpochReport {
  int epoch = 0;               // from 1
  double rate = 0;             // of its last step
  double loss = 0;             // mean over its batches
  double accuracy = 0;         // percent of training rows, as they were varied; 0 without classes
  double validation_loss = 0;  // 0 without a validation part
  double validation_accuracy = 0;
  double seconds = 0;
  friend bool operator==(const EpochReport&, const EpochReport&) = default;
};
using LearningCurve = std::vector<EpochReport>;

struct TrainReport {
  LearningCurve curve;
  int best_epoch = 0;        // by validation; 0: there is no validation part
  bool stopped = false;      // asked to stop before the end; a checkpoint lies there if one was wanted
  bool ended_early = false;  // by patience
  bool continued = false;    // from a checkpoint
};

// [{"epoch": 1, "rate": …, "loss": …}, …]
[[nodiscard]] std::string curve_json(const LearningCurve& curve);
// Errors: corrupt.
[[nodiscard]] Result<LearningCurve> parse_curve(std::string_view json);

}  // namespace alara::learn
