// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/inlet.hpp"

#include <gtest/gtest.h>

#include "flow/engine/toys_for_tests.hpp"

namespace alara::flow {
namespace {

using toys::Samples;

void expect_law(const ConnectorInlet& inlet) {
  const InletAccount account = inlet.account();
  EXPECT_EQ(account.received, account.accepted + account.rejected_points());
  EXPECT_EQ(account.accepted, account.delivered + account.buffered + account.dropped_points());
}

// Four signals: 0 to shard 0, 1 to shard 1, 2 to both, 3 to none.
class InletTest : public ::testing::Test {
 protected:
  explicit InletTest(InletOptions options = {.name = "plc", .ring = {.bytes = 1 << 16}})
      : inlet(std::move(options), clock, latest) {
    first = &inlet.ring_to(0, wakes[0]);
    second = &inlet.ring_to(1, wakes[1]);
    const std::vector<SignalId> own{SignalId{0}, SignalId{1}, SignalId{2}, SignalId{3}};
    inlet.route({1, 2, 3, 0}, own);
  }

  static std::vector<double> take(Ring& ring) {
    std::vector<double> values;
    Ring::Entry entry;
    while (ring.front(entry)) {
      values.insert(values.end(), entry.batch.value.begin(), entry.batch.value.end());
      ring.pop();
    }
    return values;
  }

  FakeClock clock;
  LatestValues latest{4};
  std::array<Wake, 2> wakes;
  ConnectorInlet inlet;
  Ring* first = nullptr;
  Ring* second = nullptr;
};

TEST_F(InletTest, SendsEachSampleToTheShardsThatUseIt) {
  Samples samples;
  samples.add(0, 10, 1).add(1, 11, 1).add(2, 12, 1).add(3, 13, 1).add(0, 14, 2);
  inlet.push(samples.batch());
  InletAccount account = inlet.account();
  EXPECT_EQ(account.accepted, 5u);
  EXPECT_EQ(account.delivered, 1u) << "the one nobody uses";
  EXPECT_EQ(account.buffered, 4u) << "a sample for two shards counts once";
  expect_law(inlet);
  EXPECT_EQ(take(*first), (std::vector<double>{10, 12, 14}));
  EXPECT_EQ(take(*second), (std::vector<double>{11, 12}));
  account = inlet.account();
  EXPECT_EQ(account.delivered, 5u);
  EXPECT_EQ(account.buffered, 0u);
  EXPECT_EQ(account.unused, 1u);
  expect_law(inlet);
  EXPECT_EQ(latest.read(SignalId{3}).value, 13);
  EXPECT_EQ(latest.read(SignalId{0}).value, 14);
  EXPECT_EQ(latest.read(SignalId{0}).updates, 2u);
}

TEST_F(InletTest, CountsWhatItCanNotTake) {
  Samples samples;
  samples.add(4, 1, 1).add(0, 2, 1).add(UINT32_MAX, 1, 1);
  inlet.push(samples.batch());
  EXPECT_EQ(take(*first), std::vector<double>{2}) << "the good sample beside them is not lost";
  Batch block;
  const std::vector<double> two(2);
  block.value = two;
  block.block_signal = SignalId{4};
  inlet.push(block);
  inlet.reject("malformed", 3);
  inlet.reject("malformed", 2);
  Batch endless;
  const std::vector<double> values(3);
  endless.value = values;
  endless.time0 = INT64_MAX - 1;
  endless.step = INT64_MAX / 2;
  inlet.push(endless);
  const InletAccount account = inlet.account();
  EXPECT_EQ(account.received, 13u);
  EXPECT_EQ(account.accepted, 1u);
  ASSERT_EQ(account.rejected.size(), 3u);
  EXPECT_EQ(account.rejected[0], (std::pair<std::string, std::uint64_t>{"unknown_signal", 4}));
  EXPECT_EQ(account.rejected[1], (std::pair<std::string, std::uint64_t>{"malformed", 5}));
  EXPECT_EQ(account.rejected[2], (std::pair<std::string, std::uint64_t>{"bad_time", 3}));
  expect_law(inlet);
}

TEST_F(InletTest, ReplacesEventTimesFarAheadOfTheWallClock) {
  const Nanos now = clock.wall();
  Samples samples;
  samples.add(0, 1, now + 10 * kSecond).add(0, 2, now + 10 * kSecond + 1).add(0, 3, now - kHour);
  inlet.push(samples.batch());
  Ring::Entry entry;
  ASSERT_TRUE(first->front(entry));
  EXPECT_EQ(entry.batch.time_at(0), now + 10 * kSecond);
  EXPECT_EQ(entry.batch.quality_at(0), Quality::good);
  EXPECT_EQ(entry.batch.time_at(1), now);
  EXPECT_EQ(entry.batch.quality_at(1), Quality::uncertain);
  EXPECT_EQ(entry.batch.time_at(2), now - kHour);
  first->pop();
  EXPECT_EQ(inlet.account().skewed, 1u);
}

TEST_F(InletTest, MovesARegularBlockFarAheadAsAWhole) {
  const std::vector<double> values(11);
  Batch block;
  block.value = values;
  block.time0 = clock.wall() + kHour;
  block.step = kSecond;
  inlet.push(block);
  Ring::Entry entry;
  ASSERT_TRUE(first->front(entry));
  EXPECT_EQ(entry.batch.time_at(10), clock.wall());
  EXPECT_EQ(entry.batch.time_at(0), clock.wall() - 10 * kSecond);
  EXPECT_EQ(entry.batch.quality_at(5), Quality::uncertain);
  first->pop();
  EXPECT_EQ(inlet.account().skewed, 11u);
}

TEST_F(InletTest, CutsABlockThatIsLargerThanTheRingAllows) {
  std::vector<double> values(first->max_points() * 2 + 5);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  Batch block;
  block.value = values;
  block.time0 = 0;
  block.step = 10;
  inlet.push(block);
  Ring::Entry entry;
  double expected = 0;
  while (first->front(entry)) {
    for (std::size_t i = 0; i < entry.batch.size(); ++i, ++expected) {
      ASSERT_EQ(entry.batch.value[i], expected);
      ASSERT_EQ(entry.batch.time_at(i), static_cast<Nanos>(expected) * 10);
    }
    first->pop();
  }
  EXPECT_EQ(expected, static_cast<double>(values.size()));
  expect_law(inlet);
}

TEST_F(InletTest, TakesNewRoutesAtTheNextPush) {
  Samples samples;
  samples.add(0, 1, 1);
  inlet.push(samples.batch());
  const std::vector<SignalId> own{SignalId{0}};
  for (int i = 0; i < 3; ++i) inlet.route({2}, own);
  inlet.push(samples.batch());
  EXPECT_EQ(take(*first).size(), 1u);
  EXPECT_EQ(take(*second).size(), 1u);
  expect_law(inlet);
}

// Overload: the rings hold little and nobody drains until the end; every policy must account for every sample.
void overload(WhenFull when_full, std::string_view reason) {
  FakeClock clock;
  LatestValues latest(2);
  std::array<Wake, 2> wakes;
  ConnectorInlet inlet({.name = "plc", .ring = {.bytes = 4096, .when_full = when_full, .block_at_most = 1}}, clock,
                       latest);
  Ring& first = inlet.ring_to(0, wakes[0]);
  Ring& second = inlet.ring_to(1, wakes[1]);
  const std::vector<SignalId> own{SignalId{0}, SignalId{1}};
  inlet.route({1, 3}, own);
  Ring::Entry entry;
  std::uint64_t pushed = 0;
  for (int i = 0; i < 1000; ++i) {
    Samples samples;
    for (int k = 0; k <= i % 7; ++k) samples.add(static_cast<std::uint32_t>(k % 2), i, i);
    pushed += samples.value.size();
    inlet.push(samples.batch());
    expect_law(inlet);
    if (i % 3 == 0 && first.front(entry)) first.pop();
    if (i % 5 == 0 && second.front(entry)) second.pop();
  }
  InletAccount account = inlet.account();
  EXPECT_EQ(account.accepted, pushed);
  EXPECT_GT(account.buffered, 0u);
  ASSERT_EQ(account.dropped.size(), 1u);
  EXPECT_EQ(account.dropped[0].first, reason);
  while (first.front(entry)) first.pop();
  while (second.front(entry)) second.pop();
  account = inlet.account();
  EXPECT_EQ(account.buffered, 0u);
  EXPECT_EQ(account.accepted, account.delivered + account.dropped_points());
  for (const Ring* ring : {&first, &second}) {
    const RingAccount of_ring = ring->account();
    std::uint64_t dropped = 0;
    for (const std::uint64_t points : of_ring.dropped) dropped += points;
    EXPECT_EQ(of_ring.offered, of_ring.taken + dropped);
    EXPECT_GT(dropped, 0u);
  }
}

TEST(InletOverload, KeepsTheLawWhenItDropsTheNewest) { overload(WhenFull::drop_newest, "full_newest"); }
TEST(InletOverload, KeepsTheLawWhenItDropsTheOldest) { overload(WhenFull::drop_oldest, "full_oldest"); }
TEST(InletOverload, KeepsTheLawWhenItBlocksTooLong) { overload(WhenFull::block, "full_blocked"); }

TEST(InletOverload, LosesNothingWhenItsDriverMakesRoom) {
  FakeClock clock;
  LatestValues latest(1);
  Wake wake;
  ConnectorInlet inlet({.name = "file", .live = false, .ring = {.bytes = 4096}}, clock, latest);
  Ring& ring = inlet.ring_to(0, wake);
  const std::vector<SignalId> own{SignalId{0}};
  inlet.route({1}, own);
  Ring::Entry entry;
  inlet.when_full_call([&] {
    while (ring.front(entry)) ring.pop();
  });
  Samples samples;
  for (int i = 0; i < 10; ++i) samples.add(0, i, i);
  for (int i = 0; i < 1000; ++i) inlet.push(samples.batch());
  while (ring.front(entry)) ring.pop();
  EXPECT_EQ(inlet.account().delivered, 10'000u);
  EXPECT_TRUE(inlet.account().dropped.empty());
}

}  // namespace
}  // namespace alara::flow
