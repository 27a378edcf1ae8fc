// SPDX-License-Identifier: Apache-2.0
// The options of the commands that train: `train`, `finetune`, and those that train while they shrink.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "graph/model.hpp"
#include "learn/data/dataset.hpp"
#include "learn/plan/train_options.hpp"
#include "learn/train/trainer.hpp"

namespace CLI {
class App;
}

namespace alara::lab {

// --data, --target, --preprocessing, --validation, --rows.
struct DataArguments {
  std::string folder, target, preprocessing;
  double validation = 0.1;
  std::size_t rows = 0;

  void declare(CLI::App& command);
  // For the model's first input. Without --preprocessing: what the model's metadata say; where they say nothing, mean
  // and deviation of the training part if `measure` is so.
  [[nodiscard]] Result<learn::Dataset> open(const graph::Model& model, learn::DatasetOptions options) const;
};

// --epochs, --batch, --rate, … and --checkpoint, --curve.
struct TrainingArguments {
  learn::TrainOptions options;
  std::string optimiser = "adam", schedule = "cosine", checkpoint, curve;

  void declare(CLI::App& command);
  // Checks also that `out_file` and the curve can be written, before any training.
  [[nodiscard]] Result<learn::TrainOptions> read(const std::string& out_file) const;
  // What follows every training: writes the curve where --curve says and the model to `out`, and prints what was
  // reached; or says how a training that was stopped goes on. The exit code.
  [[nodiscard]] Result<int> finish(const learn::Trained& trained, const learn::Dataset& data,
                                   const std::string& out) const;
};

// What a person reads when it is done: the last epoch and what it reaches on the test part, by ONNX Runtime where it
// is.
[[nodiscard]] Result<std::string> summary(const graph::Model& model, const learn::Dataset& data,
                                          const learn::TrainReport& report, int threads);

}  // namespace alara::lab
