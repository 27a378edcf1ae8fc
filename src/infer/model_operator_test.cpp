// SPDX-License-Identifier: Apache-2.0
#include "infer/model_operator.hpp"

#include <gtest/gtest.h>

#include "infer/model_fixture.hpp"

namespace alara::infer {
namespace {

using test::FakeSession;
using test::kNaN;
using test::Rows;

// An operator over a model in plain C++: the sum of the row; NaN for sums above 1000.
class Operators : public ::testing::Test {
 protected:
  ModelOperator& make(ModelOptions options) {
    session_ = std::make_shared<FakeSession>("sum", 1, [](std::span<const double> in, std::span<double> out) {
      double sum = 0;
      for (const double value : in) sum += value;
      out[0] = sum > 1000 ? kNaN : sum;
    });
    if (options.columns.empty()) options.columns = {0};
    const RunPlan plan{options.values, options.history, options.max_rows, {}};
    slot_ = ModelSlot::open(session_, plan, nullptr).value();
    code_ = std::make_unique<ModelOperator>(options, slot_->take_seat().value());
    return *code_;
  }

  std::vector<double> push(Rows& rows) {
    out_.clear();
    code_->process(rows.frame(), out_);
    return emitted();
  }
  std::vector<double> push_one(std::uint32_t slot, const std::vector<double>& values) {
    Rows rows(values.size());
    rows.add(slot, ++time_, values);
    return push(rows);
  }
  std::vector<double> advance(Nanos now) {
    out_.clear();
    code_->advance(now, 0, out_);
    return emitted();
  }
  std::vector<double> emitted() {
    if (out_.size() == 0) return {};
    const auto column = out_.column(0);
    return {column.begin(), column.begin() + static_cast<std::ptrdiff_t>(out_.size())};
  }
  Quality quality(std::size_t row) { return out_.view(0).quality_at(row); }

  std::shared_ptr<FakeSession> session_;
  std::shared_ptr<ModelSlot> slot_;
  std::unique_ptr<ModelOperator> code_;
  FrameBuilder out_{1};
  Nanos time_ = 0;
};

using Values = std::vector<double>;

TEST_F(Operators, RowsOfOneFrameShareOneRun) {
  make({.values = 2, .max_rows = 100, .slots = 50});
  Rows rows(2);
  for (std::uint32_t i = 0; i < 50; ++i) rows.add(i, i, {1.0 * i, 1}, i == 7 ? Quality::uncertain : Quality::good);
  const Values out = push(rows);
  ASSERT_EQ(out.size(), 50u);
  for (std::uint32_t i = 0; i < 50; ++i) EXPECT_EQ(out[i], i + 1.0);
  EXPECT_EQ(session_->runs, 1u);
  EXPECT_EQ(quality(6), Quality::good);
  EXPECT_EQ(quality(7), Quality::uncertain);
  EXPECT_EQ(out_.view(0).slot_at(7), 7u);
}

TEST_F(Operators, AFullBatchRunsAtOnce) {
  make({.max_rows = 3, .wait = kSecond, .slots = 100});
  EXPECT_TRUE(push_one(0, {1}).empty());
  EXPECT_TRUE(push_one(1, {2}).empty());
  EXPECT_EQ(push_one(2, {3}), (Values{1, 2, 3}));
}

TEST_F(Operators, ARowWaitsNoLongerThanItMay) {
  make({.max_rows = 100, .wait = 5 * kMillisecond, .slots = 10});
  EXPECT_EQ(code_->next_due(), kNever);
  EXPECT_TRUE(push_one(0, {1}).empty());
  EXPECT_LE(code_->next_due(), 0);  // wants to be told the time
  EXPECT_TRUE(advance(kSecond).empty());
  EXPECT_EQ(code_->next_due(), kSecond + 5 * kMillisecond);
  EXPECT_TRUE(push_one(1, {2}).empty());
  EXPECT_TRUE(advance(kSecond + 5 * kMillisecond - 1).empty());
  EXPECT_EQ(advance(kSecond + 5 * kMillisecond), (Values{1, 2}));
  EXPECT_EQ(code_->next_due(), kNever);
  EXPECT_EQ(session_->runs, 1u);
}

TEST_F(Operators, NobodyWaitsOnceEveryAssetIsThere) {
  make({.max_rows = 100, .wait = kSecond, .slots = 2});
  EXPECT_TRUE(push_one(0, {1}).empty());
  EXPECT_TRUE(push_one(0, {2}).empty());
  EXPECT_EQ(push_one(1, {3}), (Values{1, 2, 3}));
}

TEST_F(Operators, MoreRowsThanABatchTakeSeveralRuns) {
  make({.max_rows = 4, .slots = 1});
  Rows rows(1);
  for (int i = 0; i < 10; ++i) rows.add(0, i, {1.0 * i});
  EXPECT_EQ(push(rows), (Values{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(session_->runs, 3u);
  EXPECT_EQ(session_->largest, 4u);
}

TEST_F(Operators, NaNTakesTheDeclaredValueAndIsUncertain) {
  make({.max_rows = 4, .fallback = {Fallback::Kind::values, {100}}, .slots = 1});
  Rows rows(1);
  rows.add(0, 0, {1});
  rows.add(0, 1, {2000});
  EXPECT_EQ(push(rows), (Values{1, 100}));
  EXPECT_EQ(quality(0), Quality::good);
  EXPECT_EQ(quality(1), Quality::uncertain);
  EXPECT_EQ(test::counter(*code_, "not_finite"), 1u);
  EXPECT_EQ(test::counter(*code_, "fallbacks"), 1u);
}

TEST_F(Operators, AFailingRunFallsBackForEveryRow) {
  make({.max_rows = 4, .fallback = {Fallback::Kind::values, {100}}, .slots = 2});
  session_->fails = true;
  EXPECT_EQ(push_one(0, {1}), (Values{100}));
  EXPECT_EQ(quality(0), Quality::uncertain);
  session_->fails = false;
  EXPECT_EQ(push_one(0, {1}), (Values{1}));
  EXPECT_EQ(test::counter(*code_, "failed_runs"), 1u);
}

TEST_F(Operators, HoldLastIsPerAssetAndBadBeforeTheFirst) {
  make({.max_rows = 4, .fallback = {Fallback::Kind::hold_last, {}}, .slots = 2});
  EXPECT_EQ(push_one(0, {5}), (Values{5}));
  EXPECT_EQ(push_one(0, {2000}), (Values{5}));
  EXPECT_EQ(quality(0), Quality::uncertain);
  EXPECT_TRUE(std::isnan(push_one(1, {2000})[0]));
  EXPECT_EQ(quality(0), Quality::bad);
}

TEST_F(Operators, WithoutAFallbackAFailureIsBad) {
  make({.max_rows = 4, .slots = 1});
  EXPECT_TRUE(std::isnan(push_one(0, {2000})[0]));
  EXPECT_EQ(quality(0), Quality::bad);
}

TEST_F(Operators, RowsWithoutAllInputsAreNotShownToTheModel) {
  make({.values = 2, .max_rows = 4, .fallback = {Fallback::Kind::values, {7}}, .slots = 1});
  EXPECT_TRUE(push_one(0, {1, kNaN}).empty());  // never complete yet: nothing to say
  EXPECT_EQ(push_one(0, {1, 2}), (Values{3}));
  EXPECT_EQ(push_one(0, {INFINITY, 2}), (Values{7}));
  EXPECT_EQ(quality(0), Quality::uncertain);
  EXPECT_EQ(session_->runs, 1u);
  EXPECT_EQ(test::counter(*code_, "incomplete"), 2u);
}

TEST_F(Operators, FallbackRowsKeepTheirPlaceAmongTheOthers) {
  make({.max_rows = 8, .fallback = {Fallback::Kind::values, {-1}}, .slots = 1});
  Rows rows(1);
  for (const double value : {1.0, kNaN, 3.0, 2000.0, 5.0}) rows.add(0, ++time_, {value});
  EXPECT_EQ(push(rows), (Values{1, -1, 3, -1, 5}));
}

TEST_F(Operators, HistoryIsOfTheSameAssetOldestFirst) {
  session_ = std::make_shared<FakeSession>("digits", 1, [](std::span<const double> in, std::span<double> out) {
    out[0] = in[0] * 100 + in[1] * 10 + in[2];
  });
  slot_ = ModelSlot::open(session_, {1, 3, 4, {}}, nullptr).value();
  code_ = std::make_unique<ModelOperator>(ModelOptions{.history = 3, .max_rows = 4, .columns = {0}, .slots = 2},
                                          slot_->take_seat().value());
  EXPECT_TRUE(push_one(0, {1}).empty());
  EXPECT_TRUE(push_one(1, {7}).empty());
  EXPECT_TRUE(push_one(0, {2}).empty());
  EXPECT_EQ(push_one(0, {3}), (Values{123}));
  EXPECT_EQ(push_one(0, {4}), (Values{234}));
  EXPECT_TRUE(push_one(1, {8}).empty());
  EXPECT_EQ(push_one(1, {9}), (Values{789}));
}

TEST_F(Operators, InputsAreNormalised) {
  make({.values = 2, .max_rows = 4, .mean = {10, 100}, .scale = {0.5, 0.25}, .slots = 1});
  EXPECT_EQ(push_one(0, {12, 104}), (Values{1 + 1}));
}

TEST_F(Operators, RunTimesAreOnePerRun) {
  make({.max_rows = 2, .slots = 4});
  Rows rows(1);
  for (std::uint32_t i = 0; i < 4; ++i) rows.add(i, i, {1});
  push(rows);
  Histogram times;
  slot_->add_run_times(times);
  EXPECT_EQ(times.count(), 2u);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(Operators, AllocateNothingOnceWarm) {
  make({.values = 2, .history = 4, .max_rows = 16, .fallback = {Fallback::Kind::hold_last, {}}, .slots = 8});
  Rows rows(2);
  for (std::uint32_t i = 0; i < 40; ++i) rows.add(i % 8, i, {i == 33 ? 2000.0 : 1.0, i == 35 ? kNaN : 2.0});
  const Frame frame = rows.frame();
  const auto turn = [&] {
    out_.clear();
    code_->process(frame, out_);
    code_->advance(time_ += kSecond, 0, out_);
  };
  turn();
  turn();
  const std::uint64_t before = test::allocations_so_far();
  for (int i = 0; i < 100; ++i) turn();
  EXPECT_EQ(test::allocations_so_far() - before, 0u);
}
#endif

}  // namespace
}  // namespace alara::infer
