// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/ranges.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>

namespace alara::graph {
namespace {

std::vector<float> bell(std::size_t count, float spread, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> out(count);
  for (float& x : out) x = normal(random);
  return out;
}

ValueHistogram histogram_of(std::span<const float> numbers) {
  ValueHistogram out;
  out.add(numbers);
  return out;
}

double mean_squared_error(std::span<const float> numbers, const Range& range) {
  const Grid grid = grid_over(range, ActivationType::uint8);
  double sum = 0;
  for (const float x : numbers) {
    const double error = static_cast<double>(grid.scale) * (quantized(x, grid) - grid.zero_point) - x;
    sum += error * error;
  }
  return sum / static_cast<double>(numbers.size());
}

TEST(ValueHistogram, DependsOnTheNumbersAndNotOnTheirOrderOrBatches) {
  std::vector<float> numbers = bell(5000, 0.01F);
  for (const float x : bell(50, 300)) numbers.push_back(x);
  const ValueHistogram at_once = histogram_of(numbers);
  std::reverse(numbers.begin(), numbers.end());
  ValueHistogram in_parts;
  for (std::size_t i = 0; i < numbers.size(); i += 7)
    in_parts.add(std::span(numbers).subspan(i, std::min<std::size_t>(7, numbers.size() - i)));
  EXPECT_TRUE(at_once == in_parts);
  EXPECT_EQ(at_once.count(), numbers.size());
}

TEST(ValueHistogram, KeepsEveryNumberInItsBin) {
  const std::vector<float> numbers{-3.5F, 0, 0, 1e-30F, 2, 2, 7.999F};
  const ValueHistogram histogram = histogram_of(numbers);
  EXPECT_EQ(histogram.min(), -3.5F);
  EXPECT_EQ(histogram.max(), 7.999F);
  EXPECT_EQ(histogram.zeros(), 2u);
  const auto bins = histogram.bins();
  ASSERT_EQ(bins.size(), 5u);
  EXPECT_EQ(bins[1].centre, 0);
  EXPECT_EQ(bins[1].count, 2);
  EXPECT_EQ(bins[3].count, 2);
  for (const std::size_t i : {0u, 3u, 4u}) {
    const double number = std::array{-3.5, 0.0, 0.0, 2.0, static_cast<double>(7.999F)}[i];
    EXPECT_LE(std::fabs(bins[i].centre - number), histogram.width() / 2);
  }
}

TEST(ValueHistogram, LeavesOutWhatIsNotFinite) {
  const std::vector<float> numbers{1, std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity(),
                                   2};
  const ValueHistogram histogram = histogram_of(numbers);
  EXPECT_EQ(histogram.count(), 2u);
  EXPECT_EQ(histogram.not_finite(), 2u);
  EXPECT_EQ(histogram.max(), 2);
  EXPECT_EQ(histogram.bins().size(), 2u);
}

TEST(ValueHistogram, TakesTheLargestAndTheSmallestNumbers) {
  const std::vector<float> numbers{std::numeric_limits<float>::max(), -std::numeric_limits<float>::max(),
                                   std::numeric_limits<float>::denorm_min()};
  const ValueHistogram histogram = histogram_of(numbers);
  EXPECT_EQ(histogram.bins().size(), 3u);
  EXPECT_EQ(histogram_of(std::vector<float>{}).bins().size(), 0u);
}

TEST(Ranges, HoldZeroAndAllThatWasSeen) {
  EXPECT_EQ(choose_range(histogram_of(std::vector<float>{2, 3}), RangeMethod::min_max), (Range{0, 3}));
  EXPECT_EQ(choose_range(histogram_of(std::vector<float>{-2, -1}), RangeMethod::min_max), (Range{-2, 0}));
  for (const auto method : {RangeMethod::min_max, RangeMethod::percentile, RangeMethod::entropy, RangeMethod::mse})
    EXPECT_EQ(choose_range(histogram_of(std::vector<float>{0, 0}), method), (Range{0, 0})) << name_of(method);
}

TEST(Ranges, CutOutliersOff) {
  std::vector<float> numbers = bell(1'000'000, 1);
  numbers.push_back(40);
  const ValueHistogram histogram = histogram_of(numbers);
  for (const auto method : {RangeMethod::percentile, RangeMethod::entropy, RangeMethod::mse}) {
    const Range range = choose_range(histogram, method);
    EXPECT_LT(range.high, method == RangeMethod::entropy ? 38 : 30) << name_of(method);
    EXPECT_GT(range.high, 2.5) << name_of(method);
    EXPECT_LT(range.low, -2.5) << name_of(method);
  }
}

TEST(Ranges, BySquaredErrorAreNoWorseThanAnyOtherShrinking) {
  std::vector<float> numbers = bell(20'000, 1);
  for (float& x : numbers) x = x < 0 ? x * 0.1F : x * x * x;  // lopsided, long tail
  const ValueHistogram histogram = histogram_of(numbers);
  const double found = mean_squared_error(numbers, choose_range(histogram, RangeMethod::mse));
  const Range all = choose_range(histogram, RangeMethod::min_max);
  for (const double low : {1.0, 0.8, 0.5, 0.25})
    for (const double high : {1.0, 0.8, 0.6, 0.4, 0.2, 0.1})
      EXPECT_LE(found, 1.02 * mean_squared_error(numbers, {all.low * low, all.high * high})) << low << " " << high;
}

TEST(Ranges, GiveGridsThatHoldZeroExactly) {
  for (const auto type : {ActivationType::uint8, ActivationType::int8})
    for (const Range range : {Range{0, 6}, Range{-1, 3}, Range{-2.7, 0}, Range{0, 0}, Range{-1e-38, 0}}) {
      const Grid grid = grid_over(range, type);
      EXPECT_GE(grid.zero_point, grid.lowest);
      EXPECT_LE(grid.zero_point, grid.highest);
      EXPECT_EQ(quantized(0, grid), grid.zero_point);
      EXPECT_GT(grid.scale, 0);
    }
  const Grid relu = grid_over({0, 6}, ActivationType::int8);
  EXPECT_EQ(relu.zero_point, -128);
  EXPECT_EQ(quantized(6, relu), 127);
  EXPECT_EQ(quantized(1000, relu), 127);
}

TEST(Ranges, AreFoundByName) {
  EXPECT_EQ(*range_method("entropy"), RangeMethod::entropy);
  EXPECT_FALSE(range_method("best"));
}

}  // namespace
}  // namespace alara::graph
