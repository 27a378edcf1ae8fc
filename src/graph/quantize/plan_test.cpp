// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/plan.hpp"

#include <gtest/gtest.h>

#include "graph/builder.hpp"

namespace alara::graph {
namespace {

std::string conv(Builder& builder, const std::string& name, const std::string& input) {
  const auto w = builder.constant(name + "_w", Tensor::of<float>({2, 2, 1, 1}, std::vector<float>{1, 2, 3, 4}));
  return builder.node("Conv", name, {input, w});
}

Plan plan_of(Builder builder, const PlanOptions& options = {}) {
  const Model model = std::move(builder).finish();
  const auto values = infer_shapes(model);
  EXPECT_TRUE(values) << values.error().text();
  auto plan = make_plan(model.graph, *values, options);
  EXPECT_TRUE(plan) << plan.error().text();
  return std::move(*plan);
}

TEST(Plan, LetsARangeStandForAnActivationThatNothingElseSees) {
  Builder builder;
  const auto x = builder.input("x", Shape{1, 2, 4, 4});
  const auto first = builder.node("Relu", "first_relu", {conv(builder, "first", x)});
  const auto second = conv(builder, "second", first);
  builder.output(second);
  builder.output(builder.node("Relu", "second_relu", {second}));
  const Plan plan = plan_of(std::move(builder));
  ASSERT_EQ(plan.nodes.size(), 2u);
  EXPECT_EQ(plan.nodes[0].output, "first_relu");
  EXPECT_TRUE(plan.nodes[0].activation);
  EXPECT_EQ(plan.nodes[1].output, "second");
  EXPECT_FALSE(plan.nodes[1].activation);
}

TEST(Plan, LeavesWhatOnlyJoinsResultsOnTheirWayOutInFloat) {
  Builder builder;
  const auto x = builder.input("x", Shape{1, 2, 4, 4});
  const auto a = conv(builder, "a", x), b = conv(builder, "b", a);
  builder.output(builder.node("Concat", "both", {a, b}, {{"axis", std::int64_t{1}}}));
  const Plan plan = plan_of(std::move(builder));
  EXPECT_EQ(plan.nodes.size(), 2u);
  EXPECT_FALSE(plan.makers.contains("both"));
}

TEST(Plan, GivesMovedNumbersTheScaleOfTheirSource) {
  Builder builder;
  const auto x = builder.input("x", Shape{1, 2, 4, 4});
  const auto a = conv(builder, "a", x);
  const auto pool = builder.node("MaxPool", "pool", {a}, {{"kernel_shape", std::vector<std::int64_t>{2, 2}}});
  const auto turned = builder.node("Transpose", "turned", {pool}, {{"perm", std::vector<std::int64_t>{0, 1, 3, 2}}});
  builder.output(conv(builder, "b", turned));
  Builder copy = builder;
  const Plan plan = plan_of(std::move(builder));
  EXPECT_EQ(plan.scale_of("turned"), "a");
  const auto ranged = plan.ranged_values(copy.graph());
  EXPECT_EQ(ranged, (std::vector<std::string>{"x", "a", "b"}));
}

TEST(Plan, KnowsWhereUsersOfAValueSaturate) {
  Builder builder;
  const auto x = builder.input("x", Shape{1, 2, 4, 4});
  const auto a = conv(builder, "a", x);
  const auto swish = builder.node("HardSwish", "swish", {a});
  const auto b = conv(builder, "b", swish);
  builder.output(conv(builder, "c", b));
  const Plan plan = plan_of(std::move(builder));
  EXPECT_EQ(plan.limits.at("a").low, -3);
  EXPECT_FALSE(plan.limits.contains("b"));
}

TEST(Plan, LeavesAConstantThatEightBitsDoNotHoldInFloat) {
  constexpr std::int64_t kChannels = 512;
  const auto with = [](float others) {  // one scale is 255, steps are 1
    Builder builder;
    const auto x = builder.input("x", Shape{1, 2, 4, 4});
    const auto w = builder.constant("w", Tensor::zeros(DataType::float32, {kChannels, 2, 1, 1}));
    std::vector<float> numbers(kChannels, others);
    numbers[0] = 255;
    const auto scales = builder.constant("scales", Tensor::of<float>({1, kChannels, 1, 1}, numbers));
    const auto v = builder.constant("v", Tensor::zeros(DataType::float32, {2, kChannels, 1, 1}));
    const auto scaled = builder.node("Mul", "scaled", {builder.node("Conv", "a", {x, w}), scales});
    builder.output(builder.node("Conv", "b", {scaled, v}));
    return plan_of(std::move(builder));
  };
  EXPECT_TRUE(with(2).makers.contains("scaled"));
  const Plan between = with(2.5F);
  EXPECT_FALSE(between.makers.contains("scaled"));
  ASSERT_EQ(between.notes.size(), 1u);
  EXPECT_NE(between.notes.front().find("scales"), std::string::npos);
}

TEST(Plan, LeavesAnActivationThatIsExcludedInFloat) {
  const auto net = [] {
    Builder builder;
    const auto x = builder.input("x", Shape{1, 2, 4, 4});
    builder.output(conv(builder, "b", builder.node("Relu", "relu", {conv(builder, "a", x)})));
    return builder;
  };
  EXPECT_TRUE(plan_of(net()).nodes.front().activation);
  for (const char* name : {"Relu", "relu"}) {
    const Plan plan = plan_of(net(), {{name}, {}, {}});
    EXPECT_FALSE(plan.nodes.front().activation) << name;
    EXPECT_EQ(plan.nodes.front().output, "a") << name;
  }
}

TEST(Plan, TakesNamesOutputsAndOperatorsAsExclusions) {
  const auto net = [] {
    Builder builder;
    const auto x = builder.input("x", Shape{1, 2, 4, 4});
    builder.output(conv(builder, "b", conv(builder, "a", x)));
    return builder;
  };
  EXPECT_EQ(plan_of(net(), {{"a"}, {}, {}}).nodes.size(), 1u);
  EXPECT_TRUE(plan_of(net(), {{"Conv"}, {}, {}}).nodes.empty());
  EXPECT_EQ(plan_of(net(), {{}, {0}, {}}).nodes.size(), 1u);
  EXPECT_EQ(plan_of(net(), {{}, {}, 1}).nodes.front().node, 1u);
}

}  // namespace
}  // namespace alara::graph
