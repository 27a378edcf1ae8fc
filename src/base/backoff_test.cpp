// SPDX-License-Identifier: Apache-2.0
#include "base/backoff.hpp"

#include <gtest/gtest.h>

namespace alara {
namespace {

TEST(Backoff, WaitsBelowABoundThatDoublesUpToTheMost) {
  Backoff backoff(100, 1000, 7);
  for (const Nanos bound : {100, 200, 400, 800, 1000, 1000}) {
    const Nanos wait = backoff.next();
    EXPECT_GE(wait, 0);
    EXPECT_LT(wait, bound);
  }
  for (int i = 0; i < 200; ++i) EXPECT_LT(backoff.next(), 1000);
  backoff.restart();
  EXPECT_LT(backoff.next(), 100);
  EXPECT_EQ(backoff.attempts(), 1);
}

TEST(Backoff, SpreadsOverTheWholeRangeAndDiffersBySeed) {
  Backoff one(1000, 1000, 1), other(1000, 1000, 2);
  int low = 0, high = 0, same = 0;
  for (int i = 0; i < 1000; ++i) {
    const Nanos wait = one.next();
    low += wait < 250 ? 1 : 0;
    high += wait >= 750 ? 1 : 0;
    same += wait == other.next() ? 1 : 0;
  }
  EXPECT_NEAR(low, 250, 60);
  EXPECT_NEAR(high, 250, 60);
  EXPECT_LT(same, 10);
}

}  // namespace
}  // namespace alara
