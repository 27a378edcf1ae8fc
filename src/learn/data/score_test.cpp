// SPDX-License-Identifier: Apache-2.0
#include "learn/data/score.hpp"

#include <gtest/gtest.h>

#include "learn/data/test_files.hpp"

namespace alara::learn {
namespace {

using graph::Tensor;
using graph::TensorView;

// Gives its input back; remembers how many rows it was given at once.
class Echo final : public graph::Executor {
 public:
  explicit Echo(std::vector<std::int64_t>& rows) : rows_(rows) {}
  Result<std::vector<TensorView>> run(std::span<const TensorView> inputs) override {
    rows_.push_back(inputs[0].shape[0]);
    kept_ = inputs[0].copy();
    return std::vector<TensorView>{graph::view(kept_)};
  }

 private:
  std::vector<std::int64_t>& rows_;
  Tensor kept_;
};

struct Fixture {
  std::vector<std::int64_t> rows;
  graph::Model model;
  graph::ExecutorFactory executors = [this](const graph::Model&, std::span<const std::string>,
                                            const graph::ExecutorOptions&) -> Result<std::unique_ptr<graph::Executor>> {
    return std::make_unique<Echo>(rows);
  };

  explicit Fixture(std::int64_t batch) {
    model.graph.inputs = {{"x", graph::DataType::float32, graph::Dims{{batch, ""}, {3, ""}}}};
    model.graph.outputs = {{"y", graph::DataType::float32, std::nullopt}};
  }
  [[nodiscard]] Dataset data(std::optional<Target> target) const {
    FoundRows rows_found;
    rows_found.train.inputs = Tensor::of<float>({3, 3}, std::vector<float>{1, 0, 0, 0, 5, 0, 2, 1, 1});
    rows_found.train.labels = {0, 1, 2};
    rows_found.train.targets = Tensor::of<float>({3, 3}, std::vector<float>{1, 0, 0, 0, 5, 3, 2, 1, 1});
    DatasetOptions options;
    options.validation = 0;
    options.target = target;
    return *Dataset::of(rows_found, model.graph.inputs[0], options);
  }
};

TEST(Score, CountsRowsWhoseLargestOutputIsTheirClass) {
  Fixture fixture(-1);
  const auto score =
      score_of(fixture.model, fixture.data(Target::classes), Part::train, fixture.executors, {.batch = 2});
  ASSERT_TRUE(score) << score.error().text();
  EXPECT_NEAR(score->accuracy, 200.0 / 3, 1e-9);
  EXPECT_EQ(fixture.rows, (std::vector<std::int64_t>{2, 1}));
}

TEST(Score, RunsAModelOfOneRowRowByRow) {
  Fixture fixture(1);
  const auto score = score_of(fixture.model, fixture.data(Target::values), Part::train, fixture.executors);
  ASSERT_TRUE(score) << score.error().text();
  EXPECT_EQ(fixture.rows, (std::vector<std::int64_t>{1, 1, 1}));
  EXPECT_NEAR(score->mean_square, 1, 1e-9);
  EXPECT_NEAR(score->errors[1], 3, 1e-9);
}

TEST(Score, SaysWhenThereIsNothingToMeasure) {
  Fixture fixture(-1);
  EXPECT_FALSE(score_of(fixture.model, fixture.data(Target::classes), Part::test, fixture.executors));
}

}  // namespace
}  // namespace alara::learn
