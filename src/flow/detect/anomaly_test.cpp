// SPDX-License-Identifier: Apache-2.0
#include "flow/detect/anomaly.hpp"

#include <functional>
#include <numbers>
#include <random>

#include <gtest/gtest.h>

namespace alara::flow {
namespace {

constexpr Nanos kStep = 5 * kMinute;
constexpr int kDay = 288;

// Feeds `days` of 5-minute values; returns the samples that hit.
std::vector<int> hits(int days, const std::function<double(int)>& signal, AnomalyBank::Options options = {}) {
  AnomalyBank bank(options, 1);
  std::vector<int> out;
  for (int i = 0; i < days * kDay; ++i) {
    const double x = signal(i);
    if (bank.step(0, i * kStep, &x).hit) out.push_back(i);
  }
  return out;
}

double daily(int i) { return 20 + 10 * std::sin(2 * std::numbers::pi * i / kDay); }

class Noise {
 public:
  explicit Noise(double sigma) : sigma_(sigma) {}
  double operator()(int i) const {  // the same for the same sample, whatever was asked before
    std::mt19937_64 random(static_cast<std::uint64_t>(i) * 7919 + 1);
    return std::uniform_real_distribution<double>(-1.7 * sigma_, 1.7 * sigma_)(random);
  }

 private:
  double sigma_;
};

TEST(Envelope, IsTheRangeOfThePastWithoutTheNewestTwoBlocks) {
  Envelope range;
  for (const double x : {1.0, 3.0}) range.add(x);
  range.end_block(0);
  EXPECT_FALSE(range.known());
  range.add(100);
  range.end_block(0);
  EXPECT_EQ(range.low(), 1);
  EXPECT_EQ(range.high(), 3);
  EXPECT_EQ(range.excess(2, 0), 0);
  EXPECT_EQ(range.excess(4, 0), 0.5);
  EXPECT_EQ(range.excess(0, 2), 0.25);
  range.add(2);
  range.end_block(0.5);  // shrinks 1…3 to 1.5…2.5, then takes in 100
  EXPECT_EQ(range.low(), 1.5);
  EXPECT_EQ(range.high(), 100);
}

TEST(Anomaly, IsSilentOnADailyCycleWithNoise) {
  const Noise noise(1);
  EXPECT_TRUE(hits(20, [&](int i) { return daily(i) + noise(i); }).empty());
}

TEST(Anomaly, SeesADayThatDoesNotRise) {
  const Noise noise(0.5);
  const int from = 12 * kDay;
  const auto signal = [&](int i) { return (i >= from && i < from + kDay ? 20 : daily(i)) + noise(i); };
  const std::vector<int> found = hits(14, signal);
  ASSERT_FALSE(found.empty());
  EXPECT_GE(found.front(), from);
  EXPECT_LT(found.front(), from + kDay / 4);
  // Without its season it can not know: the values are all within the usual range.
  EXPECT_TRUE(hits(13, signal, {.season = 0}).empty());
}

TEST(Anomaly, SeesASlowSlideThatNoSingleStepShows) {
  const Noise noise(0.5);
  const int from = 12 * kDay;
  const std::vector<int> found =
      hits(16, [&](int i) { return 50 + noise(i) - (i > from ? 0.005 * (i - from) : 0); }, {.season = 0});
  ASSERT_FALSE(found.empty());
  EXPECT_GT(found.front(), from);
  EXPECT_LT(found.front(), from + 2 * kDay);
}

TEST(Anomaly, SeesRestlessnessWithinTheUsualRange) {
  const Noise noise(0.05);
  const int from = 12 * kDay;
  const auto signal = [&](int i) {  // swings slowly, then as far but fast
    return (i < from ? std::sin(i * 0.02) : std::sin(i * 1.3)) + noise(i);
  };
  const std::vector<int> found = hits(14, signal, {.season = 0});
  ASSERT_FALSE(found.empty());
  EXPECT_GE(found.front(), from);
  EXPECT_LT(found.front(), from + 72);
  EXPECT_TRUE(hits(14, signal, {.season = 0, .level = false, .activity = false}).empty());
}

TEST(Anomaly, GetsUsedToANewRange) {
  const Noise noise(1);
  const std::vector<int> found = hits(20, [&](int i) { return (i < 10 * kDay ? 50 : 60) + noise(i); });
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front(), 10 * kDay);
  EXPECT_LT(found.back(), 11 * kDay + kDay / 2);
}

TEST(Anomaly, ALargeOffsetDoesNotBlurTheSeason) {
  const Noise noise(0.5);
  EXPECT_TRUE(hits(20, [&](int i) { return 1e9 + daily(i) + noise(i); }).empty());
}

TEST(Anomaly, TimesBeforeTheEpochAndClocksPutBackAreTimes) {
  AnomalyBank bank({}, 1);
  for (int i = 0; i < 5 * kDay; ++i) {
    const double x = daily(i);
    const Nanos time = -3 * kDay * kStep + i * kStep - (i > 2 * kDay ? kHour : 0);
    EXPECT_TRUE(std::isfinite(bank.step(0, time, &x).score));
  }
}

}  // namespace
}  // namespace alara::flow
