// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/latest.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace alara::flow {
namespace {

TEST(LatestValues, KnowsNothingOfWhatWasNeverWritten) {
  LatestValues latest(3);
  EXPECT_EQ(latest.read(SignalId{2}).updates, 0u);
  EXPECT_EQ(latest.read(SignalId{UINT32_MAX}).updates, 0u);
  latest.write(SignalId{2}, 1.5, 9, Quality::uncertain);
  const LatestValue value = latest.read(SignalId{2});
  EXPECT_EQ(value.value, 1.5);
  EXPECT_EQ(value.time, 9);
  EXPECT_EQ(value.quality, Quality::uncertain);
  EXPECT_EQ(value.updates, 1u);
}

TEST(LatestValues, KeepsItsValuesWhenItGrows) {
  LatestValues latest(1);
  latest.write(SignalId{0}, 4, 1, Quality::good);
  latest.grow(100'000);
  latest.write(SignalId{99'999}, 5, 1, Quality::good);
  EXPECT_EQ(latest.read(SignalId{0}).value, 4);
  EXPECT_EQ(latest.read(SignalId{99'999}).value, 5);
}

TEST(LatestValues, AreReadWholeWhileTheyAreWritten) {
  LatestValues latest(1);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 1; i <= 200'000; ++i) latest.write(SignalId{0}, i, i, static_cast<Quality>(i % 3));
    done.store(true);
  });
  std::uint32_t last = 0;
  while (!done.load()) {
    const LatestValue value = latest.read(SignalId{0});
    ASSERT_EQ(value.value, static_cast<double>(value.time));
    ASSERT_EQ(static_cast<Nanos>(value.updates), value.time);
    ASSERT_EQ(static_cast<Nanos>(value.quality), value.time % 3);
    ASSERT_GE(value.updates, last);
    last = value.updates;
  }
  writer.join();
}

}  // namespace
}  // namespace alara::flow
