// SPDX-License-Identifier: Apache-2.0
#include "flow/feature/compress.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "flow/feature/filter.hpp"
#include "flow/feature/step_fixture.hpp"

namespace alara::flow {
namespace {

using namespace test;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<double> random_walk(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> step(0, 0.3);
  std::vector<double> out(n);
  double at = 10;
  for (double& v : out) v = at += (random() % 50 == 0 ? 10 : 1) * step(random);
  return out;
}

Rows irregular(const std::vector<double>& values, unsigned seed) {
  Rows rows(values, 0, kMillisecond);
  std::mt19937 random(seed);
  Nanos t = 0;
  for (Nanos& time : rows.time) time = t += 1 + static_cast<Nanos>(random() % 1'000'000);
  return rows;
}

TEST(SwingingDoor, NoSampleLiesFurtherFromTheLineThanTheBound) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    const double bound = 0.1 * seed;
    SwingingDoorOperator door(bound, seed % 2 == 0 ? kNever : 300 * kMillisecond, 1);
    Rows rows = irregular(random_walk(2000, seed), seed);
    FrameBuilder out(1);
    door.process(rows.frame(), out);
    door.advance(rows.time.back() + kSecond, 0, out);
    const auto corners = rows_of(out);
    std::size_t next = 1;
    for (std::size_t i = 0; i < rows.time.size() && next < corners.size(); ++i) {
      while (next < corners.size() && corners[next].time < rows.time[i]) ++next;
      if (next == corners.size()) break;  // behind the last row nothing is promised yet
      const Emitted &a = corners[next - 1], &b = corners[next];
      const double share = static_cast<double>(rows.time[i] - a.time) / static_cast<double>(b.time - a.time);
      const double line = a.values[0] + share * (b.values[0] - a.values[0]);
      ASSERT_LE(std::fabs(line - rows.columns[0][i]), bound * (1 + 1e-9)) << "seed " << seed << " sample " << i;
    }
    EXPECT_LT(corners.size(), rows.time.size());
  }
}

TEST(SwingingDoor, AStraightLineComesToItsTwoEnds) {
  SwingingDoorOperator door(0.01, kNever, 1);
  std::vector<double> ramp(1000);
  for (std::size_t i = 0; i < ramp.size(); ++i)
    ramp[i] = i < 500 ? static_cast<double>(i) : 1000.0 - static_cast<double>(i);
  Rows rows(ramp, 0, kSecond);
  FrameBuilder out(1);
  door.process(rows.frame(), out);
  const auto corners = rows_of(out);
  ASSERT_EQ(corners.size(), 2u);
  EXPECT_EQ(corners[0].time, 0);
  EXPECT_EQ(corners[1].time, 500 * kSecond);
}

TEST(SwingingDoor, TellsTheNewestSampleAfterTheLongestInterval) {
  SwingingDoorOperator door(1, 10 * kSecond, 2);
  Rows rows({5, 5, 5, 5}, 0, kSecond);
  FrameBuilder out(1);
  door.process(rows.frame(), out);
  EXPECT_EQ(out.size(), 1u);
  EXPECT_EQ(door.next_due(), 10 * kSecond);
  door.advance(9 * kSecond, 0, out);
  EXPECT_EQ(out.size(), 1u);
  door.advance(10 * kSecond, 0, out);
  const auto told = rows_of(out);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].time, 3 * kSecond);
  EXPECT_EQ(door.next_due(), kNever);
}

TEST(SwingingDoor, AccountsForEverySample) {
  SwingingDoorOperator door(0.5, kNever, 1);
  std::vector<double> values = random_walk(1000, 9);
  for (std::size_t i = 100; i < 110; ++i) values[i] = kNaN;
  Rows rows(values, 0, kSecond);
  rows.time[500] = 3 * kSecond;  // steps back
  FrameBuilder out(1);
  door.process(rows.frame(), out);
  EXPECT_EQ(counter(door, "out_of_order"), 1u);
  const std::uint64_t pending = 1000 - out.size() - counter(door, "suppressed");
  EXPECT_LE(pending, 1u);
}

TEST(SwingingDoor, EndsALineBeforeBadSamplesAndMarksThem) {
  SwingingDoorOperator door(0.5, kNever, 1);
  Rows rows({1, 1, 1, kNaN, kNaN, 2, 2, 2}, 0, kSecond);
  FrameBuilder out(1);
  door.process(rows.frame(), out);
  const auto told = rows_of(out);
  ASSERT_EQ(told.size(), 4u);
  EXPECT_EQ(told[1].time, 2 * kSecond);
  EXPECT_EQ(told[2].quality, Quality::bad);
  EXPECT_EQ(told[3].time, 5 * kSecond);
}

TEST(SwingingDoor, AFarFutureTimeDoesNotFreezeIt) {
  SwingingDoorOperator door(0.5, kNever, 1);
  Rows wild({1, 1, 1}, 0, kSecond);
  wild.time[1] = INT64_MAX;
  wild.time[2] = INT64_MIN;
  FrameBuilder out(1);
  door.process(wild.frame(), out);
  Rows sane(random_walk(100, 2), 10 * kSecond, kSecond);
  const std::size_t before = out.size();
  door.process(sane.frame(), out);
  EXPECT_GT(out.size(), before);
}

TEST(Deadband, HoldingTheLastRowIsNeverFurtherOffThanTheBand) {
  for (unsigned seed = 1; seed <= 20; ++seed)
    for (const bool percent : {false, true}) {
      const double amount = 0.05 * seed;
      auto made = make_step(filter_kind(), fmt::format("{{of: v, deadband: {}{}}}", amount, percent ? "%" : ""),
                            {signal("v", "A")});
      ASSERT_TRUE(made) << made.error().text();
      Rows rows = irregular(random_walk(1000, seed), seed);
      const auto told = run(*made, rows);
      std::size_t at = 0;
      for (std::size_t i = 0; i < rows.time.size(); ++i) {
        while (at + 1 < told.size() && told[at + 1].time <= rows.time[i]) ++at;
        const double allowed = percent ? std::fabs(told[at].values[0]) * amount / 100 : amount;
        ASSERT_LE(std::fabs(told[at].values[0] - rows.columns[0][i]), allowed * (1 + 1e-12));
      }
      EXPECT_EQ(told.size() + counter(*made->code, "suppressed"), rows.time.size());
    }
}

TEST(Deadband, PassesChangesOfQualityAndARowPerLongestInterval) {
  auto made = make_step(filter_kind(), "{of: v, deadband: 1, max_interval: 10s}", {signal("v", "A")});
  std::vector<double> values(31, 5.0);
  values[15] = kNaN;
  Rows rows(values, 0, kSecond);
  const auto told = run(*made, rows);
  std::vector<Nanos> times;
  for (const Emitted& row : told) times.push_back(row.time / kSecond);
  EXPECT_EQ(times, (std::vector<Nanos>{0, 10, 15, 16, 26}));
  EXPECT_EQ(told[2].quality, Quality::bad);
}

}  // namespace
}  // namespace alara::flow
