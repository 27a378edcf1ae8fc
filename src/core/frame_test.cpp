// SPDX-License-Identifier: Apache-2.0
#include "core/frame.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace alara {
namespace {

TEST(FrameBuilder, KeepsOneSlotShortUntilASecondComes) {
  FrameBuilder builder(2);
  const double first[] = {1, 2}, second[] = {3, 4};
  builder.append(5, 10, Quality::good, first);
  builder.append(5, 20, Quality::good, second);
  Frame frame = builder.view(99);
  EXPECT_TRUE(frame.single_slot());
  EXPECT_TRUE(frame.quality.empty());
  EXPECT_EQ(frame.only_slot, 5u);
  EXPECT_EQ(frame.arrival, 99);
  EXPECT_EQ(frame.column(1)[1], 4);
  builder.append(6, 30, Quality::bad, first);
  frame = builder.view(99);
  EXPECT_EQ(frame.slot_at(0), 5u);
  EXPECT_EQ(frame.slot_at(2), 6u);
  EXPECT_EQ(frame.quality_at(0), Quality::good);
  EXPECT_EQ(frame.quality_at(2), Quality::bad);
}

TEST(FrameBuilder, AppendsRowsLikeOthers) {
  const std::vector<std::uint32_t> slot = {1, 2};
  const std::vector<Nanos> time = {10, 20};
  const std::vector<Quality> quality = {Quality::good, Quality::uncertain};
  Frame like;
  like.slot = slot;
  like.time = time;
  like.quality = quality;
  FrameBuilder builder(1);
  const double value = 7;
  builder.append(1, 5, Quality::good, {&value, 1});
  EXPECT_EQ(builder.append_like(like), 1u);
  builder.column(0)[1] = 8;
  builder.column(0)[2] = 9;
  builder.set_quality(1, Quality::bad);
  const Frame frame = builder.view(0);
  ASSERT_EQ(frame.size(), 3u);
  EXPECT_EQ(frame.slot_at(2), 2u);
  EXPECT_EQ(frame.time[2], 20);
  EXPECT_EQ(frame.quality_at(1), Quality::bad);
  EXPECT_EQ(frame.quality_at(2), Quality::uncertain);
  EXPECT_EQ(frame.column(0)[2], 9);
}

TEST(FrameBuilder, StartsAnewWhenCleared) {
  FrameBuilder builder(1);
  const double value = 7;
  builder.append(1, 5, Quality::bad, {&value, 1});
  builder.append(2, 5, Quality::good, {&value, 1});
  builder.clear();
  EXPECT_EQ(builder.size(), 0u);
  builder.append(3, 5, Quality::good, {&value, 1});
  const Frame frame = builder.view(0);
  EXPECT_TRUE(frame.single_slot());
  EXPECT_EQ(frame.only_slot, 3u);
  EXPECT_EQ(frame.quality_at(0), Quality::good);
}

}  // namespace
}  // namespace alara
