// SPDX-License-Identifier: Apache-2.0
#include "flow/detect/change.hpp"

#include <random>

#include <gtest/gtest.h>

namespace alara::flow {
namespace {

using Method = ChangeBank::Method;

// Mean number of samples to the alarm of a two-sided CUSUM started at 0, on N(shift, 1).
double run_length(double threshold, double shift, int runs) {
  ChangeBank bank(Method::cusum, {.slack = 0.5, .threshold = threshold, .mean = 0, .sigma = 1}, 1);
  std::mt19937_64 random(7);
  std::normal_distribution<double> noise(shift, 1);
  double samples = 0;
  for (int alarms = 0; alarms < runs; ++samples) {
    const double x = noise(random);
    alarms += bank.step(0, 0, &x).hit ? 1 : 0;  // the sums start from 0 after each
  }
  return samples / runs;
}

// D. C. Montgomery, "Introduction to Statistical Quality Control", table of the two-sided tabular CUSUM with k = 1/2.
TEST(Cusum, HasTheKnownAverageRunLengths) {
  EXPECT_NEAR(run_length(5, 0, 3000), 465, 0.05 * 465);
  EXPECT_NEAR(run_length(4, 0, 5000), 168, 0.05 * 168);
  EXPECT_NEAR(run_length(5, 1, 5000), 10.4, 0.03 * 10.4);
  EXPECT_NEAR(run_length(4, 1, 5000), 8.38, 0.03 * 8.38);
  EXPECT_NEAR(run_length(5, 2, 5000), 4.01, 0.03 * 4.01);
}

TEST(Cusum, LearnsMeanAndSpreadWhereTheyAreNotGiven) {
  ChangeBank bank(Method::cusum, {.warm_up = 4, .mean = {}, .sigma = {}}, 1);
  for (const double x : {99.0, 101.0, 99.0, 101.0}) EXPECT_FALSE(bank.step(0, 0, &x).warm);
  const double sigma = std::sqrt(4.0 / 3), up = 100 + 2 * sigma;  // z = 2, each adds 1.5
  EXPECT_NEAR(bank.step(0, 0, &up).score, 1.5, 1e-12);
  EXPECT_NEAR(bank.step(0, 0, &up).score, 3.0, 1e-12);
}

TEST(Cusum, AfterAnAlarmItRestartsRelearnsOrCarriesOn) {
  const double normal = 0, shifted = 3;
  const auto hits_in_shift = [&](AfterAlarm after) {
    ChangeBank bank(Method::cusum, {.warm_up = 4, .mean = {}, .sigma = {}, .after = after}, 1);
    for (const double x : {-1.0, 1.0, -1.0, 1.0}) bank.step(0, 0, &x);
    int hits = 0;
    for (int i = 0; i < 40; ++i) hits += bank.step(0, 0, i % 2 == 0 ? &shifted : &normal).hit ? 1 : 0;
    return hits;
  };
  EXPECT_GT(hits_in_shift(AfterAlarm::restart), 3);
  EXPECT_EQ(hits_in_shift(AfterAlarm::relearn), 1);
  EXPECT_GT(hits_in_shift(AfterAlarm::carry), 25);
}

// By definition: m = sum of (x - mean so far - k), statistic = m - min m (0 included), mirrored for falls.
TEST(PageHinkley, AgreesWithItsDefinition) {
  ChangeBank bank(Method::page_hinkley, {.slack = 0.3, .threshold = 1e9, .mean = {}, .sigma = 1}, 1);
  std::mt19937_64 random(3);
  std::normal_distribution<double> noise(5, 1);
  double total = 0, rise = 0, least = 0, fall = 0, most = 0;
  for (int i = 1; i <= 500; ++i) {
    const double x = noise(random) + (i > 300 ? 1 : 0);
    total += x;
    const double mean = total / i;
    rise += x - mean - 0.3;
    least = std::min(least, rise);
    fall += x - mean + 0.3;
    most = std::max(most, fall);
    const Reading reading = bank.step(0, 0, &x);
    ASSERT_NEAR(reading.score, std::max(rise - least, most - fall), 1e-6);
  }
}

TEST(PageHinkley, SeesAShiftOnTheChosenSideOnly) {
  for (const Side side : {Side::high, Side::low}) {
    ChangeBank bank(Method::page_hinkley, {.threshold = 20, .mean = {}, .sigma = {}, .side = side}, 1);
    std::mt19937_64 random(4);
    std::normal_distribution<double> noise(0, 1);
    bool hit = false;
    for (int i = 0; i < 600; ++i) {
      const double x = noise(random) + (i >= 400 ? 2 : 0);
      hit |= bank.step(0, 0, &x).hit;
      ASSERT_FALSE(hit && i < 400);
    }
    EXPECT_EQ(hit, side == Side::high);
  }
}

}  // namespace
}  // namespace alara::flow
