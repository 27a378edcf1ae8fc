// SPDX-License-Identifier: Apache-2.0
#include "learn/compress/pruning.hpp"

#include <gtest/gtest.h>

#include "graph/onnx_file.hpp"
#include "learn/compress/compress_fixture.hpp"

namespace alara::learn {
namespace {

using test::accuracy_of;
using test::briefly;

const std::string kWide = "  - {dense: 32}\n  - relu\n  - {dense: 32}\n  - relu\n";

class Pruning : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    data_ = new Dataset(test::quadrants());
    dense_ = new graph::Model(train(test::network(kWide), *data_, briefly(6), progress_)->model);
  }
  static void TearDownTestSuite() {
    delete dense_;
    delete data_;
  }

  static inline Dataset* data_ = nullptr;
  static inline graph::Model* dense_ = nullptr;  // trained
  static inline Silent progress_;
};

PruneOptions weights(double sparsity, graph::Pattern pattern = graph::Pattern::unstructured) {
  PruneOptions options;
  options.weights = graph::MaskOptions{};
  options.weights->sparsity = sparsity;
  options.weights->pattern = pattern;
  options.training = briefly(6);
  options.least = 64;
  return options;
}

TEST_F(Pruning, ReachesItsSparsityAndKeepsWhatWasLearnt) {
  const auto pruned = prune(*dense_, *data_, weights(0.8), progress_);
  ASSERT_TRUE(pruned) << pruned.error().text();
  ASSERT_EQ(pruned->layers.size(), 3U);
  for (const PrunedLayer& layer : pruned->layers) EXPECT_NEAR(layer.sparsity, 0.8, 0.01) << layer.weight;
  const double before = accuracy_of(*dense_, *data_);
  EXPECT_GT(before, 95);
  EXPECT_GT(accuracy_of(pruned->model, *data_), before - 3);
  EXPECT_EQ(pruned->curve.size(), 6U);
}

TEST_F(Pruning, IsTheSameForTheSameSeed) {
  const auto a = prune(*dense_, *data_, weights(0.5), progress_);
  const auto b = prune(*dense_, *data_, weights(0.5), progress_);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(*graph::to_onnx(a->model), *graph::to_onnx(b->model));
}

TEST_F(Pruning, LeavesTwoOfFour) {
  const auto pruned = prune(*dense_, *data_, weights(0.5, graph::Pattern::two_of_four), progress_);
  ASSERT_TRUE(pruned) << pruned.error().text();
  for (const graph::PrunableLayer& layer : graph::prunable_layers(pruned->model.graph, 1024)) {
    const auto numbers = layer.layout.weight->values<float>();
    std::vector<int> zeros(numbers.size() / 4, 0);  // by output and group of four inputs
    const std::int64_t groups = layer.layout.inputs() / 4;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const auto place = layer.layout.place(static_cast<std::int64_t>(i));
      if (numbers[i] == 0) ++zeros[static_cast<std::size_t>(place.output * groups + place.input / 4)];
    }
    for (const int count : zeros) EXPECT_EQ(count, 2) << layer.weight;
  }
}

TEST_F(Pruning, RemovesFiltersInRounds) {
  PruneOptions options;
  options.filters = graph::FilterOptions{};
  options.filters->share = 0.5;
  options.rounds = 2;
  options.training = briefly(6);
  options.least = 64;
  const auto pruned = prune(*dense_, *data_, options, progress_);
  ASSERT_TRUE(pruned) << pruned.error().text();
  EXPECT_EQ(pruned->curve.size(), 6U);
  ASSERT_EQ(pruned->layers.size(), 3U);
  EXPECT_EQ(pruned->layers[0].filters_before, 32);
  EXPECT_NEAR(static_cast<double>(pruned->layers[0].filters), 16, 1);
  EXPECT_EQ(pruned->layers[2].filters, 4) << "classes stay";
  EXPECT_GT(accuracy_of(pruned->model, *data_), 92);
}

TEST_F(Pruning, SaysWhatCanNotBeDone) {
  PruneOptions nothing;
  EXPECT_NE(prune(*dense_, *data_, nothing, progress_).error().message.find("nothing is to be pruned"),
            std::string::npos);
  PruneOptions large = weights(0.5);
  large.least = 1'000'000;
  EXPECT_EQ(prune(*dense_, *data_, large, progress_).error().message, "the model has no layer with 1000000 weights");
}

}  // namespace
}  // namespace alara::learn
