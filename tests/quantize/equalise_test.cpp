// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/equalise.hpp"

#include <gtest/gtest.h>

#include "graph/quantize/compare.hpp"
#include "graph/quantize/quantize.hpp"
#include "tests/quantize/fixture.hpp"

namespace alara::graph {
namespace {

using namespace test;

// Multiplies output channel c of a Conv by factor[c]; divides input channel c of the next by it.
void skew(Model& model, const std::string& first, const std::string& second) {
  const auto scaled = [&](const std::string& name, std::size_t divisor, std::size_t channels, bool up) {
    Tensor tensor = *model.graph.constant(name);
    const auto numbers = tensor.mutable_values<float>();
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const auto exponent = 3.0 * static_cast<double>(i / divisor % channels) / static_cast<double>(channels - 1) - 1.5;
      numbers[i] *= static_cast<float>(std::pow(10.0, up ? exponent : -exponent));
    }
    model.graph.constants[name] = share(std::move(tensor));
  };
  const Shape& w = model.graph.constant(first + "_w")->shape;
  const auto channels = static_cast<std::size_t>(w[0]);
  scaled(first + "_w", model.graph.constant(first + "_w")->elements() / channels, channels, true);
  scaled(first + "_b", 1, channels, true);
  const Shape& next = model.graph.constant(second + "_w")->shape;
  scaled(second + "_w", static_cast<std::size_t>(next[2] * next[3]), channels, false);
}

// Pointwise, depthwise, pointwise with Relu between.
Model depthwise_net() {
  Builder builder("depthwise");
  const auto x = builder.input("x", Shape{1, 4, 8, 8});
  auto a = builder.node("Relu", "a_relu", {conv(builder, "a", x, {16, 4, 1, 1}, {}, 1)});
  auto b = builder.node(
      "Relu", "b_relu",
      {conv(builder, "b", a, {16, 1, 3, 3}, {{"group", std::int64_t{16}}, {"pads", Ints{1, 1, 1, 1}}}, 2)});
  auto c = builder.node("LeakyRelu", "c_relu", {conv(builder, "c", b, {16, 16, 1, 1}, {}, 3)});
  auto pool = builder.node("AveragePool", "pool", {c}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
  auto flat = builder.node("Flatten", "flat", {pool});
  const auto w = builder.constant("head_w", random_tensor({256, 5}, 0.1F, 60));
  builder.output(builder.node("MatMul", "head", {flat, w}));
  return std::move(builder).finish();
}

class Equalise : public Quantize {
 protected:
  [[nodiscard]] static std::vector<LayerPair> pairs(const Model& model) {
    const auto values = infer_shapes(model);
    EXPECT_TRUE(values) << values.error().text();
    return find_pairs(model.graph, *values);
  }
  double output_sqnr(const Model& a, const Model& b) {
    RandomSamples samples(4, {1, 4, 8, 8});
    const auto compared = compare(a, b, samples, executors_, {}, silent_);
    EXPECT_TRUE(compared) << compared.error().text();
    return worst_of(*compared).sqnr_db;
  }
};

TEST_F(Equalise, FindsPairsThroughReluPoolsAndFlattening) {
  const auto found = pairs(depthwise_net());
  ASSERT_EQ(found.size(), 3u);
  EXPECT_TRUE(found[0].behind_relu);
  EXPECT_FALSE(found[2].behind_relu);
}

TEST_F(Equalise, LeavesWhatTheNetworkComputesAsItWas) {
  const Model before = depthwise_net();
  Model after = before;
  EXPECT_GT(equalise(after.graph, pairs(after)), 1.5);
  EXPECT_GT(output_sqnr(before, after), 100);
}

TEST_F(Equalise, DoesNotCrossClipAndResidualSums) {
  const auto values = infer_shapes(small_net());
  for (const LayerPair& pair : find_pairs(small_net().graph, *values)) {
    const std::string& name = small_net().graph.nodes[pair.first].name;
    EXPECT_TRUE(name != "stem" && name != "deep" && name != "point") << name;
  }
}

TEST_F(Equalise, MendsChannelsOfVeryDifferentSize) {
  Model skewed = depthwise_net();
  skew(skewed, "a", "b");
  skew(skewed, "b", "c");
  EXPECT_GT(output_sqnr(depthwise_net(), skewed), 90);  // the same function
  RandomSamples samples(16, {1, 4, 8, 8});
  QuantizeOptions options;
  options.granularity = Granularity::per_tensor;
  const auto plain = quantize(skewed, samples, executors_, options, silent_);
  options.equalise = true;
  const auto mended = quantize(skewed, samples, executors_, options, silent_);
  ASSERT_TRUE(plain && mended);
  EXPECT_LT(plain->sqnr_db, 15);
  EXPECT_GT(mended->sqnr_db, 25);
}

TEST_F(Equalise, AbsorbsWhatAChannelAlwaysHas) {
  Builder builder("absorb");
  const auto x = builder.input("x", Shape{1, 4, 8, 8});
  auto a = conv(builder, "a", x, {8, 4, 1, 1}, {}, 1);
  a = builder.node("Relu", "a_relu", {a});
  builder.output(conv(builder, "c", a, {8, 8, 1, 1}, {}, 3));
  Model before = std::move(builder).finish();
  std::vector<float> bias(8, 0.0F);
  bias[2] = 50;
  before.graph.constants["a_b"] = share(Tensor::of<float>({8}, bias));
  Model after = before;
  const auto found = pairs(after);
  ASSERT_EQ(found.size(), 1u);
  RandomSamples samples(4, {1, 4, 8, 8});
  const auto seen = calibrate(after, samples, executors_, request_for_absorption(after.graph, found), silent_);
  ASSERT_TRUE(seen) << seen.error().text();
  EXPECT_EQ(absorb_biases(after.graph, found, *seen), 1u);
  EXPECT_GT(output_sqnr(before, after), 100);
  const std::string& name = after.graph.nodes[0].input(2);
  EXPECT_LT(after.graph.constant(name)->values<float>()[2], 10);
}

}  // namespace
}  // namespace alara::graph
