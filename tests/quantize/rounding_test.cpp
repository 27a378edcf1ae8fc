// SPDX-License-Identifier: Apache-2.0
// AdaRound, bias correction, and the matrices they rest on.
#include <gtest/gtest.h>

#include "graph/quantize/adaround.hpp"
#include "graph/quantize/compare.hpp"
#include "graph/quantize/quantize.hpp"
#include "tests/quantize/fixture.hpp"

namespace alara::graph {
namespace {

using namespace test;

class Rounds : public Quantize {
 protected:
  double sqnr_with(const Model& model, QuantizeOptions options, SampleSource& samples) {
    const auto out = quantize(model, samples, executors_, options, silent_);
    EXPECT_TRUE(out) << out.error().text();
    return out ? out->sqnr_db : -1;
  }
};

// Inputs whose channels go together, and are not zero on average: what rounding can make use of.
class RelatedSamples final : public SampleSource {
 public:
  RelatedSamples(std::size_t count, Shape shape) : count_(count), shape_(std::move(shape)) {}
  [[nodiscard]] std::size_t size() const override { return count_; }
  [[nodiscard]] Result<std::vector<Tensor>> sample(std::size_t i) override {
    Tensor out = random_tensor(shape_, 0.2F, static_cast<unsigned>(i) + 100);
    const auto numbers = out.mutable_values<float>();
    const std::size_t plane = static_cast<std::size_t>(shape_[2] * shape_[3]);
    const Tensor common = random_tensor({static_cast<std::int64_t>(plane)}, 0.7F, static_cast<unsigned>(i) + 900);
    for (std::size_t k = 0; k < numbers.size(); ++k)
      numbers[k] = std::max(0.0F, numbers[k] + common.values<float>()[k % plane] + 0.5F);
    return std::vector<Tensor>{std::move(out)};
  }

 private:
  std::size_t count_;
  Shape shape_;
};

Tensor random_input(unsigned seed) { return random_tensor({2, 6, 5, 5}, 1, seed); }

// dw^T E[x x^T] dw must be the mean square of what a convolution with dw gives.
TEST_F(Rounds, TheGramMatrixMeasuresAConvolutionsOutput) {
  for (const std::int64_t groups : {1, 2, 6}) {
    Builder builder("gram");
    const auto x = builder.input("x", Shape{2, 6, 5, 5});
    const auto w = builder.constant("w", random_tensor({6, 6 / groups, 3, 3}, 1, 3));
    const Ints pads{1, 0, 1, 2}, strides{2, 1};
    builder.output(builder.node("Conv", "y", {x, w}, {{"group", groups}, {"pads", pads}, {"strides", strides}}));
    const Model model = std::move(builder).finish();
    auto gram = InputGram::of(model.graph, model.graph.nodes[0]);
    ASSERT_TRUE(gram);
    const auto executor = executors_(model, {}, {});
    ASSERT_TRUE(executor) << executor.error().text();
    const Tensor input = random_input(8);
    ASSERT_TRUE(gram->add(view(input)));
    const std::vector<TensorView> in{view(input)};
    const auto out = (*executor)->run(in);
    ASSERT_TRUE(out) << out.error().text();

    const WeightMatrix weights = matrix_of(*linear_of(model.graph, model.graph.nodes[0]));
    const auto y = out->front().values<float>();
    const std::size_t plane = y.size() / 12;  // 2 images, 6 channels
    for (std::size_t r = 0; r < 6; ++r) {
      double measured = 0, computed = 0;
      for (std::size_t n = 0; n < 2; ++n)
        for (std::size_t i = 0; i < plane; ++i) measured += std::pow(double(y[(n * 6 + r) * plane + i]), 2);
      measured /= static_cast<double>(2 * plane);
      const auto form = gram->mean(r / (6 / static_cast<std::size_t>(groups)));
      const auto row = weights.row(r);
      for (std::size_t a = 0; a < row.size(); ++a)
        for (std::size_t b = 0; b < row.size(); ++b)
          computed += double(row[a]) * double(row[b]) * double(form[a * row.size() + b]);
      EXPECT_NEAR(computed, measured, 1e-4 * measured) << groups << " groups, row " << r;
    }
  }
}

TEST_F(Rounds, AdaRoundLeavesLessErrorThanRoundingToNearest) {
  Builder builder("rows");
  builder.output(builder.node(
      "MatMul", "y", {builder.input("x", Shape{64, 24}), builder.constant("w", random_tensor({24, 8}, 1, 3))}));
  const Model model = std::move(builder).finish();
  auto gram = InputGram::of(model.graph, model.graph.nodes[0]);
  ASSERT_TRUE(gram);
  Tensor input = random_tensor({64, 24}, 1, 5);
  for (float& x : input.mutable_values<float>()) x += 1;  // not zero on average
  ASSERT_TRUE(gram->add(view(input)));
  const WeightMatrix weights = matrix_of(*linear_of(model.graph, model.graph.nodes[0]));
  const WeightOptions options;
  Levels levels = choose_scales(weights, {}, 1, options);
  round_to_nearest(weights, options, levels);
  const Levels nearest = levels;
  const Rounding done = round_adaptively(weights, *gram, 127, {}, levels);
  EXPECT_LT(done.error, 0.6 * done.error_nearest);
  for (std::size_t i = 0; i < levels.values.size(); ++i) EXPECT_LE(std::abs(levels.values[i] - nearest.values[i]), 1);
}

TEST_F(Rounds, CorrectionsMakeOutputsBetter) {
  Builder builder("layers");
  const auto x = builder.input("x", Shape{1, 8, 6, 6});
  auto a = builder.node("Relu", "a_relu", {conv(builder, "a", x, {16, 8, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}, 1)});
  builder.output(conv(builder, "b", a, {8, 16, 3, 3}, {}, 7));
  const Model model = std::move(builder).finish();
  RelatedSamples samples(16, {1, 8, 6, 6});
  QuantizeOptions plain;
  plain.granularity = Granularity::per_tensor;
  plain.weights = WeightType::int7;  // more to correct
  QuantizeOptions corrected = plain, rounded = plain;
  corrected.bias_correction = true;
  rounded.adaround = true;
  const double before = sqnr_with(model, plain, samples);
  EXPECT_GT(sqnr_with(model, corrected, samples), before);
  EXPECT_GT(sqnr_with(model, rounded, samples), before + 1);
}

}  // namespace
}  // namespace alara::graph
