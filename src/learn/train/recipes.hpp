// SPDX-License-Identifier: Apache-2.0
// Whole trainings by name, for benches and tests: data, architecture and options together, and a folder that keeps what
// they gave, so that several benches share one training.
#pragma once

#include <filesystem>
#include <string>

#include "base/progress.hpp"
#include "learn/train/trainer.hpp"

namespace alara::learn {

struct Recipe {
  std::string name;
  std::string architecture;  // YAML, as architecture.hpp reads it
  std::filesystem::path data;
  DatasetOptions rows;
  TrainOptions training;

  // Of all that decides the result; equal recipes have equal ones.
  [[nodiscard]] std::string digest() const;
};

inline constexpr const char* kFashionMnist = "/usr/share/datasets/fashion-mnist";  // Debian's dataset-fashion-mnist
[[nodiscard]] bool has_fashion_mnist(const std::filesystem::path& folder = kFashionMnist);

// Both learn Fashion-MNIST (60,000 + 10,000 pictures of 28 x 28), 3,000 training pictures set aside for validation.
// README.md of this folder has what they reach.
[[nodiscard]] Recipe fashion_cnn(std::uint64_t seed = 1, const std::filesystem::path& folder = kFashionMnist);
[[nodiscard]] Recipe fashion_depthwise(std::uint64_t seed = 1, const std::filesystem::path& folder = kFashionMnist);

// The data set of a recipe, for its network's input.
[[nodiscard]] Result<Dataset> dataset_of(const Recipe& recipe);
// The network before training.
[[nodiscard]] Result<graph::Model> network_of(const Recipe& recipe);

struct TrainedRecipe {
  graph::Model model;
  LearningCurve curve;
  bool from_cache = false;
};

// Trains, or reads what an earlier call with the same recipe left in `cache` as <name>-<digest>.onnx and .curve.json.
// A training that was interrupted goes on from <name>-<digest>.checkpoint. Errors: refused (asked to stop).
[[nodiscard]] Result<TrainedRecipe> trained(const Recipe& recipe, const std::filesystem::path& cache,
                                            Progress& progress);

}  // namespace alara::learn
