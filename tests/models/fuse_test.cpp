// SPDX-License-Identifier: Apache-2.0
// Every rewrite leaves what a model computes as it was: ONNX Runtime runs the graph before and after.
#include "graph/fuse.hpp"

#include "tests/models/running.hpp"

namespace alara::models {
namespace {

using graph::Attribute;
using graph::Builder;
using graph::Model;
using Integers = std::vector<std::int64_t>;
using Operators = std::vector<std::string>;

class Simplify : public WithRuntime {
 protected:
  // Simplifies; outputs and their names must stay, operators become what is expected.
  static Model expect_same(Builder&& builder, const Operators& expected, double tolerance = 1e-5) {
    const Model before = std::move(builder).finish();
    Model after = before;
    const auto done = graph::simplify(after);
    EXPECT_TRUE(done) << done.error().text();
    if (!done) return after;
    EXPECT_LT(done->rounds, 10);
    EXPECT_EQ(operators(after), expected);
    const auto inputs = random_inputs(before);
    const auto wanted = run(before, inputs);
    const auto got = run(after, inputs);
    EXPECT_EQ(before.graph.outputs.size(), got.size());
    for (std::size_t i = 0; i < std::min(wanted.size(), got.size()); ++i) {
      EXPECT_EQ(before.graph.outputs[i].name, after.graph.outputs[i].name);
      EXPECT_LT(difference(wanted[i], got[i]), tolerance) << "output " << i;
    }
    return after;
  }
};

std::string conv(Builder& builder, const std::string& name, const std::string& input, graph::Shape weight,
                 std::map<std::string, Attribute> attributes = {}) {
  const std::string w = builder.constant(name + "_w", random_tensor(weight, 7));
  const std::string b = builder.constant(name + "_b", random_tensor({weight[0]}, 8));
  return builder.node("Conv", name, {input, w, b}, std::move(attributes));
}

std::string norm(Builder& builder, const std::string& name, const std::string& input, std::int64_t channels) {
  return builder.node("BatchNormalization", name,
                      {input, builder.constant(name + "_s", random_tensor({channels}, 1, 0.5F, 2)),
                       builder.constant(name + "_o", random_tensor({channels}, 2)),
                       builder.constant(name + "_m", random_tensor({channels}, 3)),
                       builder.constant(name + "_v", random_tensor({channels}, 4, 0.1F, 3))});
}

TEST_F(Simplify, PutsBatchNormalisationIntoTheConvBeforeIt) {
  Builder builder;
  std::string x = builder.input("x", graph::Shape{2, 4, 6, 6});
  x = norm(builder, "bn",
           conv(builder, "conv", x, {6, 2, 3, 3}, {{"group", std::int64_t{2}}, {"pads", Integers{1, 1, 1, 1}}}), 6);
  builder.output(builder.node("Relu", "y", {x}));
  expect_same(std::move(builder), {"Conv", "Relu"});
}

TEST_F(Simplify, PutsBatchNormalisationIntoATransposedConvWithGroups) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{1, 4, 5, 5});
  const std::string w = builder.constant("w", random_tensor({4, 3, 2, 2}, 7));
  const std::string up =
      builder.node("ConvTranspose", "up", {x, w}, {{"group", std::int64_t{2}}, {"strides", Integers{2, 2}}});
  builder.output(norm(builder, "y", up, 6));
  expect_same(std::move(builder), {"ConvTranspose"});
}

TEST_F(Simplify, PutsBatchNormalisationIntoTheUnpaddedConvBehindIt) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{1, 4, 6, 6});
  builder.output(conv(builder, "y", norm(builder, "bn", x, 4), {6, 2, 3, 3}, {{"group", std::int64_t{2}}}));
  expect_same(std::move(builder), {"Conv"});
}

TEST_F(Simplify, LeavesAShiftInFrontOfAPaddedConv) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{1, 4, 6, 6});
  builder.output(conv(builder, "y", norm(builder, "bn", x, 4), {6, 4, 3, 3}, {{"pads", Integers{1, 1, 1, 1}}}));
  expect_same(std::move(builder), {"BatchNormalization", "Conv"});
}

TEST_F(Simplify, PutsAScaleBeforeAPaddedConvIntoIt) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{1, 3, 6, 6});
  const std::string scaled = builder.node("Div", "scaled", {x, builder.scalar("255", 255)});
  builder.output(conv(builder, "y", scaled, {4, 3, 3, 3}, {{"pads", Integers{1, 1, 1, 1}}}));
  expect_same(std::move(builder), {"Conv"});
}

TEST_F(Simplify, DoesNotPutAScaleThatRepeatsChannelsIntoTheConv) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{1, 1, 6, 6});
  const std::string scaled = builder.node("Mul", "scaled", {x, builder.constant("s", random_tensor({3, 1, 1}, 3))});
  builder.output(conv(builder, "y", scaled, {4, 3, 3, 3}));
  expect_same(std::move(builder), {"Mul", "Conv"});
}

TEST_F(Simplify, PutsConstantsByChannelBehindConvAndGemmIntoThem) {
  Builder builder;
  std::string x = builder.input("x", graph::Shape{2, 3, 4, 4});
  x = builder.node("Mul", "mul",
                   {conv(builder, "conv", x, {4, 3, 1, 1}), builder.constant("m", random_tensor({4, 1, 1}, 3))});
  x = builder.node("Sub", "sub", {builder.constant("s", random_tensor({1, 4, 1, 1}, 4)), x});
  x = builder.node("Flatten", "flat", {builder.node("Relu", "relu", {x})});
  x = builder.node(
      "Gemm", "fc",
      {x, builder.constant("fc_w", random_tensor({5, 64}, 5)), builder.constant("fc_b", random_tensor({5}, 6))},
      {{"transB", std::int64_t{1}}, {"alpha", 0.5F}, {"beta", 2.0F}});
  x = builder.node("Add", "add", {x, builder.constant("a", random_tensor({5}, 6))});
  builder.output(builder.node("Mul", "y", {x, builder.scalar("half", 0.5F)}));
  expect_same(std::move(builder), {"Conv", "Relu", "Flatten", "Gemm"});
}

TEST_F(Simplify, DoesNotMergeWhatIsUsedTwiceOrIsAnOutput) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{1, 4, 6, 6});
  const std::string a = conv(builder, "a", x, {4, 4, 1, 1});
  const std::string b = conv(builder, "b", x, {4, 4, 1, 1});
  const std::string sum = builder.node("Add", "sum", {norm(builder, "bn_a", a, 4), a});
  builder.output(b);
  builder.output(builder.node("Mul", "y", {sum, norm(builder, "bn_b", b, 4)}));
  expect_same(std::move(builder), {"Conv", "Conv", "BatchNormalization", "Add", "BatchNormalization", "Mul"});
}

TEST_F(Simplify, KeepsWeightsThatTwoLayersShare) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{1, 4, 6, 6});
  const std::string w = builder.constant("w", random_tensor({4, 4, 1, 1}, 3));
  const std::string a = norm(builder, "bn", builder.node("Conv", "a", {x, w}), 4);
  const std::string b = builder.node("Relu", "b", {builder.node("Conv", "c", {x, w})});
  builder.output(builder.node("Add", "y", {a, b}));
  expect_same(std::move(builder), {"Conv", "Conv", "Relu", "Add"});
}

TEST_F(Simplify, MakesMatMulAndAddAGemm) {
  Builder builder;
  std::string x = builder.input("x", graph::DataType::float32, {{-1, "batch"}, {6, {}}});
  x = builder.node("MatMul", "product", {x, builder.constant("w", random_tensor({6, 4}, 3))});
  builder.output(builder.node("Add", "y", {builder.constant("b", random_tensor({1, 4}, 4)), x}));
  expect_same(std::move(builder), {"Gemm"});
}

TEST_F(Simplify, LeavesMatMulOfThreeDimensionsButScalesIt) {
  Builder builder;
  std::string x = builder.input("x", graph::Shape{2, 3, 6});
  x = builder.node("MatMul", "product", {x, builder.constant("w", random_tensor({6, 4}, 3))});
  x = builder.node("Mul", "scaled", {x, builder.constant("s", random_tensor({4}, 5))});
  builder.output(builder.node("Add", "y", {x, builder.constant("b", random_tensor({4}, 4))}));
  expect_same(std::move(builder), {"MatMul", "Add"});
}

TEST_F(Simplify, RemovesWhatDoesNothing) {
  Builder builder;
  std::string x = builder.input("x", graph::DataType::float32, {{-1, "batch"}, {4, {}}});
  x = builder.node("Identity", "same", {x});
  x = builder.node("Relu", "relu", {x});
  x = builder.node("Dropout", "dropped", {x});
  x = builder.node("Cast", "cast", {x}, {{"to", std::int64_t{1}}});
  x = builder.node("Reshape", "shaped", {x, builder.constant("shape", Integers{-1, 4})});
  x = builder.node("Mul", "times_one", {x, builder.scalar("one", 1)});
  x = builder.node("Concat", "alone", {x}, {{"axis", std::int64_t{1}}});
  builder.output(builder.node("Identity", "y", {x}));
  expect_same(std::move(builder), {"Relu"});
}

TEST_F(Simplify, KeepsAnIdentityBetweenInputAndOutput) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{2, 4});
  builder.output(builder.node("Identity", "y", {x}));
  const std::string relu = builder.node("Relu", "z", {x});
  builder.output(relu);
  builder.output(builder.node("Identity", "z_again", {relu}));
  expect_same(std::move(builder), {"Identity", "Relu", "Identity"});
}

TEST_F(Simplify, KeepsAMultiplicationByOnesThatWidensTheShape) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{2, 1});
  const std::string ones = builder.constant("ones", random_tensor({2, 4}, 1, 1, 1));
  builder.output(builder.node("Mul", "y", {x, ones}));
  expect_same(std::move(builder), {"Mul"});
}

TEST_F(Simplify, MergesReshapesAndComputesTheirShapes) {
  Builder builder;
  const std::string x = builder.input("x", graph::DataType::float32, {{-1, "batch"}, {4, {}}, {6, {}}});
  const std::string shape = builder.node("Shape", "shape", {x});
  const std::string rows = builder.node("Gather", "rows", {shape, builder.constant("zero", Integers{0})});
  const std::string four = builder.node("Gather", "four", {shape, builder.constant("one", Integers{1})});
  const std::string wanted =
      builder.node("Concat", "wanted", {four, builder.constant("rest", Integers{-1})}, {{"axis", std::int64_t{0}}});
  std::string y = builder.node("Reshape", "wide", {x, builder.constant("wide_shape", Integers{-1, 24})});
  y = builder.node("Reshape", "tall", {y, wanted});
  builder.output(y);
  builder.output(rows, graph::DataType::int64);
  expect_same(std::move(builder), {"Shape", "Gather", "Reshape"});
}

std::string turn(Builder& builder, const std::string& name, const std::string& x, Integers order) {
  return builder.node("Transpose", name, {x}, {{"perm", std::move(order)}});
}

TEST_F(Simplify, TransposesAroundElementWiseOperatorsVanish) {
  Builder builder;
  std::string x = builder.input("x", graph::Shape{2, 3, 4, 5});
  x = turn(builder, "last", x, {0, 2, 3, 1});
  x = builder.node("Add", "shifted", {x, builder.constant("shift", random_tensor({3}, 3))});
  x = builder.node("Mul", "scaled", {x, builder.constant("scale", random_tensor({1, 4, 1, 1}, 3))});
  x = builder.node("Sigmoid", "act", {x});
  builder.output(turn(builder, "y", x, {0, 3, 1, 2}));
  expect_same(std::move(builder), {"Add", "Mul", "Sigmoid"});
}

TEST_F(Simplify, TransposesOfBothSidesOfAResidualBecomeNone) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{2, 3, 4, 5});
  const std::string a = turn(builder, "a", conv(builder, "conv_a", x, {3, 3, 1, 1}), {0, 2, 3, 1});
  const std::string b = turn(builder, "b", conv(builder, "conv_b", x, {3, 3, 1, 1}), {0, 2, 3, 1});
  const std::string sum = builder.node("Add", "sum", {builder.node("Relu", "relu", {a}), b});
  const std::string joined =
      builder.node("Concat", "joined", {sum, turn(builder, "c", x, {0, 2, 3, 1})}, {{"axis", std::int64_t{-1}}});
  builder.output(turn(builder, "y", joined, {0, 3, 1, 2}));
  expect_same(std::move(builder), {"Conv", "Conv", "Relu", "Add", "Concat"});
}

TEST_F(Simplify, ReductionsOverTransposedAxesAreTurned) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{2, 3, 4, 5});
  const std::string a = builder.node("ReduceMean", "mean", {turn(builder, "a", x, {0, 2, 3, 1})},
                                     {{"axes", Integers{1, 2}}, {"keepdims", std::int64_t{0}}});
  const std::string b =
      builder.node("ReduceMax", "most", {turn(builder, "b", x, {0, 2, 3, 1})}, {{"axes", Integers{-2, 1}}});
  builder.output(a);
  builder.output(turn(builder, "y", b, {0, 3, 1, 2}));
  expect_same(std::move(builder), {"ReduceMean", "ReduceMax"});
}

TEST_F(Simplify, TurnsIntegersRatherThanWhatTheyStandFor) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{1, 4, 5, 3});
  const std::string scale = builder.scalar("scale", 0.01F);
  const std::string zero = builder.constant("zero", graph::Tensor::scalar<std::uint8_t>(128));
  const std::string q = builder.node("QuantizeLinear", "q", {x, scale, zero});
  builder.output(turn(builder, "y", builder.node("DequantizeLinear", "dq", {q, scale, zero}), {0, 3, 1, 2}));
  expect_same(std::move(builder), {"QuantizeLinear", "Transpose", "DequantizeLinear"});
}

TEST_F(Simplify, PutsPaddingIntoConvAndPools) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{1, 2, 7, 7});
  const std::string pads = builder.constant("pads", Integers{0, 0, 1, 0, 0, 0, 1, 2});
  const std::string a =
      builder.node("Relu", "a", {conv(builder, "conv", builder.node("Pad", "p", {x, pads}), {4, 2, 3, 3})});
  const std::map<std::string, Attribute> pool{{"kernel_shape", Integers{3, 3}}, {"strides", Integers{2, 2}}};
  builder.output(builder.node("MaxPool", "most", {builder.node("Pad", "q", {a, pads})}, pool));
  builder.output(builder.node("AveragePool", "mean", {builder.node("Pad", "r", {a, pads})}, pool));
  builder.output(builder.node("MaxPool", "least", {builder.node("Pad", "s", {x, pads})}, pool));  // x may be negative
  expect_same(std::move(builder), {"Conv", "Relu", "MaxPool", "AveragePool", "Pad", "MaxPool"});
}

TEST_F(Simplify, NamesSpeltOutActivations) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{4, 50});
  const std::string zero = builder.scalar("0", 0);
  const std::string six = builder.scalar("6", 6);
  const auto big = [&](const std::string& name) {
    return builder.node("Mul", name, {x, builder.scalar(name + "_8", 8)});
  };
  const auto gate = [&](const std::string& name, const std::string& of) {
    return builder.node("Clip", name + "_clip",
                        {builder.node("Add", name + "_add", {of, builder.scalar(name + "_3", 3)}), zero, six});
  };
  const std::string a = big("a");
  builder.output(builder.node("Div", "swish_1", {builder.node("Mul", "m1", {a, gate("a", a)}), six}));
  const std::string b = big("b");
  builder.output(builder.node("Mul", "swish_2",
                              {b, builder.node("Mul", "sixth", {gate("b", b), builder.scalar("1/6", 1.0F / 6)})}));
  const std::string c = big("c");
  builder.output(builder.node("Mul", "swish_3", {builder.node("Div", "d6", {c, six}), gate("c", c)}));
  builder.output(builder.node(
      "Div", "sigmoid",
      {builder.scalar("one", 1),
       builder.node("Add", "plus",
                    {builder.scalar("one_b", 1), builder.node("Exp", "e", {builder.node("Neg", "n", {x})})})}));
  builder.output(builder.node("Min", "relu6", {builder.node("Max", "relu", {x, zero}), six}));
  expect_same(std::move(builder), {"Mul", "HardSwish", "HardSwish", "HardSwish", "Sigmoid", "Clip"});
}

// Gates of a model whose constants went through float16: only who asks for it gets the hard-swish that was meant.
TEST_F(Simplify, KnowsSixthsOfFloat16OnlyWhenTheyAreRestored) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{4, 50});
  const std::string gate = builder.node(
      "Clip", "clip",
      {builder.node("Add", "add", {x, builder.scalar("3", 3)}), builder.scalar("0", 0), builder.scalar("6", 6)});
  const float sixth = graph::from_half(graph::to_half(1.0F / 6));
  builder.output(builder.node("Mul", "y", {builder.node("Mul", "m", {x, gate}), builder.scalar("sixth", sixth)}));
  Model model = std::move(builder).finish();
  Model as_written = model;
  ASSERT_TRUE(graph::simplify(as_written));
  EXPECT_EQ(as_written.graph.nodes.size(), 4U);
  EXPECT_EQ(graph::restore_sixths(model.graph), 1U);
  ASSERT_TRUE(graph::simplify(model));
  ASSERT_EQ(model.graph.nodes.size(), 1U);
  EXPECT_EQ(model.graph.nodes[0].op, "HardSwish");
}

TEST_F(Simplify, EqualNodesBecomeOneAndOutputsKeepTheirNames) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{2, 4});
  const std::string a = builder.node("Relu", "a", {x});
  const std::string b = builder.node("Relu", "b", {x});
  const std::string c = builder.node("Relu", "c", {x});
  builder.output(builder.node("Add", "y", {builder.node("Tanh", "ta", {a}), builder.node("Tanh", "tb", {b})}));
  builder.output(c);
  expect_same(std::move(builder), {"Relu", "Tanh", "Add"});
}

TEST_F(Simplify, TrainableConstantsStayApart) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{1, 4, 3, 3});
  builder.output(conv(builder, "y", conv(builder, "z", x, {4, 4, 1, 1}), {4, 4, 1, 1}));
  const Model after = expect_same(std::move(builder), {"Conv", "Conv"});
  EXPECT_EQ(after.graph.constants.size(), 4u);
}

TEST_F(Simplify, ConvertsHalfPrecisionWeightsOnce) {
  Builder builder;
  const std::string x = builder.input("x", graph::Shape{1, 2, 3, 3});
  graph::Tensor half = graph::Tensor::zeros(graph::DataType::float16, {2, 2, 1, 1});
  const std::uint16_t bits[4] = {graph::to_half(0.1F), graph::to_half(-2), graph::to_half(0.3F), graph::to_half(1e-6F)};
  std::memcpy(half.bytes.data(), bits, sizeof bits);
  const std::string w = builder.node("Cast", "w", {builder.constant("w16", half)}, {{"to", std::int64_t{1}}});
  builder.output(builder.node("Conv", "y", {x, w}));
  const Model after = expect_same(std::move(builder), {"Conv"});
  EXPECT_EQ(after.graph.constants.begin()->second->type, graph::DataType::float32);
}

}  // namespace
}  // namespace alara::models
