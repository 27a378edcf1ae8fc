// SPDX-License-Identifier: Apache-2.0
// Integer kernels against exact arithmetic: sums must not saturate, biases must not overflow.
#include <gtest/gtest.h>

#include "base/machine.hpp"
#include "graph/quantize/compare.hpp"
#include "graph/quantize/quantize.hpp"
#include "tests/quantize/fixture.hpp"

namespace alara::graph {
namespace {

using namespace test;

// Always the same samples.
class GivenSamples final : public SampleSource {
 public:
  explicit GivenSamples(std::vector<Tensor> samples) : samples_(std::move(samples)) {}
  [[nodiscard]] std::size_t size() const override { return samples_.size(); }
  [[nodiscard]] Result<std::vector<Tensor>> sample(std::size_t i) override { return std::vector<Tensor>{samples_[i]}; }

 private:
  std::vector<Tensor> samples_;
};

class Exact : public Quantize {
 protected:
  // The largest difference between the float and the integer model, in steps of the integer model's output.
  double worst_in_steps(const Model& model, SampleSource& samples, const QuantizeOptions& options,
                        Quantized* out = nullptr) {
    auto made = quantize(model, samples, executors_, options, silent_);
    if (!made) return ADD_FAILURE() << made.error().text(), 1e9;
    const auto compared = compare(model, made->model, samples, executors_, {}, silent_);
    if (!compared) return ADD_FAILURE() << compared.error().text(), 1e9;
    const std::string output = model.graph.outputs.front().name;
    const Tensor* step = made->model.graph.constant(output + "_scale");
    if (step == nullptr) return ADD_FAILURE() << "the output is not quantised", 1e9;
    const double worst = compared->front().agreement.largest_error() / static_cast<double>(step->values<float>()[0]);
    if (out != nullptr) *out = std::move(*made);
    return worst;
  }
};

// Weights at both ends of their type; with inputs up to 255 every step of the grids is 1, so that the float model
// computes exact integers.
Tensor extreme_weights(const Shape& shape, int largest) {
  Tensor out = Tensor::zeros(DataType::float32, shape);
  std::mt19937 random(5);
  const auto numbers = out.mutable_values<float>();
  const std::size_t columns = numbers.size() / static_cast<std::size_t>(shape[0]);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::size_t row = i / columns;
    const bool positive = row == 0 ? true : row == 1 ? false : row == 2 ? i % 2 == 0 : random() % 4 != 0;
    numbers[i] = static_cast<float>(positive ? largest : -largest);
  }
  return out;
}

std::vector<Tensor> bright_samples(const Shape& shape) {
  std::vector<Tensor> out;
  std::mt19937 random(6);
  for (int i = 0; i < 4; ++i) {
    Tensor& tensor = out.emplace_back(Tensor::zeros(DataType::float32, shape));
    for (float& x : tensor.mutable_values<float>())
      x = i == 0 ? 255.0F : static_cast<float>(random() % 8 == 0 ? random() % 256 : 255);
  }
  return out;
}

Model extreme_gemm(int largest) {
  Builder builder("gemm");
  const auto x = builder.input("x", Shape{4, 64});
  const auto w = builder.constant("w", extreme_weights({16, 64}, largest));
  builder.output(builder.node("Gemm", "y", {x, w, builder.constant("b", Tensor::zeros(DataType::float32, {16}))},
                              {{"transB", std::int64_t{1}}}));
  return std::move(builder).finish();
}

Model extreme_conv(int largest, std::int64_t groups) {
  Builder builder("conv");
  const auto x = builder.input("x", Shape{1, 16, 6, 6});
  const auto w = builder.constant("w", extreme_weights({16, 16 / groups, 3, 3}, largest));
  builder.output(builder.node("Conv", "y", {x, w}, {{"group", groups}, {"pads", Ints{1, 1, 1, 1}}}));
  return std::move(builder).finish();
}

TEST_F(Exact, SumsOfTheLargestWeightsAndInputsDoNotSaturate) {
  for (const auto granularity : {Granularity::per_channel, Granularity::per_tensor})
    for (const WeightType type : {weights_for(cpu_features()), WeightType::int7, WeightType::uint8}) {
      QuantizeOptions options;
      options.method = RangeMethod::min_max;
      options.weights = type;
      options.granularity = granularity;
      const int largest = largest_level(type);
      GivenSamples rows(bright_samples({4, 64})), pictures(bright_samples({1, 16, 6, 6}));
      EXPECT_LE(worst_in_steps(extreme_gemm(largest), rows, options), 1.01);
      EXPECT_LE(worst_in_steps(extreme_conv(largest, 1), pictures, options), 1.01);
      EXPECT_LE(worst_in_steps(extreme_conv(largest, 16), pictures, options), 1.01);
    }
}

// ONNX Runtime pull request 22020's case.
TEST_F(Exact, ABiasThatOverflows32BitsCostsNoMoreThanOneStep) {
  for (const auto granularity : {Granularity::per_channel, Granularity::per_tensor}) {
    Builder builder("bias");
    const auto x = builder.input("x", Shape{1, 2, 4, 4});
    const float w = 127 * 7.8e-10F;
    const auto weights =
        builder.constant("w", Tensor::of<float>({2, 2, 1, 1}, std::vector<float>{w, -w / 2, w / 3, -w}));
    const auto bias = builder.constant("b", Tensor::of<float>({2}, std::vector<float>{5, -4.5F}));
    builder.output(builder.node("Conv", "y", {x, weights, bias}));
    const Model model = std::move(builder).finish();
    std::vector<Tensor> samples = bright_samples({1, 2, 4, 4});
    for (Tensor& tensor : samples)
      for (float& number : tensor.mutable_values<float>()) number *= 0.5F;
    GivenSamples source(std::move(samples));
    QuantizeOptions options;
    options.method = RangeMethod::min_max;
    options.granularity = granularity;
    Quantized out;
    EXPECT_LE(worst_in_steps(model, source, options, &out), 1);
    ASSERT_FALSE(out.layers.empty());
    ASSERT_EQ(out.layers.front().warnings.size(), 1u);
    EXPECT_NE(out.layers.front().warnings.front().find("bias"), std::string::npos);
    EXPECT_EQ(out.layers.front().name, "Conv 'y'");
  }
}

TEST(WeightsFor, ReducesTheRangeWhereProductsAreAddedIn16Bits) {
  using Features = std::vector<std::string>;
  EXPECT_EQ(weights_for(Features{"sse4.2", "avx2", "fma"}), WeightType::int7);
  EXPECT_EQ(weights_for(Features{"sse4.2", "avx2", "fma", "avx512f", "avx512vnni"}), WeightType::int8);
  EXPECT_EQ(weights_for(Features{"sse4.2", "avx2", "avxvnni"}), WeightType::int8);
  EXPECT_EQ(weights_for(Features{}), WeightType::int8);  // ARM
}

}  // namespace
}  // namespace alara::graph
