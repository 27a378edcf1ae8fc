// SPDX-License-Identifier: Apache-2.0
// For tests: points in the plane, whose class is the quadrant they lie in, and small networks for them.
#pragma once

#include "learn/architecture/architecture.hpp"
#include "learn/train/trainer.hpp"

namespace alara::learn::test {

inline LabelledRows points(std::int64_t count, std::uint64_t seed) {
  LabelledRows rows;
  Random chance({seed});
  std::vector<float> numbers;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto x = static_cast<float>(2 * chance.uniform() - 1);
    const auto y = static_cast<float>(2 * chance.uniform() - 1);
    numbers.insert(numbers.end(), {x, y});
    rows.labels.push_back((x > 0 ? 1 : 0) + (y > 0 ? 2 : 0));
  }
  rows.inputs = graph::Tensor::of(graph::Shape{count, 2}, numbers);
  return rows;
}

// The network's input: [batch, 2].
inline graph::ValueInfo point_input() {
  return {"input", graph::DataType::float32, graph::Dims{{-1, "batch"}, {2, {}}}};
}

inline Dataset quadrants() {
  FoundRows rows;
  rows.train = points(1024, 1);
  rows.test = points(512, 2);
  DatasetOptions options;
  options.validation = 0;
  return *Dataset::of(std::move(rows), point_input(), options);
}

inline graph::Model network(const std::string& hidden, std::uint64_t seed = 1) {
  BuildOptions options;
  options.seed = seed;
  return *parse_architecture("input: [2]\nlayers:\n" + hidden + "  - dense: 4\n", "network.yaml", options);
}

inline TrainOptions briefly(int epochs) {
  TrainOptions options;
  options.epochs = epochs;
  options.batch = 32;
  options.rate = 0.01;
  options.threads = 1;
  return options;
}

inline double accuracy_of(const graph::Model& model, const Dataset& data) {
  auto network = Network::build(model);
  const auto objective = objective_for(model, data, 0);
  return evaluate(*network, data, Part::test, *objective)->accuracy;
}

}  // namespace alara::learn::test
