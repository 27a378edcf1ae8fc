// SPDX-License-Identifier: Apache-2.0
#include "graph/tflite/tflite_file.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "graph/tflite/tflite_fixture.hpp"

namespace alara::graph {
namespace {

using namespace tflite::test;
using tflite::schema::FusedActivation;
using tflite::schema::Padding;

std::vector<std::string> ops_of(const Model& model) {
  std::vector<std::string> out;
  for (const Node& node : model.graph.nodes) out.push_back(node.op);
  return out;
}

const Node& node_of(const Model& model, const std::string& op) {
  const auto found =
      std::find_if(model.graph.nodes.begin(), model.graph.nodes.end(), [&](const Node& node) { return node.op == op; });
  EXPECT_NE(found, model.graph.nodes.end()) << op;
  return *found;
}

std::string complaint(const std::vector<std::byte>& bytes) {
  const auto model = parse_tflite(bytes);
  return model ? "" : model.error().message;
}

std::vector<float> counting(std::size_t count) {
  std::vector<float> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(static_cast<float>(i));
  return out;
}

// x[1, 4, 4, 2] -> 3x3 convolution to 3 channels with a bias and `activation`.
std::vector<std::byte> convolution(FusedActivation activation = FusedActivation::NONE, Padding padding = Padding::SAME,
                                   const std::vector<int>& declared = {1, 4, 4, 3}) {
  SmallTflite file;
  const int x = file.floats("x", {1, 4, 4, 2});
  const int w = file.floats("w", {3, 3, 3, 2}, counting(54));
  const int b = file.floats("b", {3}, {1, 2, 3});
  const int y = file.floats("y", declared);
  file.op(BuiltinOperator::CONV_2D, {x, w, b}, {y}, BuiltinOptions::Conv2DOptions, file.conv(padding, 1, activation));
  return file.finish({x}, {y});
}

TEST(Tflite, AConvolutionTurnsItsInputAndItsOutputOnce) {
  const auto model = parse_tflite(convolution());
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_EQ(ops_of(*model), (std::vector<std::string>{"Transpose", "Conv", "Transpose"}));
  EXPECT_EQ(model->graph.inputs[0].text(), "x: float32[1, 4, 4, 2]");
  EXPECT_EQ(model->graph.outputs[0].text(), "y: float32[1, 4, 4, 3]");
  EXPECT_EQ(model->graph.nodes.back().outputs[0], "y");
  const Node& conv = node_of(*model, "Conv");
  EXPECT_EQ(conv.integers("pads"), (std::vector<std::int64_t>{1, 1, 1, 1}));
  EXPECT_EQ(conv.integer("group", 0), 1);
}

TEST(Tflite, WeightsChangeFromOutHeightWidthInToOutInHeightWidth) {
  const auto model = parse_tflite(convolution());
  ASSERT_TRUE(model) << model.error().text();
  const Tensor* weights = model->graph.constant(node_of(*model, "Conv").input(1));
  ASSERT_NE(weights, nullptr);
  EXPECT_EQ(weights->shape, (Shape{3, 2, 3, 3}));
  const auto numbers = weights->values<float>();
  EXPECT_EQ(numbers[0], 0);    // out 0, in 0, row 0, column 0
  EXPECT_EQ(numbers[1], 2);    // next column: two channels further in the file
  EXPECT_EQ(numbers[9], 1);    // next channel
  EXPECT_EQ(numbers[18], 18);  // next output
}

TEST(Tflite, PaddingSameOfAnEvenStrideLeavesTheOddPixelAtTheEnd) {
  SmallTflite file;
  const int x = file.floats("x", {1, 4, 4, 1});
  const int w = file.floats("w", {1, 3, 3, 1}, counting(9));
  const int y = file.floats("y", {1, 2, 2, 1});
  file.op(BuiltinOperator::CONV_2D, {x, w}, {y}, BuiltinOptions::Conv2DOptions, file.conv(Padding::SAME, 2));
  const auto model = parse_tflite(file.finish({x}, {y}));
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_EQ(node_of(*model, "Conv").integers("pads"), (std::vector<std::int64_t>{0, 0, 1, 1}));
}

TEST(Tflite, FusedActivationsBecomeNodesOfTheirOwn) {
  const auto relu = parse_tflite(convolution(FusedActivation::RELU));
  ASSERT_TRUE(relu) << relu.error().text();
  EXPECT_EQ(ops_of(*relu), (std::vector<std::string>{"Transpose", "Conv", "Relu", "Transpose"}));
  const auto relu6 = parse_tflite(convolution(FusedActivation::RELU6));
  ASSERT_TRUE(relu6) << relu6.error().text();
  const Node& clip = node_of(*relu6, "Clip");
  EXPECT_EQ(relu6->graph.constant(clip.input(1))->values<float>()[0], 0);
  EXPECT_EQ(relu6->graph.constant(clip.input(2))->values<float>()[0], 6);
  EXPECT_EQ(complaint(convolution(FusedActivation::SIGN_BIT)),
            "operator 0 (CONV_2D 'y'): fused activation 5 is not supported");
}

TEST(Tflite, ADepthwiseConvolutionHasAGroupForEachChannel) {
  SmallTflite file;
  const int x = file.floats("x", {1, 4, 4, 2});
  const int w = file.floats("w", {1, 3, 3, 4}, counting(36));  // two outputs for each channel
  const int y = file.floats("y", {1, 2, 2, 4});
  file.op(BuiltinOperator::DEPTHWISE_CONV_2D, {x, w}, {y}, BuiltinOptions::DepthwiseConv2DOptions,
          tflite::schema::CreateDepthwiseConv2DOptions(file.builder(), Padding::VALID, 1, 1, 2).Union());
  const auto model = parse_tflite(file.finish({x}, {y}));
  ASSERT_TRUE(model) << model.error().text();
  const Node& conv = node_of(*model, "Conv");
  EXPECT_EQ(conv.integer("group", 0), 2);
  const Tensor* weights = model->graph.constant(conv.input(1));
  EXPECT_EQ(weights->shape, (Shape{4, 1, 3, 3}));
  EXPECT_EQ(weights->values<float>()[1], 4);  // next column: all outputs of a pixel lie together in the file
}

// Convolution, addition of itself, joining with a second one, mean over the picture, dense layer.
TEST(Tflite, WhatComesBetweenConvolutionsStaysChannelsFirst) {
  SmallTflite file;
  const int x = file.floats("x", {1, 4, 4, 2});
  const int w = file.floats("w", {2, 1, 1, 2}, counting(4));
  const int a = file.floats("a", {1, 4, 4, 2});
  const int scale = file.floats("scale", {2}, {2, 3});
  const int scaled = file.floats("scaled", {1, 4, 4, 2});
  const int joined = file.floats("joined", {1, 4, 4, 4});
  const int mean = file.floats("mean", {1, 4});
  const int dense = file.floats("dense", {3, 4}, counting(12));
  const int y = file.floats("y", {1, 3});
  auto& bytes = file.builder();
  file.op(BuiltinOperator::CONV_2D, {x, w}, {a}, BuiltinOptions::Conv2DOptions, file.conv(Padding::SAME));
  file.op(BuiltinOperator::MUL, {a, scale}, {scaled}, BuiltinOptions::MulOptions,
          tflite::schema::CreateMulOptions(bytes).Union());
  file.op(BuiltinOperator::CONCATENATION, {a, scaled}, {joined}, BuiltinOptions::ConcatenationOptions,
          tflite::schema::CreateConcatenationOptions(bytes, -1).Union());
  const int axes = file.integers("axes", {1, 2});
  file.op(BuiltinOperator::MEAN, {joined, axes}, {mean}, BuiltinOptions::ReducerOptions,
          tflite::schema::CreateReducerOptions(bytes, false).Union());
  file.op(BuiltinOperator::FULLY_CONNECTED, {mean, dense, -1}, {y}, BuiltinOptions::FullyConnectedOptions,
          tflite::schema::CreateFullyConnectedOptions(bytes).Union());
  const auto model = parse_tflite(file.finish({x}, {y}));
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_EQ(ops_of(*model), (std::vector<std::string>{"Transpose", "Conv", "Mul", "Concat", "ReduceMean", "Gemm"}));
  EXPECT_EQ(node_of(*model, "Concat").integer("axis", -1), 1);
  EXPECT_EQ(node_of(*model, "ReduceMean").integers("axes"), (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(model->graph.constant(node_of(*model, "Mul").input(1))->shape, (Shape{1, 2, 1, 1}));
}

TEST(Tflite, QuantisedNumbersBecomePairsOfQuantizeAndDequantize) {
  SmallTflite file;
  const int x = file.tensor("x", TensorType::INT8, {1, 2, 2, 1}, {}, {{0.5F}, {-3}});
  const int w = file.tensor("w", TensorType::INT8, {2, 1, 1, 1}, {10, 20}, {{0.25F, 0.125F}, {0, 0}, 0});
  const int b = file.tensor("b", TensorType::INT32, {2}, raw(std::vector<std::int32_t>{100, -100}),
                            {{0.125F, 0.0625F}, {0, 0}, 0});
  const int y = file.tensor("y", TensorType::INT8, {1, 2, 2, 2}, {}, {{2.0F}, {5}});
  file.op(BuiltinOperator::CONV_2D, {x, w, b}, {y}, BuiltinOptions::Conv2DOptions,
          file.conv(Padding::VALID, 1, FusedActivation::RELU));
  const auto model = parse_tflite(file.finish({x}, {y}));
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_EQ(ops_of(*model),
            (std::vector<std::string>{"DequantizeLinear", "Transpose", "DequantizeLinear", "DequantizeLinear", "Conv",
                                      "Relu", "QuantizeLinear", "Transpose"}));
  EXPECT_EQ(model->graph.inputs[0].text(), "x: int8[1, 2, 2, 1]");
  EXPECT_EQ(model->graph.outputs[0].text(), "y: int8[1, 2, 2, 2]");
  const Node& quantize = node_of(*model, "QuantizeLinear");
  EXPECT_EQ(model->graph.constant(quantize.input(1))->values<float>()[0], 2.0F);
  EXPECT_EQ(model->graph.constant(quantize.input(2))->values<std::int8_t>()[0], 5);
  const Node& weights = model->graph.nodes[2];
  EXPECT_EQ(model->graph.constant(weights.input(0))->text(), "int8[2, 1, 1, 1]");
  EXPECT_EQ(model->graph.constant(weights.input(1))->text(), "float32[2]");
  EXPECT_EQ(weights.integer("axis", -1), 0);
  const Node& bias = model->graph.nodes[3];
  EXPECT_EQ(model->graph.constant(bias.input(0))->text(), "int32[2]");
  EXPECT_EQ(bias.inputs.size(), 2u);  // int32 has no zero point in ONNX
}

TEST(Tflite, ScalesOfADepthwiseWeightMoveWithTheirAxis) {
  SmallTflite file;
  const int x = file.tensor("x", TensorType::INT8, {1, 1, 1, 2}, {}, {{0.5F}, {0}});
  const int w = file.tensor("w", TensorType::INT8, {1, 1, 1, 2}, {10, 20}, {{0.25F, 0.125F}, {0, 0}, 3});
  const int y = file.tensor("y", TensorType::INT8, {1, 1, 1, 2}, {}, {{2.0F}, {0}});
  file.op(BuiltinOperator::DEPTHWISE_CONV_2D, {x, w}, {y}, BuiltinOptions::DepthwiseConv2DOptions,
          tflite::schema::CreateDepthwiseConv2DOptions(file.builder(), Padding::VALID, 1, 1, 1).Union());
  const auto model = parse_tflite(file.finish({x}, {y}));
  ASSERT_TRUE(model) << model.error().text();
  const auto weights = std::find_if(model->graph.nodes.begin(), model->graph.nodes.end(),
                                    [](const Node& node) { return node.op == "DequantizeLinear" && node.has("axis"); });
  ASSERT_NE(weights, model->graph.nodes.end());
  EXPECT_EQ(weights->integer("axis", -1), 0);
  EXPECT_EQ(model->graph.constant(weights->input(0))->shape, (Shape{2, 1, 1, 1}));
}

TEST(Tflite, HalfPrecisionConstantsBecomeSinglePrecision) {
  SmallTflite file;
  const int x = file.floats("x", {1, 2});
  const int half = file.tensor("half", TensorType::FLOAT16, {2}, raw(std::vector<std::uint16_t>{0x3C00, 0xC000}));
  const int full = file.floats("full", {2});
  const int y = file.floats("y", {1, 2});
  file.op(BuiltinOperator::DEQUANTIZE, {half}, {full});
  file.op(BuiltinOperator::MUL, {x, full}, {y}, BuiltinOptions::MulOptions,
          tflite::schema::CreateMulOptions(file.builder()).Union());
  const auto model = parse_tflite(file.finish({x}, {y}));
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_EQ(ops_of(*model), (std::vector<std::string>{"Mul"}));
  EXPECT_EQ(*model->graph.constant(model->graph.nodes[0].input(1))->to_floats(), (std::vector<float>{1, -2}));
}

// [[0, 7, 0], [0, 0, 0], [8, 0, 9]] with its columns listed for each row.
TEST(Tflite, SparseConstantsBecomeDense) {
  namespace schema = tflite::schema;
  SmallTflite file;
  auto& bytes = file.builder();
  const auto list = [&](const std::vector<std::int32_t>& numbers) {
    return schema::CreateInt32Vector(bytes, bytes.CreateVector(numbers)).Union();
  };
  const auto rows = schema::CreateDimensionMetadata(bytes, schema::DimensionType::DENSE, 3);
  const auto columns = schema::CreateDimensionMetadata(bytes, schema::DimensionType::SPARSE_CSR, 0,
                                                       schema::SparseIndexVector::Int32Vector, list({0, 1, 1, 3}),
                                                       schema::SparseIndexVector::Int32Vector, list({1, 0, 2}));
  file.sparsity(schema::CreateSparsityParameters(bytes, bytes.CreateVector(std::vector<std::int32_t>{0, 1}), 0,
                                                 bytes.CreateVector(std::vector{rows, columns})));
  const int sparse = file.floats("sparse", {3, 3}, {7, 8, 9});
  const int dense = file.floats("dense", {3, 3});
  const int x = file.floats("x", {3, 3});
  const int y = file.floats("y", {3, 3});
  file.op(BuiltinOperator::DENSIFY, {sparse}, {dense});
  file.op(BuiltinOperator::MUL, {x, dense}, {y}, BuiltinOptions::MulOptions, schema::CreateMulOptions(bytes).Union());
  const auto model = parse_tflite(file.finish({x}, {y}));
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_EQ(*model->graph.constant(model->graph.nodes[0].input(1))->to_floats(),
            (std::vector<float>{0, 7, 0, 0, 0, 0, 8, 0, 9}));
}

TEST(Tflite, AnOpenBatchStaysOpen) {
  SmallTflite file;
  const int x = file.tensor("x", TensorType::FLOAT32, {1, 2, 2, 1}, {}, {}, {-1, 2, 2, 1});
  const int shape = file.integers("shape", {-1, 4});
  const int y = file.tensor("y", TensorType::FLOAT32, {1, 4}, {}, {}, {-1, 4});
  file.op(BuiltinOperator::RESHAPE, {x, shape}, {y});
  const auto model = parse_tflite(file.finish({x}, {y}));
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_EQ(model->graph.inputs[0].text(), "x: float32[batch, 2, 2, 1]");
  EXPECT_EQ(model->graph.outputs[0].text(), "y: float32[batch, 4]");
}

TEST(Tflite, EveryUnsupportedOperatorIsNamedWithItsPlace) {
  SmallTflite file;
  const int x = file.floats("x", {1, 4});
  const int a = file.floats("a", {1, 4});
  const int b = file.floats("b", {1, 4});
  const int c = file.floats("c", {1, 4});
  file.op(BuiltinOperator::LSTM, {x}, {a});
  file.op(BuiltinOperator::RELU, {a}, {b});
  file.op(BuiltinOperator::CUSTOM, {b}, {c}, BuiltinOptions::NONE, 0, "MyOwn");
  const auto model = parse_tflite(file.finish({x}, {c}));
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().kind, ErrorKind::bad_input);
  EXPECT_EQ(model.error().message, "not supported: operator 0 (LSTM 'a'), operator 2 (CUSTOM MyOwn 'c')");
}

TEST(Tflite, ShapesThatContradictTheirOperatorAreNamed) {
  EXPECT_EQ(complaint(convolution(FusedActivation::NONE, Padding::VALID)),
            "operator 0 (CONV_2D 'y'): its output has shape [1, 2, 2, 3], but is declared as [1, 4, 4, 3]");
  EXPECT_EQ(complaint(convolution(FusedActivation::NONE, Padding::VALID, {1, 2, 2, 3})), "");
}

TEST(Tflite, IndicesThatLeadNowhereAreRefused) {
  const auto with = [](int input, int output, int code_input) {
    SmallTflite file;
    const int x = file.floats("x", {4});
    const int y = file.floats("y", {4});
    file.op(BuiltinOperator::RELU, {code_input}, {y});
    static_cast<void>(x);
    return file.finish({input}, {output});
  };
  EXPECT_EQ(complaint(with(0, 1, 0)), "");
  EXPECT_EQ(complaint(with(7, 1, 0)), "tensor 7 of 2");
  EXPECT_EQ(complaint(with(0, -2, 0)), "tensor -2 of 2");
  EXPECT_EQ(complaint(with(0, 1, 99)), "operator 0 (RELU 'y'): tensor 99 of 2");
  EXPECT_EQ(complaint(with(0, 1, -1)), "operator 0 (RELU 'y'): input 0 is not there");
}

TEST(Tflite, OperatorsOutOfOrderOrInACircleAreRefused) {
  SmallTflite file;
  const int x = file.floats("x", {4});
  const int a = file.floats("a", {4});
  const int b = file.floats("b", {4});
  file.op(BuiltinOperator::MAXIMUM, {x, b}, {a});
  file.op(BuiltinOperator::RELU, {a}, {b});
  EXPECT_EQ(complaint(file.finish({x}, {b})), "operator 0 (MAXIMUM 'a'): 'b' is read before anything makes it");
  SmallTflite twice;
  const int in = twice.floats("in", {4});
  const int out = twice.floats("out", {4});
  twice.op(BuiltinOperator::RELU, {in}, {out});
  twice.op(BuiltinOperator::RELU, {in}, {out});
  EXPECT_EQ(complaint(twice.finish({in}, {out})), "operator 1 (RELU 'out'): 'out' is made a second time");
}

TEST(Tflite, HugeShapesAreRefusedBeforeAnythingIsReserved) {
  const auto with = [](const std::vector<int>& shape) {
    SmallTflite file;
    const int x = file.floats("x", {4});
    const int c = file.floats("c", shape, {1});
    const int y = file.floats("y", {4});
    file.op(BuiltinOperator::MAXIMUM, {x, c}, {y});
    return complaint(file.finish({x}, {y}));
  };
  EXPECT_NE(with({2'000'000'000, 2'000'000'000}).find("tensor 'c'"), std::string::npos);
  EXPECT_NE(with({1'000'000'000}).find("4 bytes are there"), std::string::npos);
  EXPECT_NE(with({1, 1, 1, 1, 1, 1, 1, 1, 1}).find("has 9 axes"), std::string::npos);
  EXPECT_NE(with({-5}).find("negative size"), std::string::npos);
}

TEST(Tflite, AListThatOperatorsShareCanNotFillTheMemory) {
  SmallTflite file;
  const int x = file.floats("x", {4});
  file.op(BuiltinOperator::ADD_N, std::vector<int>(10'000, x), {file.floats("y", {4})});
  for (int i = 0; i < 1000; ++i) file.same_op({file.floats("more", {4})});
  const auto bytes = file.finish({x}, {1});
  EXPECT_LT(bytes.size(), 200'000u);  // and 10 million inputs
  EXPECT_NE(complaint(bytes).find("more inputs than a file of this size can hold"), std::string::npos);
}

TEST(Tflite, OneValueCanBeManyOutputs) {
  SmallTflite file;
  const int x = file.floats("x", {4});
  const int y = file.floats("y", {4});
  file.op(BuiltinOperator::RELU, {x}, {y});
  const auto model = parse_tflite(file.finish({x}, {y, y, x}));
  ASSERT_TRUE(model) << model.error().text();
  ASSERT_EQ(model->graph.outputs.size(), 3u);
  EXPECT_EQ(model->graph.outputs[0].name, "y");
  EXPECT_EQ(ops_of(*model), (std::vector<std::string>{"Relu", "Identity", "Identity"}));
}

TEST(Tflite, ScalesThatAreNoPositiveNumbersAreRefused) {
  const auto with = [](const Quantized& quantized) {
    SmallTflite file;
    const int x = file.tensor("x", TensorType::INT8, {2}, {}, quantized);
    const int y = file.tensor("y", TensorType::INT8, {2}, {}, {{0.5F}, {0}});
    file.op(BuiltinOperator::RELU, {x}, {y});
    return complaint(file.finish({x}, {y}));
  };
  EXPECT_EQ(with({{0.5F}, {0}}), "");
  EXPECT_EQ(with({{0.0F}, {0}}), "tensor 'x' has a scale of 0");
  EXPECT_EQ(with({{-1.0F}, {0}}), "tensor 'x' has a scale of -1");
  EXPECT_EQ(with({{0.5F}, {200}}), "tensor 'x' has a zero point of 200");
  EXPECT_EQ(with({{0.5F, 0.25F}, {0, 0}, 0}), "tensor 'x' has 2 scales along axis 0 of [2]");
}

TEST(Tflite, EveryCutShortFileIsRefused) {
  const auto whole = convolution();
  ASSERT_TRUE(parse_tflite(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto model = parse_tflite(std::span(whole).first(size));
    ASSERT_FALSE(model) << "the first " << size << " bytes";
  }
}

TEST(Tflite, EverySingleDamagedByteIsSurvived) {
  const auto whole = convolution(FusedActivation::RELU);
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const char byte : {'\x00', '\x7f', '\xff'}) {
      auto damaged = whole;
      damaged[at] = static_cast<std::byte>(byte);
      const auto model = parse_tflite(damaged);
      EXPECT_TRUE(!model || check(*model)) << "byte " << at;
      refused += model ? 0 : 1;
    }
  EXPECT_GT(refused, whole.size() / 4);
}

TEST(Tflite, OtherFilesAreNone) {
  const std::string text = "this is no model at all";
  EXPECT_EQ(complaint({std::as_bytes(std::span(text)).begin(), std::as_bytes(std::span(text)).end()}),
            "not a TensorFlow Lite file: it does not have TFL3 at byte 4");
  EXPECT_EQ(read_tflite("/nowhere/model.tflite").error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace alara::graph
