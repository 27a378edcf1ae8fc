// SPDX-License-Identifier: Apache-2.0
// Models made smaller without calibration: 8-bit weights, 16-bit floating point.
#include <gtest/gtest.h>

#include "graph/onnx_file.hpp"
#include "graph/quantize/compare.hpp"
#include "graph/quantize/half.hpp"
#include "graph/quantize/weight_only.hpp"
#include "tests/quantize/fixture.hpp"

namespace alara::graph {
namespace {

using namespace test;

// Conv, nearest Resize by scales, global pooling, Gemm: enough weights to matter.
Model wide_net() {
  Builder builder("wide");
  const auto x = builder.input("x", Shape{1, 8, 6, 6});
  auto value = builder.node("Relu", "a_relu", {conv(builder, "a", x, {32, 8, 3, 3}, {}, 1)});
  const auto scales = builder.constant("scales", Tensor::of<float>({4}, std::vector<float>{1, 1, 2, 2}));
  value = builder.node("Resize", "larger", {value, "", scales}, {{"mode", std::string("linear")}});
  value = conv(builder, "b", value, {16, 32, 3, 3}, {}, 2);
  builder.output(value);
  const auto flat = builder.node("Flatten", "flat", {builder.node("GlobalAveragePool", "mean", {value})});
  const auto w = builder.constant("head_w", random_tensor({20, 16}, 0.5F, 60));
  builder.output(builder.node("Gemm", "head", {flat, w}, {{"transB", std::int64_t{1}}}));
  return std::move(builder).finish();
}

class Smaller : public Quantize {
 protected:
  OutputQuality quality(const Model& changed) {
    RandomSamples samples(4, {1, 8, 6, 6});
    const auto compared = compare(wide_net(), changed, samples, executors_, {}, silent_);
    if (!compared) return ADD_FAILURE() << compared.error().text(), OutputQuality{};
    EXPECT_EQ(compared->size(), 2u);
    return worst_of(*compared);
  }
};

TEST_F(Smaller, EightBitWeightsTakeAQuarter) {
  for (const auto granularity : {Granularity::per_channel, Granularity::per_tensor}) {
    const auto out = quantize_weights(wide_net(), granularity);
    ASSERT_TRUE(out) << out.error().text();
    EXPECT_EQ(out->changed, 3u);
    EXPECT_GT(quality(out->model).sqnr_db, 30);
    EXPECT_LT(to_onnx(out->model)->size(), 0.4 * static_cast<double>(to_onnx(wide_net())->size()));
  }
  const auto some = quantize_weights(wide_net(), Granularity::per_channel, {"Conv"});
  ASSERT_TRUE(some);
  EXPECT_EQ(some->changed, 1u);
  EXPECT_FALSE(quantize_weights(wide_net(), Granularity::per_channel, {"nobody"}));
}

TEST_F(Smaller, HalfPrecisionTakesHalfAndKeepsItsInputsAndOutputs) {
  const auto out = to_half_precision(wide_net());
  ASSERT_TRUE(out) << out.error().text();
  EXPECT_GT(quality(out->model).sqnr_db, 50);
  EXPECT_LT(to_onnx(out->model)->size(), 0.6 * static_cast<double>(to_onnx(wide_net())->size()));
  EXPECT_EQ(out->model.graph.inputs, wide_net().graph.inputs);
  EXPECT_EQ(out->model.graph.outputs, wide_net().graph.outputs);
  const auto some = to_half_precision(wide_net(), {"Resize", "Gemm"});
  ASSERT_TRUE(some) << some.error().text();
  EXPECT_GT(quality(some->model).sqnr_db, 50);
}

TEST_F(Smaller, HalfPrecisionSaysWhatItCutsOff) {
  Model model = wide_net();
  std::vector<float> bias(32, 0.0F);
  bias[3] = 1e6F;
  model.graph.constants["a_b"] = share(Tensor::of<float>({32}, bias));
  const auto out = to_half_precision(model);
  ASSERT_TRUE(out) << out.error().text();
  ASSERT_EQ(out->notes.size(), 1u);
  EXPECT_NE(out->notes.front().find("1 weights"), std::string::npos);
}

}  // namespace
}  // namespace alara::graph
