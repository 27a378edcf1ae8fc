// SPDX-License-Identifier: Apache-2.0
// What the benchmarks of training share: networks for Fashion-MNIST, trained once and kept in build/lab.
#pragma once

#include <filesystem>

#include "base/progress.hpp"
#include "bench/bench.hpp"
#include "learn/train/recipes.hpp"

namespace alara::bench {

struct Fashion {
  learn::Recipe recipe;
  learn::Dataset data;
  graph::Model model;  // trained
};

// Where trainings are kept: build/lab beside the folder of the running program.
[[nodiscard]] std::filesystem::path lab_cache(const Arguments& arguments);
// Checkpoints of a benchmark's own trainings, so that one that was interrupted goes on; gone when it is through.
class Checkpoints {
 public:
  Checkpoints(const Arguments& arguments, std::string bench);
  [[nodiscard]] std::filesystem::path file(const std::string& name) const;
  void remove_all() const;

 private:
  std::filesystem::path folder_;
};

// The recipe's network, trained now or before. `--quick` trains for one epoch on 3,000 pictures: not for figures.
// Errors: not_found without Debian's dataset-fashion-mnist.
[[nodiscard]] Result<Fashion> trained_fashion(learn::Recipe recipe, const Arguments& arguments, Progress& progress);
// Percent of the 10,000 test pictures, run by ONNX Runtime.
[[nodiscard]] Result<double> test_accuracy(const graph::Model& model, const learn::Dataset& data);

}  // namespace alara::bench
