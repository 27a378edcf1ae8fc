// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/weights.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "graph/builder.hpp"

namespace alara::graph {
namespace {

WeightMatrix matrix(std::size_t rows, std::vector<float> values) {
  WeightMatrix out{rows, values.size() / rows, std::move(values), {}};
  for (std::uint32_t i = 0; i < out.values.size(); ++i) out.position.push_back(i);
  return out;
}

TEST(Weights, AreRowsByOutputChannelWhateverTheirLayout) {
  Builder builder;
  const auto x = builder.input("x", Shape{1, 2});
  const auto w = builder.constant("w", Tensor::of<float>({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6}));
  builder.output(builder.node("MatMul", "y", {x, w}));
  const Model model = std::move(builder).finish();
  const WeightMatrix found = matrix_of(*linear_of(model.graph, model.graph.nodes[0]));
  EXPECT_EQ(found.rows, 3u);
  EXPECT_EQ(found.values, (std::vector<float>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(found.position, (std::vector<std::uint32_t>{0, 3, 1, 4, 2, 5}));
}

TEST(Weights, HaveAScalePerChannelOrOneForAll) {
  const WeightMatrix weights = matrix(2, {127, -1, 1.27F, 0.01F});
  WeightOptions options;
  options.range = WeightRange::largest;
  EXPECT_NEAR(choose_scales(weights, {}, 1, options).scales[1], 0.01F, 1e-6F);
  options.granularity = Granularity::per_tensor;
  Levels one = choose_scales(weights, {}, 1, options);
  EXPECT_EQ(one.scales, (std::vector<float>{1, 1}));
  round_to_nearest(weights, options, one);
  EXPECT_EQ(one.values, (std::vector<std::int16_t>{127, -1, 1, 0}));
}

TEST(Weights, StayWithinTheLevelsOfTheirType) {
  const WeightMatrix weights = matrix(1, {1, -1, 0.5F});
  for (const WeightType type : {WeightType::int8, WeightType::int7, WeightType::uint8}) {
    const WeightOptions options{type, Granularity::per_channel, WeightRange::largest};
    Levels levels = choose_scales(weights, {}, 1, options);
    round_to_nearest(weights, options, levels);
    EXPECT_EQ(levels.values[0], largest_level(type));
    EXPECT_EQ(levels.values[1], -largest_level(type));
    const Tensor stored = weight_tensor(weights, levels, options, {1, 3});
    EXPECT_EQ(stored.type, type == WeightType::uint8 ? DataType::uint8 : DataType::int8);
    if (type == WeightType::uint8) {
      EXPECT_EQ(stored.values<std::uint8_t>()[1], 1);
    }
  }
}

TEST(Weights, RaiseTheScaleOfAChannelWhoseBiasWouldNotFit) {
  const WeightMatrix weights = matrix(2, {1e-7F, 1e-7F, 1, 1});
  const std::vector<double> biases{5, 5};
  const Levels levels = choose_scales(weights, biases, 0.5, {});
  EXPECT_EQ(levels.raised, (std::vector<std::size_t>{0}));
  const Tensor bias = bias_tensor(biases, 0.5, levels);
  for (const std::size_t r : {0u, 1u}) {
    const double back = bias.values<std::int32_t>()[r] * 0.5 * static_cast<double>(levels.scales[r]);
    EXPECT_NEAR(back, 5, 0.01) << r;
  }
}

TEST(Weights, OfAChannelThatIsAllZeroKeepItsBias) {
  const WeightMatrix weights = matrix(2, {0, 0, 1, 1});
  const std::vector<double> biases{0.001, 0};
  const Levels levels = choose_scales(weights, biases, 0.5, {});
  const Tensor bias = bias_tensor(biases, 0.5, levels);
  EXPECT_NEAR(bias.values<std::int32_t>()[0] * 0.5 * static_cast<double>(levels.scales[0]), 0.001, 1e-8);
}

}  // namespace
}  // namespace alara::graph
