// SPDX-License-Identifier: Apache-2.0
#include "graph/upgrade.hpp"

#include <gtest/gtest.h>

#include "graph/builder.hpp"

namespace alara::graph {
namespace {

using Integers = std::vector<std::int64_t>;
using Operators = std::vector<std::string>;

// The model as one of `opset`, brought to today's.
Model upgraded(Builder&& builder, std::int64_t opset) {
  Model model = std::move(builder).finish();
  model.opsets[""] = opset;
  const auto status = upgrade(model);
  EXPECT_TRUE(status) << status.error().text();
  EXPECT_EQ(model.opset(), std::max(opset, kWorkingOpset));
  return model;
}

Operators operators(const Model& model) {
  Operators out;
  for (const Node& node : model.graph.nodes) out.push_back(node.op);
  return out;
}

// One node over x, which is of the given type and dimensions.
Model of_one(const std::string& op, std::int64_t opset, Dims dims, std::map<std::string, Attribute> attributes,
             DataType type = DataType::float32) {
  Builder builder;
  const auto x = builder.input("x", type, std::move(dims));
  builder.output(builder.node(op, "y", {x}, std::move(attributes)), type);
  return upgraded(std::move(builder), opset);
}

const Dims kImage = dims_of(std::vector<std::int64_t>{1, 4, 5, 6});

TEST(Upgrade, MakesInputsOfAttributes) {
  const std::map<std::string, Attribute> axes{{"axes", Integers{0}}};
  for (const char* op : {"Squeeze", "Unsqueeze", "ReduceSum"}) {
    const Model model = of_one(op, 11, kImage, axes);
    const Node& node = model.graph.nodes.at(0);
    EXPECT_FALSE(node.has("axes")) << op;
    EXPECT_EQ(*model.graph.constant(node.input(1))->to_integers(), Integers{0}) << op;
    EXPECT_EQ(axes_of(model.graph, node), Integers{0}) << op;
  }
  const Model slice = of_one("Slice", 9, kImage, {{"starts", Integers{1}}, {"ends", Integers{3}}});
  EXPECT_EQ(*slice.graph.constant(slice.graph.nodes.at(0).input(1))->to_integers(), Integers{1});
  EXPECT_EQ(*slice.graph.constant(slice.graph.nodes.at(0).input(2))->to_integers(), Integers{3});
  EXPECT_EQ(slice.graph.nodes.at(0).input(3), "");
  const Model top = of_one("TopK", 9, kImage, {{"k", std::int64_t{2}}});
  EXPECT_EQ(*top.graph.constant(top.graph.nodes.at(0).input(1))->to_integers(), Integers{2});
}

TEST(Upgrade, LeavesTodaysModelsAsTheyAre) {
  const Model model = of_one("ReduceMax", 17, kImage, {{"axes", Integers{0}}});
  EXPECT_TRUE(model.graph.nodes.at(0).has("axes"));
  EXPECT_EQ(operators(of_one("Softmax", 13, kImage, {{"axis", std::int64_t{1}}})), Operators{"Softmax"});
}

TEST(Upgrade, GivesBoundsTheTypeOfWhatTheyBound) {
  for (const DataType type : {DataType::float32, DataType::float64, DataType::float16}) {
    const Model clip = of_one("Clip", 10, kImage, {{"max", 6.0F}}, type);
    const Node& node = clip.graph.nodes.at(0);
    EXPECT_EQ(node.input(1), "");
    EXPECT_EQ(clip.graph.constant(node.input(2))->type, type);
    EXPECT_EQ(*clip.graph.constant(node.input(2))->to_floats(), std::vector<float>{6});
    const Model pad = of_one("Pad", 10, kImage, {{"pads", Integers(8, 1)}, {"value", 0.5F}}, type);
    EXPECT_EQ(pad.graph.constant(pad.graph.nodes.at(0).input(2))->type, type);
  }
}

// The type is known of a value in between, which the file says nothing of.
TEST(Upgrade, InfersTheTypeOfWhatBoundsBound) {
  Builder builder;
  const auto x = builder.input("x", DataType::float64, kImage);
  builder.output(builder.node("Clip", "y", {builder.node("Neg", "n", {x})}, {{"min", -1.0F}}), DataType::float64);
  const Model model = upgraded(std::move(builder), 7);
  EXPECT_EQ(model.graph.constant(model.graph.nodes.at(1).input(1))->type, DataType::float64);
}

TEST(Upgrade, KeepsSoftmaxOverOneDimensionOneNode) {
  const auto axis_after = [](Dims dims, std::int64_t axis) {
    const Model model = of_one("Softmax", 11, std::move(dims), {{"axis", axis}});
    return model.graph.nodes.size() == 1 ? model.graph.nodes[0].integer("axis", 99) : 99;
  };
  EXPECT_EQ(axis_after(kImage, -1), -1);
  EXPECT_EQ(axis_after(kImage, 3), -1);
  EXPECT_EQ(axis_after({{-1, "batch"}, {10, {}}}, 1), -1);
  EXPECT_EQ(axis_after({{-1, "batch"}, {10, {}}, {1, {}}, {1, {}}}, 1), 1);
  EXPECT_EQ(axis_after({{-1, "batch"}, {10, {}}, {-1, {}}}, 1), 99);
}

TEST(Upgrade, FlattensForSoftmaxOverManyDimensions) {
  const Operators flattened{"Shape", "Flatten", "Softmax", "Reshape"};
  EXPECT_EQ(operators(of_one("Softmax", 11, kImage, {})), flattened);
  Builder builder;
  const auto x = builder.input("x", DataType::float32, kImage);
  const auto unknown = builder.node("Fancy", "f", {x});
  builder.output(builder.node("Softmax", "y", {unknown}));
  Model model = std::move(builder).finish();
  model.opsets[""] = 11;
  model.graph.nodes[0].domain = "com.example";
  ASSERT_TRUE(upgrade(model));
  EXPECT_EQ(model.graph.nodes.size(), 1 + flattened.size());
}

TEST(Upgrade, MakesResizeOfUpsample) {
  const Model model = of_one("Upsample", 7, kImage, {{"scales", std::vector<float>{1, 1, 2, 2}}});
  const Node& node = model.graph.nodes.at(0);
  EXPECT_EQ(node.op, "Resize");
  EXPECT_EQ(node.text("nearest_mode", ""), "floor");
  EXPECT_EQ(model.graph.constant(node.input(2))->values<float>()[2], 2);
}

TEST(Upgrade, RoundsResizeTheWayItGoes) {
  const auto after = [](std::vector<float> scales) {
    Builder builder;
    const auto x = builder.input("x", DataType::float32, kImage);
    const auto s = builder.constant("s", Tensor::of(Shape{4}, scales));
    builder.output(builder.node("Resize", "y", {x, s}));
    const Model model = upgraded(std::move(builder), 10);
    std::string out;
    for (const Node& node : model.graph.nodes) out += node.is("Resize") ? node.text("nearest_mode", "") : node.op;
    return out;
  };
  EXPECT_EQ(after({1, 1, 2, 1.5F}), "floor");
  EXPECT_EQ(after({1, 1, 0.6F, 0.6F}), "ceil");
  EXPECT_EQ(after({1, 1, 0.6F, 2}), "MinMaxceilfloor");
}

TEST(Upgrade, MakesConstantsOfConstantNodesAlsoWithinBranches) {
  auto inner = std::make_shared<Graph>();
  inner->nodes.push_back({"Constant", {}, "c", {}, {"inside"}, {{"value_int", std::int64_t{3}}}});
  inner->outputs.push_back({"inside", DataType::int64, std::nullopt});
  Builder builder;
  const auto flag = builder.input("flag", DataType::boolean, {});
  builder.output(builder.node("If", "y", {flag}, {{"then_branch", inner}, {"else_branch", inner}}), DataType::int64);
  const Model model = upgraded(std::move(builder), 11);
  const auto branch = std::get<std::shared_ptr<const Graph>>(model.graph.nodes.at(0).attributes.at("then_branch"));
  EXPECT_TRUE(branch->nodes.empty());
  EXPECT_EQ(*branch->constant("inside")->to_integers(), Integers{3});
}

TEST(Upgrade, RefusesToNormaliseEachPixelByItself) {
  Builder builder;
  const auto x = builder.input("x", DataType::float32, kImage);
  builder.output(builder.node("BatchNormalization", "y", {x}, {{"spatial", std::int64_t{0}}}));
  Model model = std::move(builder).finish();
  model.opsets[""] = 7;
  EXPECT_EQ(upgrade(model).error().message,
            "BatchNormalization 'y' normalises each pixel by itself (spatial = 0), which is not supported");
}

}  // namespace
}  // namespace alara::graph
