// SPDX-License-Identifier: Apache-2.0
#include "flow/detect/ewma.hpp"

#include <random>

#include <gtest/gtest.h>

namespace alara::flow {
namespace {

// Mean and variance by their definition: every sample's weight, and sums over all of them.
struct Direct {
  std::vector<double> x, weight;
  double memory;

  void add(double value) {
    const double newest = std::max(2 / (memory + 1), 1.0 / static_cast<double>(x.size() + 1));
    for (double& each : weight) each *= 1 - newest;
    weight.push_back(newest);
    x.push_back(value);
  }
  [[nodiscard]] double mean() const {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += weight[i] * x[i];
    return sum;
  }
  [[nodiscard]] double variance() const {
    const double centre = mean();
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += weight[i] * (x[i] - centre) * (x[i] - centre);
    return sum;
  }
};

TEST(Ewma, ScoreAndLevelAgreeWithDirectSums) {
  EwmaBank bank({.memory = 20, .warm_up = 5, .threshold = 3}, 1);
  Direct direct{.x = {}, .weight = {}, .memory = 20};
  std::mt19937_64 random(1);
  std::normal_distribution<double> noise(1e4, 2);
  for (int i = 0; i < 300; ++i) {
    const double x = noise(random);
    const Reading reading = bank.step(0, 0, &x);
    ASSERT_EQ(reading.warm, i >= 5);
    if (reading.warm) {
      const double sigma = std::sqrt(direct.variance());
      ASSERT_NEAR(reading.score, std::fabs(x - direct.mean()) / sigma, 1e-7 * reading.score + 1e-9);
      ASSERT_NEAR(reading.level, direct.mean() + (x >= direct.mean() ? 3 : -3) * sigma, 1e-6);
      ASSERT_EQ(reading.hit, reading.score > 3);
    }
    direct.add(x);
  }
}

TEST(Ewma, ChangeAfterAConstantSignalIsTheLargestScore) {
  EwmaBank bank({.memory = 20, .warm_up = 5, .threshold = 3}, 1);
  const double same = 7, other = 7.001;
  for (int i = 0; i < 50; ++i) EXPECT_EQ(bank.step(0, 0, &same).score, 0);
  const Reading reading = bank.step(0, 0, &other);
  EXPECT_EQ(reading.score, kMaxScore);
  EXPECT_TRUE(reading.hit);
}

TEST(Ewma, WatchesOneSideOnly) {
  EwmaBank bank({.memory = 50, .warm_up = 10, .threshold = 3, .side = Side::high}, 1);
  for (int i = 0; i < 100; ++i) {
    const double x = i % 2;
    bank.step(0, 0, &x);
  }
  const double low = -100, high = 100;
  EXPECT_EQ(bank.step(0, 0, &low).score, 0);
  EXPECT_TRUE(bank.step(0, 0, &high).hit);
}

}  // namespace
}  // namespace alara::flow
