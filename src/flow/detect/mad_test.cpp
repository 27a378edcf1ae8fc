// SPDX-License-Identifier: Apache-2.0
#include "flow/detect/mad.hpp"

#include <algorithm>
#include <deque>
#include <random>

#include <gtest/gtest.h>

namespace alara::flow {
namespace {

double sorted_median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

void compare_with_sorting(std::uint32_t window, int distinct) {
  MadBank bank({.window = window, .warm_up = 3, .threshold = 4}, 1);
  std::deque<double> last;
  std::mt19937_64 random(window);
  for (int i = 0; i < 2000; ++i) {
    const double x = static_cast<double>(random() % static_cast<unsigned>(distinct)) / 8;
    const Reading reading = bank.step(0, 0, &x);
    if (last.size() >= 3) {
      const double median = sorted_median({last.begin(), last.end()});
      std::vector<double> distances;
      for (const double each : last) distances.push_back(std::fabs(each - median));
      double total = 0;
      for (const double each : distances) total += each;
      double spread = sorted_median(distances) / 0.6744897501960817;
      if (spread == 0) spread = 1.2533141373155001 * total / static_cast<double>(distances.size());
      const double expected = x == median ? 0 : spread == 0 ? kMaxScore : std::fabs(x - median) / spread;
      ASSERT_NEAR(reading.score, expected, 1e-9 * expected) << "window " << window << " sample " << i;
      ASSERT_NEAR(reading.level, median + (x >= median ? 4 : -4) * spread, 1e-9);
    }
    last.push_back(x);
    if (last.size() > window) last.pop_front();
  }
}

TEST(Mad, AgreesWithSortingTheWindowEachTime) {
  for (const std::uint32_t window : {4u, 5u, 16u, 33u, 64u})
    for (const int distinct : {2, 9, 100000}) compare_with_sorting(window, distinct);
}

TEST(Mad, StaysCalmWhenNearlyHalfOfTheWindowAreOutliers) {
  MadBank bank({.window = 21, .warm_up = 21, .threshold = 6}, 1);
  for (int i = 0; i < 21; ++i) {
    const double x = i % 5 < 2 ? 1e6 : i % 3;
    bank.step(0, 0, &x);
  }
  const double normal = 1, outlier = 1e6;
  EXPECT_FALSE(bank.step(0, 0, &normal).hit);
  EXPECT_TRUE(bank.step(0, 0, &outlier).hit);
}

}  // namespace
}  // namespace alara::flow
