// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/outlet_lane.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

#include "flow/engine/engine.hpp"
#include "flow/engine/toys_for_tests.hpp"

namespace alara::flow {
namespace {

using Dropped = std::vector<std::pair<std::string, std::uint64_t>>;

OutletSample sample(double value) { return {OutletId{0}, value, 0, Quality::good, 0}; }

bool readable(const OutletQueue& queue) {
  pollfd poll_fd{queue.event_fd(), POLLIN, 0};
  return poll(&poll_fd, 1, 0) == 1;
}

TEST(Outlets, AreReadInOrderAndTheBellIsQuietWhenTheyAreEmpty) {
  auto outlets = EngineOutlets::create(8).value();
  OutletLane& lane = outlets->lane_of(2);
  EXPECT_FALSE(readable(*outlets));
  EXPECT_TRUE(lane.hand_out(sample(1)));
  EXPECT_TRUE(lane.hand_out(sample(2)));
  EXPECT_TRUE(readable(*outlets));
  OutletSample got;
  ASSERT_TRUE(outlets->pop(got));
  EXPECT_EQ(got.value, 1);
  ASSERT_TRUE(outlets->pop(got));
  EXPECT_EQ(got.value, 2);
  EXPECT_FALSE(outlets->pop(got));
  EXPECT_FALSE(readable(*outlets));
}

TEST(Outlets, KeepTheirAccountThroughEveryFate) {
  auto outlets = EngineOutlets::create(4).value();
  OutletLane &a = outlets->lane_of(0), &b = outlets->lane_of(1);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(a.hand_out(sample(i)), i < 4);
  EXPECT_TRUE(b.hand_out(sample(9)));
  OutletSample got;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(outlets->pop(got));
  outlets->delivered(1);
  outlets->dropped("not_connected", 1);
  const OutletAccount account = outlets->account();
  EXPECT_EQ(account.published, 7u);
  EXPECT_EQ(account.delivered, 1u);
  EXPECT_EQ(account.buffered, 3u);  // two wait, one is taken and not settled
  EXPECT_EQ(account.dropped, (Dropped{{"not_connected", 1}, {"queue_full", 2}}));
  EXPECT_EQ(account.unaccounted(), 0u);
}

TEST(Outlets, LoseNothingBetweenThreads) {
  auto outlets = EngineOutlets::create(16).value();
  constexpr int kValues = 20'000;
  std::vector<std::thread> shards;
  for (std::size_t shard = 0; shard < 2; ++shard)
    shards.emplace_back([&lane = outlets->lane_of(shard)] {
      for (int i = 0; i < kValues; ++i)
        while (!lane.hand_out(sample(i))) std::this_thread::yield();
    });
  std::uint64_t taken = 0;
  for (OutletSample got; taken < 2 * kValues;) {
    if (outlets->pop(got)) {
      ++taken;
      outlets->delivered(1);
      continue;
    }
    pollfd poll_fd{outlets->event_fd(), POLLIN, 0};
    ASSERT_EQ(poll(&poll_fd, 1, 10'000), 1) << "asleep with values waiting";
  }
  for (std::thread& shard : shards) shard.join();
  EXPECT_EQ(outlets->account().delivered, std::uint64_t{2 * kValues});
  EXPECT_EQ(outlets->account().buffered, 0u);
  EXPECT_EQ(outlets->account().unaccounted(), 0u);
}

TEST(Outlets, AShardHandsEachToTheConnectorOfItsOutlet) {
  FakeClock clock;
  Engine engine({ShardOptions{}}, clock);
  auto* cloud = engine.connect(ConnectorId{0}, {.name = "cloud"}).value();
  auto* scada = engine.connect(ConnectorId{1}, {.name = "scada"}).value();
  EnginePlan plan;
  plan.connector_of_outlet = {ConnectorId{1}, kNoConnector, ConnectorId{0}};
  ASSERT_TRUE(engine.apply(std::move(plan)).has_value());
  DecisionDesk& desk = engine.shard(0).decisions();
  EXPECT_TRUE(desk.hand_out({OutletId{0}, 5, 0, Quality::good, 0}));
  EXPECT_FALSE(desk.hand_out({OutletId{1}, 6, 0, Quality::good, 0}));
  EXPECT_TRUE(desk.hand_out({OutletId{2}, 7, 0, Quality::good, 0}));
  EXPECT_FALSE(desk.hand_out({OutletId{3}, 8, 0, Quality::good, 0}));
  OutletSample got;
  ASSERT_TRUE(scada->outlets->pop(got));
  EXPECT_EQ(got.value, 5);
  ASSERT_TRUE(cloud->outlets->pop(got));
  EXPECT_EQ(got.value, 7);
  EXPECT_FALSE(cloud->outlets->pop(got));
}

}  // namespace
}  // namespace alara::flow
