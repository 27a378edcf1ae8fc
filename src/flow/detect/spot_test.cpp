// SPDX-License-Identifier: Apache-2.0
#include "flow/detect/spot.hpp"

#include <random>

#include <gtest/gtest.h>

namespace alara::flow {
namespace {

TEST(Gpd, FitFindsTheParametersOfASample) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (const double shape : {-0.3, 0.2, 0.5}) {
    double shapes = 0, scales = 0;
    constexpr int kRuns = 200;
    for (int run = 0; run < kRuns; ++run) {
      std::array<double, 200> y;
      for (double& value : y) value = Gpd{shape, 2}.excess_at(1 - uniform(random));
      const Gpd fit = fit_gpd(y);
      shapes += fit.shape / kRuns;
      scales += fit.scale / kRuns;
    }
    EXPECT_NEAR(shapes, shape, 0.04);
    EXPECT_NEAR(scales, 2, 0.1);
  }
}

TEST(Gpd, TailAndExcessAreInverse) {
  for (const double shape : {-0.4, 0.0, 0.3})
    for (const double probability : {0.5, 1e-3, 1e-6}) {
      const Gpd gpd{shape, 1.5};
      EXPECT_NEAR(gpd.tail(gpd.excess_at(probability)), probability, 1e-9 * probability);
    }
  EXPECT_EQ((Gpd{-0.5, 1}.tail(3)), 0);  // beyond the end of a bounded tail
}

template <typename Draw>
double alarm_rate(SpotBank::Options options, std::uint64_t seed, Draw draw) {
  SpotBank bank(options, 1);
  std::mt19937_64 random(seed);
  constexpr int kSamples = 1'000'000;
  int hits = 0;
  for (int i = 0; i < kSamples; ++i) {
    const double x = draw(random);
    hits += bank.step(0, 0, &x).hit ? 1 : 0;
  }
  return static_cast<double>(hits) / kSamples;
}

TEST(Spot, AlarmsOnNoiseAboutAsOftenAsAskedFor) {
  std::normal_distribution<double> gauss(100, 3);
  std::exponential_distribution<double> exponential(0.5);
  const double low = alarm_rate({.q = 1e-3, .side = Side::low}, 1, [&](auto& random) { return gauss(random); });
  EXPECT_GT(low, 0.5e-3);
  EXPECT_LT(low, 2e-3);
  const double high = alarm_rate({.q = 1e-3, .side = Side::high}, 2, [&](auto& random) { return exponential(random); });
  EXPECT_GT(high, 0.5e-3);
  EXPECT_LT(high, 2e-3);
}

TEST(Spot, ScoreIsTheProbabilityAndLevelTheLimit) {
  SpotBank bank({.q = 1e-4, .side = Side::high}, 1);
  std::mt19937_64 random(3);
  std::exponential_distribution<double> noise(1);
  Reading reading;
  for (int i = 0; i < 20000; ++i) {
    const double x = noise(random);
    reading = bank.step(0, 0, &x);
  }
  const double normal = 0.5;
  reading = bank.step(0, 0, &normal);
  EXPECT_EQ(reading.score, 0);
  EXPECT_NEAR(reading.level, -std::log(1e-4), 2.5);  // of the exponential distribution: 9.2
  const double beyond = reading.level + 0.01;
  const Reading alarm = bank.step(0, 0, &beyond);
  EXPECT_EQ(alarm.level, reading.level);
  EXPECT_TRUE(alarm.hit);
  EXPECT_NEAR(alarm.score, 4, 0.3);
}

TEST(Spot, FollowsADriftWhenToldTo) {
  const auto hits = [](std::uint32_t drift) {
    SpotBank bank({.q = 1e-4, .drift = drift}, 1);
    std::mt19937_64 random(8);
    std::normal_distribution<double> noise(0, 1);
    int count = 0;
    for (int i = 0; i < 20000; ++i) {
      const double x = noise(random) + i * 0.002;
      count += bank.step(0, 0, &x).hit ? 1 : 0;
    }
    return count;
  };
  EXPECT_LT(hits(50), 30);
  EXPECT_GT(hits(0), 200);
}

TEST(Spot, LearnsAFewLevelsWithoutAlarm) {
  SpotBank bank({.q = 1e-4}, 1);
  for (int i = 0; i < 3000; ++i) {
    const double x = i % 4;
    ASSERT_FALSE(bank.step(0, 0, &x).hit);
  }
}

}  // namespace
}  // namespace alara::flow
