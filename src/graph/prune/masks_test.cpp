// SPDX-License-Identifier: Apache-2.0
#include "graph/prune/masks.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace alara::graph {
namespace {

std::vector<float> random_numbers(std::size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::vector<float> out(count);
  for (float& number : out) number = static_cast<float>(engine() % 20001) / 10000.0F - 1.0F;
  return out;
}

Linear conv(std::int64_t outputs, std::int64_t inputs, std::int64_t taps, std::int64_t groups = 1) {
  return {nullptr, nullptr, outputs, inputs / groups, taps, groups, true};
}
Linear product(std::int64_t inputs, std::int64_t outputs) { return {nullptr, nullptr, inputs, outputs, 1, 1, false}; }

TEST(Masks, TheSmallestWeightsGoAndTheShareIsMet) {
  const std::vector<float> numbers = random_numbers(1000, 1);
  const std::vector<MaskedWeights> layers{{product(20, 50), numbers}};
  const auto masks = choose_masks(layers, {0.8});
  ASSERT_TRUE(masks);
  EXPECT_DOUBLE_EQ(sparsity_of(masks->front()), 0.8);
  float largest_gone = 0;
  float smallest_kept = 9;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    float& limit = masks->front()[i] == 0 ? largest_gone : smallest_kept;
    limit = masks->front()[i] == 0 ? std::max(limit, std::fabs(numbers[i])) : std::min(limit, std::fabs(numbers[i]));
  }
  EXPECT_LE(largest_gone, smallest_kept);
}

TEST(Masks, GloballyASmallLayerLosesMoreButNeverAll) {
  std::vector<float> small = random_numbers(1000, 1);
  for (float& number : small) number *= 0.01F;
  const std::vector<float> large = random_numbers(1000, 2);
  const std::vector<MaskedWeights> layers{{product(20, 50), small}, {product(20, 50), large}};
  const auto masks = choose_masks(layers, {0.5, Pattern::unstructured, MaskScope::global, 0.9});
  ASSERT_TRUE(masks);
  EXPECT_DOUBLE_EQ(sparsity_of(masks->at(0)), 0.9);
  EXPECT_DOUBLE_EQ(sparsity_of(masks->at(1)), 0.1);
}

// For every output and tap: of four neighbouring inputs two are left, the larger ones.
TEST(Masks, TwoOfFourRunsAlongTheInputs) {
  const std::vector<float> numbers = random_numbers(6 * 8 * 3, 3);
  const std::vector<MaskedWeights> layers{{conv(6, 8, 3), numbers}};
  const auto masks = choose_masks(layers, {0.5, Pattern::two_of_four});
  ASSERT_TRUE(masks);
  const Mask& mask = masks->front();
  for (std::size_t output = 0; output < 6; ++output)
    for (std::size_t run = 0; run < 8; run += 4)
      for (std::size_t tap = 0; tap < 3; ++tap) {
        float kept = 9, gone = 0;
        int left = 0;
        for (std::size_t j = 0; j < 4; ++j) {
          const std::size_t i = (output * 8 + run + j) * 3 + tap;
          left += mask[i];
          (mask[i] != 0 ? kept : gone) =
              mask[i] != 0 ? std::min(kept, std::fabs(numbers[i])) : std::max(gone, std::fabs(numbers[i]));
        }
        EXPECT_EQ(left, 2);
        EXPECT_LE(gone, kept);
      }
}

TEST(Masks, TwoOfFourOfAProductRunsDownItsRows) {
  const std::vector<float> numbers{1, 8, 2, 7, 3, 6, 4, 5};  // [inputs 4, outputs 2]
  const std::vector<MaskedWeights> layers{{product(4, 2), numbers}};
  const auto masks = choose_masks(layers, {0.5, Pattern::two_of_four});
  ASSERT_TRUE(masks);
  EXPECT_EQ(masks->front(), (Mask{0, 1, 0, 1, 1, 0, 1, 0}));
}

TEST(Masks, TwoOfFourGrowsTowardsAHalf) {
  const std::vector<float> numbers = random_numbers(64 * 64, 5);
  const std::vector<MaskedWeights> layers{{product(64, 64), numbers}};
  const auto quarter = choose_masks(layers, {0.25, Pattern::two_of_four});
  const auto most = choose_masks(layers, {0.9, Pattern::two_of_four});
  ASSERT_TRUE(quarter && most);
  EXPECT_NEAR(sparsity_of(quarter->front()), 0.25, 0.001);
  EXPECT_DOUBLE_EQ(sparsity_of(most->front()), 0.5);
}

TEST(Masks, BlocksTakeFourOutputsTogetherAndStayWithinGroups) {
  const std::vector<float> numbers = random_numbers(12 * 4 * 2, 7);  // 12 outputs in 2 groups of 6: runs of 4 and 2
  const std::vector<MaskedWeights> layers{{conv(12, 8, 2, 2), numbers}};
  const auto masks = choose_masks(layers, {0.5, Pattern::blocks_4x1});
  ASSERT_TRUE(masks);
  EXPECT_NEAR(sparsity_of(masks->front()), 0.5, 0.03);
  for (std::size_t group = 0; group < 12; group += 6)
    for (const auto& [from, to] : {std::pair{0, 4}, std::pair{4, 6}})
      for (std::size_t column = 0; column < 8; ++column)
        for (int j = from; j < to; ++j)
          EXPECT_EQ(masks->front()[(group + static_cast<std::size_t>(j)) * 8 + column],
                    masks->front()[(group + static_cast<std::size_t>(from)) * 8 + column]);
}

TEST(Masks, RefusesAShareThatIsNone) {
  EXPECT_FALSE(choose_masks({}, {1.5}));
  EXPECT_FALSE(choose_masks({}, {std::nan("")}));
}

TEST(SparsitySchedule, GrowsFastAtFirstAndStopsAtTheEnd) {
  const SparsitySchedule schedule{0.1, 0.8, 100, 200};
  EXPECT_DOUBLE_EQ(schedule.at(0), 0.1);
  EXPECT_DOUBLE_EQ(schedule.at(100), 0.1);
  EXPECT_DOUBLE_EQ(schedule.at(150), 0.8 - 0.7 * 0.125);
  EXPECT_DOUBLE_EQ(schedule.at(200), 0.8);
  EXPECT_DOUBLE_EQ(schedule.at(900), 0.8);
}

}  // namespace
}  // namespace alara::graph
