// SPDX-License-Identifier: Apache-2.0
#include "flow/detect/forest.hpp"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace alara::flow {
namespace {

struct Scored {
  double score;
  bool anomalous;
};

// Two clusters whose coordinates agree; anomalies (2 %) have the first cluster's x with the second one's y: each input
// alone looks normal.
std::vector<Scored> two_clusters(std::uint64_t seed) {
  ForestBank bank({.seed = seed}, 2, 1);
  std::mt19937_64 random(11);
  std::normal_distribution<double> noise(0, 0.05);
  std::vector<Scored> out;
  for (int i = 0; i < 5000; ++i) {
    const bool anomalous = i >= 1000 && i % 50 == 0;
    const double cluster = static_cast<double>(random() % 2);
    const double x[2] = {cluster + noise(random), 1000 + 50 * ((anomalous ? 1 - cluster : cluster) + noise(random))};
    const Reading reading = bank.step(0, 0, x);
    if (i >= 1000) out.push_back({reading.score, anomalous});
  }
  return out;
}

// Share of pairs (anomaly, normal) in which the anomaly has the higher score.
double area_under_curve(const std::vector<Scored>& all) {
  double pairs = 0, right = 0;
  for (const Scored& a : all)
    for (const Scored& b : all)
      if (a.anomalous && !b.anomalous) {
        pairs += 1;
        right += a.score > b.score ? 1 : a.score == b.score ? 0.5 : 0;
      }
  return right / pairs;
}

TEST(Forest, RanksUnusualCombinationsOfUsualValuesFirst) {
  for (const std::uint64_t seed : {1u, 2u, 3u})
    EXPECT_GT(area_under_curve(two_clusters(seed)), 0.98) << "seed " << seed;
}

TEST(Forest, DefaultThresholdFindsHalfOfThemAtFewFalseAlarms) {
  int found = 0, anomalies = 0, false_alarms = 0;
  for (const Scored& each : two_clusters(1)) {
    anomalies += each.anomalous ? 1 : 0;
    found += each.anomalous && each.score > ForestBank::Options{}.threshold ? 1 : 0;
    false_alarms += !each.anomalous && each.score > ForestBank::Options{}.threshold ? 1 : 0;
  }
  EXPECT_GE(found, anomalies / 2);
  EXPECT_LE(false_alarms, 8);  // 0.2 %
}

TEST(Forest, IsTheSameForTheSameSeedAndOthersForOthers) {
  const auto scores = [](std::uint64_t seed) {
    std::vector<double> out;
    for (const Scored& each : two_clusters(seed)) out.push_back(each.score);
    return out;
  };
  EXPECT_EQ(scores(5), scores(5));
  EXPECT_NE(scores(5), scores(6));
}

TEST(Forest, TwoWindowsAreItsWarmUp) {
  ForestBank bank({.window = 30}, 1, 1);
  for (int i = 0; i < 80; ++i) {
    const double x = i % 7;
    EXPECT_EQ(bank.step(0, 0, &x).warm, i >= 60);
  }
}

// One tree of one cut: the mass of the half a sample falls in, times two, known by counting.
TEST(Forest, ScoresTheMassOfTheLastFullWindow) {
  ForestBank bank({.trees = 1, .depth = 1, .window = 100, .seed = 9}, 1, 1);
  const auto feed = [&](double x) { return bank.step(0, 0, &x).score; };
  for (int i = 0; i < 100; ++i) feed(i < 50 ? -1e9 : 1e9);  // the range: any cut of [0, 1] or near lies between
  for (int i = 0; i < 100; ++i) feed(i < 70 ? -1e12 : 1e12);
  EXPECT_NEAR(feed(-1e12), 1 / (1 + 1.4), 1e-12);
  EXPECT_NEAR(feed(1e12), 1 / (1 + 0.6), 1e-12);
}

}  // namespace
}  // namespace alara::flow
