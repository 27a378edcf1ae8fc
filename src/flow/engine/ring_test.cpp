// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/ring.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>
#include <vector>

namespace alara::flow {
namespace {

// A block of `points` samples whose values count up from `first`.
bool put_block(Ring& ring, std::size_t points, double first, Nanos arrival = 7) {
  Ring::Draft draft;
  if (!ring.reserve({.points = points, .home_points = points}, draft)) return false;
  std::iota(draft.value.begin(), draft.value.end(), first);
  draft.block_signal = SignalId{3};
  draft.time0 = 100;
  draft.step = 10;
  draft.arrival = arrival;
  ring.commit(draft);
  return true;
}

void expect_law(const Ring& ring) {
  const RingAccount account = ring.account();
  const std::uint64_t dropped = std::accumulate(account.dropped.begin(), account.dropped.end(), std::uint64_t{0});
  EXPECT_EQ(account.offered, account.taken + account.buffered + dropped);
}

std::uint64_t dropped(const Ring& ring, DropReason reason) {
  return ring.account().dropped[static_cast<std::size_t>(reason)];
}

TEST(Ring, HoldsAsMuchAfterStartingOverAsBefore) {
  Wake wake;
  Ring ring({.bytes = 1 << 20, .when_full = WhenFull::drop_newest}, wake);
  const auto put = [&ring] {
    Ring::Draft draft;
    if (!ring.reserve({.points = 256}, draft)) return false;
    ring.commit(draft);
    return true;
  };
  Ring::Entry entry;
  for (int before = 0; before < 40; ++before) {  // an empty ring starts over somewhere on the way
    ASSERT_TRUE(put());
    ASSERT_TRUE(ring.front(entry));
    ring.pop();
    if (before % 7 != 0) continue;
    for (int burst = 0; burst < 450; ++burst) ASSERT_TRUE(put()) << before << ", " << burst;
    while (ring.front(entry)) ring.pop();
  }
}

TEST(Ring, GivesBackABlockWithItsPlainFields) {
  Wake wake;
  Ring ring({.bytes = 4096}, wake);
  EXPECT_TRUE(ring.empty());
  ASSERT_TRUE(put_block(ring, 5, 1));
  Ring::Entry entry;
  ASSERT_TRUE(ring.front(entry));
  EXPECT_TRUE(entry.batch.is_block());
  EXPECT_EQ(entry.batch.block_signal, SignalId{3});
  EXPECT_EQ(entry.batch.size(), 5u);
  EXPECT_EQ(entry.batch.value[4], 5);
  EXPECT_EQ(entry.batch.time_at(2), 120);
  EXPECT_EQ(entry.batch.arrival, 7);
  ring.pop();
  EXPECT_FALSE(ring.front(entry));
  expect_law(ring);
}

TEST(Ring, KeepsAllColumnsOfRowsApart) {
  Wake wake;
  Ring ring({.bytes = 8192}, wake);
  Ring::Draft draft;
  ASSERT_TRUE(ring.reserve({.points = 3, .home_points = 1, .rows = true, .times = true, .qualities = true}, draft));
  for (std::uint32_t i = 0; i < 3; ++i) {
    draft.signal[i] = SignalId{i};
    draft.value[i] = i * 2.0;
    draft.time[i] = i * 1000;
    draft.quality[i] = static_cast<Quality>(i);
  }
  ring.commit(draft);
  Ring::Entry entry;
  ASSERT_TRUE(ring.front(entry));
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(entry.batch.signal[i], SignalId{i});
    EXPECT_EQ(entry.batch.value[i], i * 2.0);
    EXPECT_EQ(entry.batch.time_at(i), i * 1000);
    EXPECT_EQ(entry.batch.quality_at(i), static_cast<Quality>(i));
  }
  ring.pop();
  EXPECT_EQ(ring.account().home_taken, 1u);
  EXPECT_EQ(ring.account().taken, 3u);
}

TEST(Ring, DropsTheArrivingBatchWhenToldTo) {
  Wake wake;
  Ring ring({.bytes = 4096, .when_full = WhenFull::drop_newest}, wake);
  const std::size_t points = 8;  // two units: 32 fit in 4096 less the free header
  int put = 0;
  while (put_block(ring, points, put)) ++put;
  EXPECT_EQ(put, 31);
  EXPECT_EQ(dropped(ring, DropReason::newest), points);
  expect_law(ring);
  Ring::Entry entry;
  for (int i = 0; i < put; ++i) {
    ASSERT_TRUE(ring.front(entry));
    EXPECT_EQ(entry.batch.value[0], i);
    ring.pop();
  }
  EXPECT_FALSE(ring.front(entry));
  expect_law(ring);
}

TEST(Ring, DropsTheOldestBatchesWhenToldTo) {
  Wake wake;
  Ring ring({.bytes = 4096, .when_full = WhenFull::drop_oldest}, wake);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(put_block(ring, 8, i));
  EXPECT_EQ(dropped(ring, DropReason::oldest), 69u * 8);
  expect_law(ring);
  Ring::Entry entry;
  for (int i = 69; i < 100; ++i) {
    ASSERT_TRUE(ring.front(entry));
    EXPECT_EQ(entry.batch.value[0], i);
    ring.pop();
  }
  EXPECT_TRUE(ring.empty());
  expect_law(ring);
}

TEST(Ring, NeverOverwritesTheBatchBeingReadHoweverManyLapsPass) {
  Wake wake;
  for (std::size_t before = 0; before < 40; ++before) {  // the pinned batch at every place of the buffer
    Ring ring({.bytes = 4096, .when_full = WhenFull::drop_oldest}, wake);
    Ring::Entry entry;
    for (std::size_t i = 0; i < before; ++i) {
      ASSERT_TRUE(put_block(ring, 1 + i % 16, 0));
      ASSERT_TRUE(ring.front(entry));
      ring.pop();
    }
    ASSERT_TRUE(put_block(ring, 9, 1000));
    ASSERT_TRUE(ring.front(entry));
    for (int i = 0; i < 500; ++i) {
      ASSERT_TRUE(put_block(ring, 1 + static_cast<std::size_t>(i) % 15, i)) << "put " << i;
      ASSERT_EQ(entry.batch.value[0], 1000);
      ASSERT_EQ(entry.batch.value[8], 1008);
      expect_law(ring);
    }
    ring.pop();
    double last = -1;
    while (ring.front(entry)) {
      EXPECT_GT(entry.batch.value[0], last);
      last = entry.batch.value[0];
      ring.pop();
    }
    EXPECT_EQ(last, 499);
    expect_law(ring);
    EXPECT_EQ(ring.account().buffered, 0u);
  }
}

TEST(Ring, GivesUpBlockingAfterItsLimitAndWhenStopped) {
  Wake wake;
  Ring ring({.bytes = 4096, .when_full = WhenFull::block, .block_at_most = kMillisecond}, wake);
  while (ring.has_room({.points = 16})) ASSERT_TRUE(put_block(ring, 16, 0));
  EXPECT_FALSE(put_block(ring, 16, 0));
  EXPECT_EQ(dropped(ring, DropReason::blocked_too_long), 16u);
  ring.stop();
  EXPECT_FALSE(put_block(ring, 16, 0));
  EXPECT_EQ(dropped(ring, DropReason::stopping), 16u);
  expect_law(ring);
}

TEST(Ring, AcceptsItsLargestBatchAnywhere) {
  Wake wake;
  Ring ring({.bytes = 1 << 16, .when_full = WhenFull::drop_newest}, wake);
  Ring::Entry entry;
  for (int i = 0; i < 200; ++i) {
    Ring::Draft draft;
    ASSERT_TRUE(ring.reserve(
        {.points = ring.max_points(), .home_points = 0, .rows = true, .times = true, .qualities = true}, draft));
    ring.commit(draft);
    ASSERT_TRUE(put_block(ring, 1, i));
    ASSERT_TRUE(ring.front(entry));
    ring.pop();
    ASSERT_TRUE(ring.front(entry));
    ring.pop();
  }
  expect_law(ring);
}

// Two threads. Every batch is [k, k, …]: a torn or overwritten batch shows at once; rising k shows the order.
void run_two_threads(WhenFull when_full, int batches) {
  Wake wake;
  Ring ring({.bytes = 4096, .when_full = when_full, .block_at_most = 10 * kSecond}, wake);
  std::atomic<bool> done{false};
  std::thread producer([&] {
    for (int k = 1; k <= batches; ++k) {
      Ring::Draft draft;
      const std::size_t points = 1 + static_cast<std::size_t>(k * 7) % 12;
      if (!ring.reserve({.points = points, .home_points = 1, .rows = k % 3 == 0, .times = k % 2 == 0}, draft)) continue;
      std::fill(draft.value.begin(), draft.value.end(), k);
      std::fill(draft.time.begin(), draft.time.end(), k);
      std::fill(draft.signal.begin(), draft.signal.end(), SignalId{static_cast<std::uint32_t>(k)});
      ring.commit(draft);
    }
    done.store(true);
  });
  double last = 0;
  std::uint64_t taken = 0;
  Ring::Entry entry;
  for (;;) {
    const bool finishing = done.load();
    while (ring.front(entry)) {
      const double k = entry.batch.value[0];
      ASSERT_GT(k, last);
      last = k;
      for (const double value : entry.batch.value) ASSERT_EQ(value, k);
      for (const Nanos time : entry.batch.time) ASSERT_EQ(time, static_cast<Nanos>(k));
      for (const SignalId id : entry.batch.signal) ASSERT_EQ(index_of(id), static_cast<std::uint32_t>(k));
      taken += entry.batch.size();
      ring.pop();
    }
    if (finishing) break;
    const std::uint32_t prepared = wake.prepare();
    if (ring.empty() && !done.load())
      wake.wait(prepared, kMillisecond);
    else
      wake.cancel();
  }
  producer.join();
  expect_law(ring);
  EXPECT_EQ(ring.account().taken, taken);
  EXPECT_EQ(ring.account().buffered, 0u);
  if (when_full == WhenFull::block) {
    EXPECT_EQ(ring.account().offered, taken);
  }
  if (when_full != WhenFull::drop_newest) {
    EXPECT_EQ(last, batches);
  }
}

TEST(Ring, LosesNothingBetweenTwoThreadsThatBlock) { run_two_threads(WhenFull::block, 50'000); }
TEST(Ring, KeepsTheLawBetweenTwoThreadsThatDropTheNewest) { run_two_threads(WhenFull::drop_newest, 50'000); }
TEST(Ring, KeepsTheLawBetweenTwoThreadsThatDropTheOldest) { run_two_threads(WhenFull::drop_oldest, 50'000); }

}  // namespace
}  // namespace alara::flow
