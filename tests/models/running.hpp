// SPDX-License-Identifier: Apache-2.0
// What tests of whole models share: numbers to run them with, running them by ONNX Runtime, and how far results are
// apart.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "graph/builder.hpp"
#include "graph/executor.hpp"
#include "graph/onnx_file.hpp"
#include "infer/session.hpp"
#include "learn/ort_executor.hpp"

namespace alara::models {

inline graph::Tensor random_tensor(graph::Shape shape, unsigned seed, float low = -1, float high = 1) {
  graph::Tensor out = graph::Tensor::zeros(graph::DataType::float32, std::move(shape));
  std::mt19937 engine(seed);
  for (float& number : out.mutable_values<float>())
    number = low + (high - low) * static_cast<float>(engine() >> 8) / 16777216.0F;
  return out;
}

// Inputs for a model whose shapes are known, free dimensions taken as 2.
inline std::vector<graph::Tensor> random_inputs(const graph::Model& model, unsigned seed = 1) {
  std::vector<graph::Tensor> out;
  for (const graph::ValueInfo& input : model.graph.inputs) {
    graph::Shape shape;
    for (const graph::Dim& dim : input.dims.value_or(graph::Dims{})) shape.push_back(dim.known() ? dim.size : 2);
    out.push_back(random_tensor(std::move(shape), seed++));
  }
  return out;
}

// The outputs, or the failure of the test that calls.
inline std::vector<graph::Tensor> run(const graph::Model& model, const std::vector<graph::Tensor>& inputs,
                                      std::vector<std::string> wanted = {}) {
  auto executor = learn::make_ort_executor()(model, wanted, {1, false});
  if (!executor) {
    ADD_FAILURE() << executor.error().text();
    return {};
  }
  std::vector<graph::TensorView> views;
  for (const graph::Tensor& input : inputs) views.push_back(graph::view(input));
  const auto results = (*executor)->run(views);
  if (!results) {
    ADD_FAILURE() << results.error().text();
    return {};
  }
  std::vector<graph::Tensor> out;
  for (const graph::TensorView& result : *results) out.push_back(result.copy());
  return out;
}

// Largest difference relative to the largest number of `a` (at least 0.001); infinite where shapes differ.
inline double difference(const graph::Tensor& a, const graph::Tensor& b) {
  if (a.shape != b.shape || a.type != b.type) return INFINITY;
  const std::vector<float> left = *a.to_floats();
  const std::vector<float> right = *b.to_floats();
  double largest = 1e-3;
  double apart = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    largest = std::max(largest, std::fabs(static_cast<double>(left[i])));
    apart = std::max(apart, std::fabs(static_cast<double>(left[i]) - static_cast<double>(right[i])));
  }
  return apart / largest;
}

inline std::vector<std::string> operators(const graph::Model& model) {
  std::vector<std::string> out;
  for (const graph::Node& node : model.graph.nodes) out.push_back(node.op);
  return out;
}

// Tests of whole models need ONNX Runtime.
class WithRuntime : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto runtime = infer::runtime_info(); !runtime) GTEST_SKIP() << runtime.error().text();
  }
};

}  // namespace alara::models
