// SPDX-License-Identifier: Apache-2.0
#include "base/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <thread>
#include <vector>

namespace alara {
namespace {

TEST(Histogram, IsEmptyAtFirst) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.quantile(0.5), 0);
  EXPECT_EQ(histogram.mean(), 0);
  EXPECT_EQ(histogram.max(), 0);
}

TEST(Histogram, KeepsSmallValuesExactly) {
  Histogram histogram;
  for (Nanos value = 0; value < 64; ++value) histogram.record(value);
  EXPECT_EQ(histogram.quantile(0.5), 31);
  EXPECT_EQ(histogram.quantile(1), 63);
  EXPECT_EQ(histogram.quantile(0), 0);
  EXPECT_DOUBLE_EQ(histogram.mean(), 31.5);
}

TEST(Histogram, StaysWithinItsErrorAtEveryScale) {
  std::mt19937_64 random(1);
  std::vector<Nanos> values;
  Histogram histogram;
  for (int i = 0; i < 50'000; ++i) {
    const Nanos value = static_cast<Nanos>(random() >> (24 + random() % 38));
    values.push_back(value);
    histogram.record(value);
  }
  std::sort(values.begin(), values.end());
  for (const double fraction : {0.01, 0.1, 0.5, 0.9, 0.99, 0.999}) {
    const auto exact = static_cast<double>(values[static_cast<std::size_t>(std::ceil(fraction * 50'000)) - 1]);
    const auto got = static_cast<double>(histogram.quantile(fraction));
    EXPECT_GE(got, exact);
    EXPECT_LE(got, exact * (1 + 1.0 / 64) + 1) << fraction;
  }
  EXPECT_EQ(histogram.quantile(1), values.back());
}

TEST(Histogram, TakesValuesBeyondItsEnds) {
  Histogram histogram;
  histogram.record(-5);
  histogram.record(INT64_MAX);
  histogram.record(Nanos{1} << 41);
  EXPECT_EQ(histogram.count(), 3u);
  EXPECT_EQ(histogram.max(), INT64_MAX);
  EXPECT_EQ(histogram.quantile(0.1), 0);
}

TEST(Histogram, CountsTheSamplesAPauseKeptFromBeingTaken) {
  Histogram histogram;
  histogram.record_corrected(100 * kMillisecond, 10 * kMillisecond);
  EXPECT_EQ(histogram.count(), 10u) << "100, 90, …, 10 ms";
  EXPECT_NEAR(static_cast<double>(histogram.quantile(0.5)), 50e6, 1e6);
  Histogram plain;
  plain.record_corrected(5 * kMillisecond, 10 * kMillisecond);
  plain.record_corrected(5 * kMillisecond, 0);
  EXPECT_EQ(plain.count(), 2u);
}

TEST(Histogram, AddsAndResets) {
  Histogram a, b;
  a.record(10, 3);
  b.record(1000);
  a.add(b);
  EXPECT_EQ(a.count(), 4u);
  EXPECT_EQ(a.max(), 1000);
  EXPECT_DOUBLE_EQ(a.mean(), 1030.0 / 4);
  a.reset();
  EXPECT_EQ(a.count(), 0u);
  EXPECT_EQ(a.quantile(0.99), 0);
}

TEST(Histogram, MayBeReadWhileItIsWritten) {
  Histogram histogram;
  std::jthread writer([&](const std::stop_token& stop) {
    for (Nanos value = 1; !stop.stop_requested(); ++value) histogram.record(value % 1000);
  });
  std::uint64_t last = 0;
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t now = histogram.count();
    EXPECT_GE(now, last);
    EXPECT_LE(histogram.quantile(0.99), 999);
    last = now;
  }
}

}  // namespace
}  // namespace alara
