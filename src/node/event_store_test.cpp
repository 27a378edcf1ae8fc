// SPDX-License-Identifier: Apache-2.0
#include "node/event_store.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace alara::node {
namespace {

StoredEvent event(std::uint64_t key, bool raised = true) {
  StoredEvent stored;
  stored.key = key;
  stored.raised = raised;
  stored.severity = Severity::high;
  stored.pipeline = "overload";
  stored.asset = "cnc-07";
  stored.text = "41 A";
  stored.time = 1'600'000'000 * kSecond;
  return stored;
}

TEST(EventStore, NumbersEventsAndGivesTheNewestFirst) {
  EventStore store;
  EXPECT_EQ(store.add(event(1)).sequence, 1u);
  EXPECT_EQ(store.add(event(2)).sequence, 2u);
  const auto newest = store.newest(10);
  ASSERT_EQ(newest.size(), 2u);
  EXPECT_EQ(newest[0].key, 2u);
  EXPECT_EQ(store.newest(1).size(), 1u);
  EXPECT_TRUE(store.newest(0).empty());
}

TEST(EventStore, AnAlarmStandsUntilItIsCleared) {
  EventStore store;
  store.add(event(1));
  store.add(event(2));
  store.add(event(1, false));
  const auto standing = store.standing();
  ASSERT_EQ(standing.size(), 1u);
  EXPECT_EQ(standing[0].key, 2u);
  EXPECT_EQ(store.counts().raised, 2u);
  EXPECT_EQ(store.counts().cleared, 1u);
}

TEST(EventStore, ARepeatedAlarmStandsOnceAndOneUnknownIsClearedWithoutHarm) {
  EventStore store;
  store.add(event(1));
  store.add(event(1));
  store.add(event(9, false));
  EXPECT_EQ(store.standing().size(), 1u);
}

TEST(EventStore, ForgetsTheOldestBeyondItsCapacity) {
  EventStore store(3);
  for (std::uint64_t key = 1; key <= 10; ++key) store.add(event(key));
  const auto newest = store.newest(100);
  ASSERT_EQ(newest.size(), 3u);
  EXPECT_EQ(newest[2].key, 8u);
  EXPECT_EQ(store.standing().size(), 3u);
  EXPECT_EQ(store.counts().raised, 10u);
}

TEST(EventStore, AnEventIsOneLineOfJsonWhateverItsText) {
  StoredEvent odd = event(0xabc);
  odd.text = "a \"quote\",\na line end, \xff and \\";
  const std::string line = to_json(odd);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["time"], "2020-09-13T12:26:40.000Z");
  EXPECT_EQ(json["event"], "raised");
  EXPECT_EQ(json["severity"], "high");
  EXPECT_EQ(json["asset"], "cnc-07");
  EXPECT_EQ(json["key"], "0000000000000abc");
}

}  // namespace
}  // namespace alara::node
