// SPDX-License-Identifier: Apache-2.0
// For the tests of this folder: small networks with random weights, and samples to feed them.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "graph/builder.hpp"
#include "graph/executor.hpp"
#include "infer/session.hpp"
#include "learn/ort_executor.hpp"

namespace alara::graph::test {

inline Tensor random_tensor(const Shape& shape, float spread, unsigned seed) {
  std::mt19937 random(seed);
  Tensor out = Tensor::zeros(DataType::float32, shape);
  for (float& x : out.mutable_values<float>()) {
    double sum = 0;  // about normal, and the same with every standard library
    for (int i = 0; i < 6; ++i) sum += static_cast<double>(random()) / 4294967296.0 - 0.5;
    x = spread * static_cast<float>(sum * std::sqrt(2.0));
  }
  return out;
}

// Samples of one input, each made anew when asked for.
class RandomSamples final : public SampleSource {
 public:
  RandomSamples(std::size_t count, Shape shape, unsigned seed = 1)
      : count_(count), shape_(std::move(shape)), seed_(seed) {}
  [[nodiscard]] std::size_t size() const override { return count_; }
  [[nodiscard]] Result<std::vector<Tensor>> sample(std::size_t i) override {
    return std::vector<Tensor>{random_tensor(shape_, 1, seed_ + static_cast<unsigned>(i))};
  }

 private:
  std::size_t count_;
  Shape shape_;
  unsigned seed_;
};

inline std::string conv(Builder& builder, const std::string& name, const std::string& input, Shape weights,
                        std::map<std::string, Attribute> attributes, unsigned seed) {
  std::int64_t inputs = 1;
  for (std::size_t i = 1; i < weights.size(); ++i) inputs *= weights[i];
  const auto w =
      builder.constant(name + "_w", random_tensor(weights, 1.4F / std::sqrt(static_cast<float>(inputs)), seed));
  const auto b = builder.constant(name + "_b", random_tensor({weights[0]}, 0.1F, seed + 1));
  return builder.node("Conv", name, {input, w, b}, std::move(attributes));
}

using Ints = std::vector<std::int64_t>;

// Conv, Relu, depthwise Conv, Clip, residual Add, MaxPool, Concat, global pooling, Gemm.
inline Model small_net() {
  Builder builder("small");
  const auto x = builder.input("x", DataType::float32, Dims{{-1, "batch"}, {3, {}}, {12, {}}, {12, {}}});
  const auto low = builder.scalar("zero", 0), high = builder.scalar("six", 6);
  auto stem =
      builder.node("Relu", "stem_relu", {conv(builder, "stem", x, {8, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}, 10)});
  auto deep = conv(builder, "deep", stem, {8, 1, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}, {"group", std::int64_t{8}}}, 20);
  deep = builder.node("Clip", "deep_clip", {deep, low, high});
  auto point = conv(builder, "point", deep, {8, 8, 1, 1}, {}, 30);
  auto sum = builder.node("Relu", "sum_relu", {builder.node("Add", "sum", {point, stem})});
  auto pool = builder.node("MaxPool", "pool", {sum}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
  auto left = conv(builder, "left", pool, {4, 8, 1, 1}, {}, 40);
  auto right = builder.node("Relu", "right_relu",
                            {conv(builder, "right", pool, {4, 8, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}, 50)});
  auto both = builder.node("Concat", "both", {left, right}, {{"axis", std::int64_t{1}}});
  auto mean = builder.node("GlobalAveragePool", "mean", {both});
  auto flat = builder.node("Flatten", "flat", {mean});
  const auto w = builder.constant("head_w", random_tensor({5, 8}, 0.5F, 60));
  const auto b = builder.constant("head_b", random_tensor({5}, 0.1F, 61));
  builder.output(builder.node("Gemm", "head", {flat, w, b}, {{"transB", std::int64_t{1}}}));
  return std::move(builder).finish();
}

class Quantize : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto runtime = infer::runtime_info(); !runtime) GTEST_SKIP() << runtime.error().text();
  }
  ExecutorFactory executors_ = learn::make_ort_executor();
  Silent silent_;
};

}  // namespace alara::graph::test
