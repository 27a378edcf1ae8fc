// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace alara {
namespace {

TEST(Saturating, SumsAndDifferencesStayWithinTheEnds) {
  EXPECT_EQ(saturating_add(3, -5), -2);
  EXPECT_EQ(saturating_sub(3, -5), 8);
  EXPECT_EQ(saturating_add(kNever, 1), kNever);
  EXPECT_EQ(saturating_add(-kNever, -1), -kNever);
  EXPECT_EQ(saturating_add(INT64_MIN, INT64_MIN), -kNever);
  EXPECT_EQ(saturating_sub(kNever, -1), kNever);
  EXPECT_EQ(saturating_sub(0, INT64_MIN), kNever);
  EXPECT_EQ(saturating_sub(INT64_MIN, 1), -kNever);
  EXPECT_EQ(saturating_sub(-1, kNever), -kNever);  // INT64_MIN fits, but its negative would not
}

TEST(FakeClock, MovesOnlyWhenTold) {
  FakeClock clock(100 * kSecond);
  const Nanos monotonic = clock.monotonic();
  EXPECT_EQ(clock.wall(), 100 * kSecond);
  EXPECT_EQ(clock.wall(), 100 * kSecond);
  clock.advance(5 * kMillisecond);
  EXPECT_EQ(clock.wall(), 100 * kSecond + 5 * kMillisecond);
  EXPECT_EQ(clock.monotonic(), monotonic + 5 * kMillisecond);
}

TEST(FakeClock, LetsTheWallJumpAlone) {
  FakeClock clock;
  const Nanos monotonic = clock.monotonic();
  clock.set_wall(7);
  EXPECT_EQ(clock.wall(), 7);
  EXPECT_EQ(clock.monotonic(), monotonic);
}

TEST(FakeClock, SleepsByMovingOnAndNeverBack) {
  FakeClock clock;
  const Nanos start = clock.monotonic();
  clock.sleep_until(start + kSecond);
  EXPECT_EQ(clock.monotonic(), start + kSecond);
  clock.sleep_until(start);
  EXPECT_EQ(clock.monotonic(), start + kSecond);
}

TEST(SystemClock, NeverGoesBack) {
  SystemClock clock;
  Nanos last = clock.monotonic();
  for (int i = 0; i < 10'000; ++i) {
    const Nanos now = clock.monotonic();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(SystemClock, WakesNoEarlierThanAsked) {
  SystemClock clock;
  const Nanos until = clock.monotonic() + 2 * kMillisecond;
  clock.sleep_until(until);
  EXPECT_GE(clock.monotonic(), until);
  clock.sleep_until(0);  // the past: at once
}

TEST(SystemClock, CountsTheWallFromTheEpoch) {
  SystemClock clock;
  constexpr Nanos k2020 = 1'577'836'800 * kSecond;
  EXPECT_GT(clock.wall(), k2020);
}

}  // namespace
}  // namespace alara
