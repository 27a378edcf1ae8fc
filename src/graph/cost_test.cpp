// SPDX-License-Identifier: Apache-2.0
#include "graph/cost.hpp"

#include <gtest/gtest.h>

#include "graph/builder.hpp"

namespace alara::graph {
namespace {

using Integers = std::vector<std::int64_t>;

ModelCost cost(Builder&& builder) {
  const Model model = std::move(builder).finish();
  const auto values = infer_shapes(model);
  EXPECT_TRUE(values) << values.error().text();
  return values ? cost_of(model.graph, *values) : ModelCost{};
}

Tensor floats(Shape shape) { return Tensor::zeros(DataType::float32, std::move(shape)); }

TEST(Cost, CountsTheWorkOfLayersByHand) {
  Builder builder;
  const std::string x = builder.input("x", Shape{2, 4, 8, 8});
  const std::string full =
      builder.node("Conv", "full", {x, builder.constant("w", floats({6, 4, 3, 3})), builder.constant("b", floats({6}))},
                   {{"pads", Integers{1, 1, 1, 1}}, {"strides", Integers{2, 2}}});
  const std::string deep =
      builder.node("Conv", "deep", {full, builder.constant("dw", floats({6, 1, 3, 3}))}, {{"group", std::int64_t{6}}});
  const std::string up = builder.node("ConvTranspose", "up", {deep, builder.constant("tw", floats({6, 5, 2, 2}))},
                                      {{"strides", Integers{2, 2}}});
  const std::string flat = builder.node("Flatten", "flat", {up});
  builder.output(builder.node("Gemm", "fc",
                              {flat, builder.constant("fw", floats({10, 80})), builder.constant("fb", floats({10}))},
                              {{"transB", std::int64_t{1}}}));
  const ModelCost out = cost(std::move(builder));
  EXPECT_EQ(out.nodes[0].macs, 2 * 6 * 16 * 4 * 9);  // outputs 2x6x4x4
  EXPECT_EQ(out.nodes[1].macs, 2 * 6 * 4 * 9);       // outputs 2x6x2x2, one channel each
  EXPECT_EQ(out.nodes[2].macs, 2 * 6 * 4 * 5 * 4);   // inputs 2x6x2x2, five channels of four taps
  EXPECT_EQ(out.nodes[3].macs, 0);
  EXPECT_EQ(out.nodes[4].macs, 2 * 10 * 80);
  EXPECT_EQ(out.parameters, 6 * 4 * 9 + 6 + 6 * 9 + 6 * 5 * 4 + 10 * 80 + 10);
  EXPECT_EQ(out.weight_bytes, 4 * out.parameters);
  EXPECT_EQ(out.operators.at("Conv"), 2u);
}

TEST(Cost, CountsRecurrentLayers) {
  Builder builder;
  const std::string x = builder.input("x", Shape{7, 3, 5});
  builder.output(builder.node("GRU", "y",
                              {x, builder.constant("w", floats({1, 12, 5})), builder.constant("r", floats({1, 12, 4}))},
                              {{"hidden_size", std::int64_t{4}}}));
  EXPECT_EQ(cost(std::move(builder)).macs, 7 * 3 * 12 * (5 + 4));
}

TEST(Cost, PeakIsWhereMostBuffersLive) {
  Builder builder;
  const std::string x = builder.input("x", Shape{1, 100});  // 400 bytes
  const std::string a = builder.node("Relu", "a", {x});     // 400, kept for the sum
  const std::string wide = builder.node("Concat", "wide", {a, a, a}, {{"axis", std::int64_t{1}}});  // 1200
  const std::string shaped =
      builder.node("Reshape", "shaped", {wide, builder.constant("s", Integers{3, 100})});  // a view
  builder.output(builder.node("Add", "y", {shaped, a}));                                   // 1200
  const ModelCost out = cost(std::move(builder));
  EXPECT_EQ(out.nodes[0].live_bytes, 800);
  EXPECT_EQ(out.nodes[1].live_bytes, 1600);
  EXPECT_EQ(out.nodes[2].live_bytes, 1600);
  EXPECT_EQ(out.nodes[3].live_bytes, 2800);
  EXPECT_EQ(out.peak_activation_bytes, 2800);
  EXPECT_EQ(out.peak_node, 3u);
  EXPECT_EQ(out.parameters, 0);
}

TEST(Cost, QuantisedLayersAreHeldInIntegers) {
  Builder builder;
  const std::string scale = builder.scalar("scale", 0.1F);
  const std::string zero = builder.constant("zero", Tensor::scalar<std::uint8_t>(0));
  const std::string x = builder.input("x", Shape{1, 8});
  const auto through_integers = [&](const std::string& value, const std::string& name) {
    return builder.node("DequantizeLinear", name + "_dq",
                        {builder.node("QuantizeLinear", name + "_q", {value, scale, zero}), scale, zero});
  };
  const std::string w = builder.node("DequantizeLinear", "w",
                                     {builder.constant("w8", Tensor::zeros(DataType::uint8, {8, 50})), scale, zero});
  const std::string product = builder.node("MatMul", "product", {through_integers(x, "x"), w});
  builder.output(builder.node("Relu", "y", {through_integers(product, "p")}));
  const ModelCost out = cost(std::move(builder));
  EXPECT_EQ(out.parameters, 400);
  EXPECT_EQ(out.macs, 400);
  EXPECT_EQ(out.peak_activation_bytes, 50 + 200);  // the integers of the product, and y
}

TEST(Cost, ActivationsWriteOverWhatIsTheirsAlone) {
  Builder builder;
  const std::string x = builder.input("x", Shape{1, 10});                                            // 40 bytes
  const std::string a = builder.node("MatMul", "a", {x, builder.constant("w", floats({10, 100}))});  // 400
  const std::string once = builder.node("Relu", "once", {a});                                        // in place
  const std::string b = builder.node("Tanh", "b", {once});                                           // kept: 400 more
  builder.output(builder.node("Mul", "y", {once, b}));
  const ModelCost out = cost(std::move(builder));
  EXPECT_EQ(out.nodes[1].live_bytes, 400);
  EXPECT_EQ(out.nodes[2].live_bytes, 800);
  EXPECT_EQ(out.peak_activation_bytes, 1200);
}

TEST(Cost, ActivationsBeforeQuantisingAreHeldInIntegers) {
  Builder builder;
  const std::string scale = builder.scalar("scale", 0.1F);
  const std::string zero = builder.constant("zero", Tensor::scalar<std::uint8_t>(0));
  const std::string x = builder.input("x", DataType::uint8, {{1, {}}, {8, {}}});
  const std::string real = builder.node("DequantizeLinear", "real", {x, scale, zero});
  const std::string a = builder.node("MatMul", "a", {real, builder.constant("w", floats({8, 50}))});
  builder.output(builder.node("QuantizeLinear", "y", {builder.node("Relu", "r", {a}), scale, zero}), DataType::uint8);
  EXPECT_EQ(cost(std::move(builder)).peak_activation_bytes, 8 + 50);
}

TEST(Cost, NamesWhatItDoesNotKnow) {
  Builder builder;
  const std::string x = builder.input("x", DataType::float32, {{-1, "batch"}, {4, {}}});
  const std::string odd = builder.node("Mystery", "odd", {x});
  builder.output(builder.node("MatMul", "y", {odd, builder.constant("w", floats({4, 2}))}));
  const ModelCost out = cost(std::move(builder));
  EXPECT_FALSE(out.nodes[0].known_operator);
  EXPECT_EQ(out.nodes[1].macs, std::nullopt);
  EXPECT_EQ(out.unknown_shapes, 2u);
}

}  // namespace
}  // namespace alara::graph
