// SPDX-License-Identifier: Apache-2.0
#include "graph/shapes.hpp"

#include <gtest/gtest.h>

#include "graph/builder.hpp"

namespace alara::graph {
namespace {

using Ints = std::vector<std::int64_t>;

const Dim kBatch{-1, "batch"};

// The shape of `op` over inputs of the given dims, as text; the complaint where there is one.
std::string shape_after(const std::string& op, const std::vector<Dims>& inputs,
                        std::map<std::string, Attribute> attributes = {},
                        const std::vector<std::pair<std::size_t, Ints>>& constants = {}) {
  Builder builder;
  std::vector<std::string> names;
  for (const Dims& dims : inputs) names.push_back(builder.input("x", DataType::float32, dims));
  for (const auto& [at, numbers] : constants) {
    if (names.size() <= at) names.resize(at + 1);
    names[at] = builder.constant("c", numbers);
  }
  const auto out = builder.node(op, "y", names, std::move(attributes));
  builder.output(out, DataType::undefined);
  const Model model = std::move(builder).finish();
  const auto values = infer_shapes(model);
  if (!values) return values.error().message;
  const ValueInfo& value = values->find(out)->second;
  return value.dims ? text_of(*value.dims) : "[...]";
}

Dims dims(const Ints& sizes) { return dims_of(sizes); }

TEST(Shapes, OfConvolutions) {
  EXPECT_EQ(shape_after("Conv", {{kBatch, {3, {}}, {32, {}}, {33, {}}}, dims({8, 3, 3, 3})},
                        {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}}),
            "[batch, 8, 16, 17]");
  EXPECT_EQ(
      shape_after("Conv", {dims({1, 4, 10}), dims({4, 1, 3})}, {{"group", std::int64_t{4}}, {"dilations", Ints{2}}}),
      "[1, 4, 6]");
  EXPECT_EQ(shape_after("Conv", {dims({1, 3, 7, 7}), dims({8, 3, 3, 3})},
                        {{"auto_pad", std::string("SAME_UPPER")}, {"strides", Ints{2, 2}}}),
            "[1, 8, 4, 4]");
  EXPECT_EQ(shape_after("ConvTranspose", {dims({1, 4, 5, 5}), dims({4, 2, 3, 3})},
                        {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}, {"output_padding", Ints{1, 1}}}),
            "[1, 2, 10, 10]");
}

TEST(Shapes, NameTheNodeWhoseInputsDoNotFit) {
  EXPECT_EQ(shape_after("Conv", {dims({1, 5, 8, 8}), dims({8, 3, 3, 3})}),
            "Conv 'y': 5 channels do not go into 1 groups of 3 (its inputs are [1, 5, 8, 8], [8, 3, 3, 3])");
  EXPECT_EQ(shape_after("Conv", {dims({1, 3, 2, 2}), dims({8, 3, 3, 3})}),
            "Conv 'y': a window of 3 is larger than its input of 2 (its inputs are [1, 3, 2, 2], [8, 3, 3, 3])");
  EXPECT_EQ(shape_after("Add", {dims({2, 3}), dims({2, 4})}),
            "Add 'y': shapes do not broadcast (its inputs are [2, 3], [2, 4])");
  EXPECT_EQ(shape_after("Gemm", {dims({2, 3}), dims({4, 5})}),
            "Gemm 'y': rows of 3 do not fit columns of 4 (its inputs are [2, 3], [4, 5])");
}

TEST(Shapes, RefuseWhatOverflows) {
  const std::int64_t large = std::int64_t{1} << 30;
  EXPECT_NE(shape_after("Tile", {dims({large})}, {}, {{1, {large}}}).find("more than"), std::string::npos);
  EXPECT_NE(shape_after("Pad", {dims({4})}, {}, {{1, {std::int64_t{1} << 62, 0}}}).find("pads of"), std::string::npos);
  EXPECT_NE(
      shape_after("Conv", {dims({1, 1, 4}), dims({1, 1, 1})}, {{"pads", Ints{std::int64_t{1} << 62, 0}}}).find("pads"),
      std::string::npos);
}

TEST(Shapes, RefuseMoreDimensionsThanTensorsCanHave) {
  const Dims most = dims(Ints(kMaxRank, 1));
  EXPECT_NE(shape_after("Unsqueeze", {most}, {}, {{1, {0}}}).find("65 dimensions"), std::string::npos);
  EXPECT_NE(shape_after("Gather", {most, dims({1, 1})}).find("65 dimensions"), std::string::npos);
  EXPECT_NE(shape_after("Reshape", {dims({1})}, {}, {{1, Ints(65, 1)}}).find("65 dimensions"), std::string::npos);
  EXPECT_NE(shape_after("Expand", {dims({1})}, {}, {{1, Ints(65, 1)}}).find("65 dimensions"), std::string::npos);
}

TEST(Shapes, RefuseSizesBelowZero) {
  EXPECT_NE(shape_after("Pad", {dims({4})}, {}, {{1, {-3, -2}}}).find("takes away more"), std::string::npos);
  EXPECT_EQ(shape_after("Pad", {dims({4})}, {}, {{1, {-3, -1}}}), "[0]");
  EXPECT_NE(shape_after("Split", {dims({4})}, {}, {{1, {-1}}}).find("size -1"), std::string::npos);
}

TEST(Shapes, AreNotGuessedWhereResizeKeepsARatioOrCrops) {
  const std::vector<std::pair<std::size_t, Ints>> sizes{{3, {1, 1, 9, 9}}};
  const auto policy = [](const char* name) {
    return std::map<std::string, Attribute>{{"keep_aspect_ratio_policy", std::string(name)}};
  };
  EXPECT_EQ(shape_after("Resize", {dims({1, 1, 4, 8})}, policy("stretch"), sizes), "[1, 1, 9, 9]");
  EXPECT_EQ(shape_after("Resize", {dims({1, 1, 4, 8})}, policy("not_larger"), sizes), "[?, ?, ?, ?]");

  Builder builder;
  const auto x = builder.input("x", Shape{4});
  const auto scales = builder.constant("scales", Tensor::of(Shape{1}, std::vector<float>{2}));
  const auto roi = builder.constant("roi", Tensor::of(Shape{2}, std::vector<float>{0, 0.5F}));
  builder.node("Resize", "cut", {x, roi, scales},
               {{"coordinate_transformation_mode", std::string("tf_crop_and_resize")}});
  builder.node("Resize", "whole", {x, "", scales});
  const auto values = infer_shapes(std::move(builder).finish());
  ASSERT_TRUE(values);
  EXPECT_EQ(values->find("cut")->second.text(), "cut: float32[?]");
  EXPECT_EQ(values->find("whole")->second.text(), "whole: float32[8]");
}

TEST(Shapes, TakeTheTypeThatQuantizeLinearAsksFor) {
  Builder builder;
  const auto x = builder.input("x", Shape{4});
  const auto scale = builder.scalar("scale", 1);
  builder.node("QuantizeLinear", "plain", {x, scale});
  builder.node("QuantizeLinear", "wide", {x, scale}, {{"output_dtype", std::int64_t{5}}});
  const auto values = infer_shapes(std::move(builder).finish());
  ASSERT_TRUE(values);
  EXPECT_EQ(values->find("plain")->second.text(), "plain: uint8[4]");
  EXPECT_EQ(values->find("wide")->second.text(), "wide: int16[4]");
}

// As a target of Reshape, 6 cast to boolean and back would be 1.
TEST(Shapes, FollowIntegersThroughCastsThatKeepThem) {
  const auto reshaped_by = [](std::vector<std::int64_t> casts) {
    Builder builder;
    const auto x = builder.input("x", Shape{2, 3});
    std::string target = builder.constant("target", Ints{6});
    for (const std::int64_t to : casts) target = builder.node("Cast", "cast", {target}, {{"to", to}});
    builder.node("Reshape", "y", {x, target});
    return infer_shapes(std::move(builder).finish())->find("y")->second.text();
  };
  EXPECT_EQ(reshaped_by({6, 7}), "y: float32[6]");
  EXPECT_EQ(reshaped_by({9, 7}), "y: float32[?]");
}

TEST(Shapes, OfPools) {
  EXPECT_EQ(shape_after("MaxPool", {dims({1, 4, 5, 5})}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}}),
            "[1, 4, 2, 2]");
  EXPECT_EQ(shape_after("MaxPool", {dims({1, 4, 5, 5})},
                        {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}, {"ceil_mode", std::int64_t{1}}}),
            "[1, 4, 3, 3]");
  EXPECT_EQ(shape_after("GlobalAveragePool", {{kBatch, {4, {}}, {5, {}}, {5, {}}}}), "[batch, 4, 1, 1]");
}

TEST(Shapes, OfReshapesKeepFreeDimensions) {
  EXPECT_EQ(shape_after("Reshape", {{kBatch, {3, {}}, {4, {}}}}, {}, {{1, {0, -1}}}), "[batch, 12]");
  EXPECT_EQ(shape_after("Reshape", {{kBatch, {3, {}}, {4, {}}}}, {}, {{1, {-1, 12}}}), "[batch, 12]");
  EXPECT_EQ(shape_after("Reshape", {dims({2, 3, 4})}, {}, {{1, {-1, 8}}}), "[3, 8]");
  EXPECT_NE(shape_after("Reshape", {dims({2, 3, 4})}, {}, {{1, {5, 5}}}).find("24 elements can not become [5, 5]"),
            std::string::npos);
}

TEST(Shapes, OfCuts) {
  EXPECT_EQ(shape_after("Slice", {dims({10, 8})}, {}, {{1, {1, -3}}, {2, {9, 1 << 30}}, {3, {0, 1}}, {4, {2, 1}}}),
            "[4, 3]");
  EXPECT_EQ(shape_after("Slice", {dims({10})}, {},
                        {{1, {-1}}, {2, {std::numeric_limits<std::int64_t>::min()}}, {3, {0}}, {4, {-3}}}),
            "[4]");
  EXPECT_EQ(shape_after("Gather", {dims({5, 6}), {}}, {{"axis", std::int64_t{1}}}), "[5]");
  EXPECT_EQ(shape_after("Concat", {dims({1, 2, 4}), dims({1, 3, 4})}, {{"axis", std::int64_t{-2}}}), "[1, 5, 4]");
}

TEST(Shapes, OfRecurrentLayers) {
  EXPECT_EQ(shape_after("GRU", {{{7, {}}, kBatch, {3, {}}}, dims({1, 15, 3}), dims({1, 15, 5})},
                        {{"hidden_size", std::int64_t{5}}}),
            "[7, 1, batch, 5]");
  EXPECT_EQ(shape_after("LSTM", {{{7, {}}, kBatch, {3, {}}}, dims({2, 20, 3}), dims({2, 20, 5})},
                        {{"direction", std::string("bidirectional")}}),
            "[7, 2, batch, 5]");
}

// x [batch, 3, 4, 5] flattened by a shape that the graph computes: Shape -> Gather 0 -> Unsqueeze -> Concat with -1.
TEST(Shapes, FollowShapesThatAGraphComputes) {
  Builder builder;
  const auto x = builder.input("x", DataType::float32, {kBatch, {3, {}}, {4, {}}, {5, {}}});
  const auto shape = builder.node("Shape", "shape", {x});
  const auto index = builder.constant("zero", Tensor::scalar(std::int64_t{0}));
  const auto size = builder.node("Gather", "size", {shape, index});
  const auto one = builder.node("Unsqueeze", "one", {size, builder.constant("axes", Ints{0})});
  const auto target =
      builder.node("Concat", "target", {one, builder.constant("rest", Ints{-1})}, {{"axis", std::int64_t{0}}});
  const auto y = builder.node("Reshape", "y", {x, target});
  builder.output(y);
  const Model model = std::move(builder).finish();
  const auto values = infer_shapes(model);
  ASSERT_TRUE(values) << values.error().text();
  EXPECT_EQ(values->find("y")->second.text(), "y: float32[batch, 60]");
  const auto fixed = infer_shapes(model, fixed_inputs(model, 8));
  ASSERT_TRUE(fixed);
  EXPECT_EQ(fixed->find("y")->second.text(), "y: float32[8, 60]");
}

TEST(Shapes, OfUnknownOperatorsComeFromTheFile) {
  Builder builder;
  const auto x = builder.input("x", Shape{1, 4});
  const auto y = builder.node("Fancy", "y", {x});
  builder.output(y);
  Model model = std::move(builder).finish();
  model.graph.nodes[0].domain = "com.example";
  EXPECT_EQ(infer_shapes(model)->find("y")->second.text(), "y: float32[...]");
  model.graph.values["y"] = {"y", DataType::float32, dims({1, 2})};
  EXPECT_EQ(infer_shapes(model)->find("y")->second.text(), "y: float32[1, 2]");
}

}  // namespace
}  // namespace alara::graph
