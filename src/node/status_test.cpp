// SPDX-License-Identifier: Apache-2.0
#include "node/status.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace alara::node {
namespace {

using Texts = std::vector<std::string>;

// A node that has run for a minute, with one polled connector that answered just now.
NodeStatus minute_old() {
  NodeStatus status;
  status.node = "line-1";
  status.started = kMinute;
  status.now = 2 * kMinute;
  ConnectorStatus plc;
  plc.name = "plc";
  plc.connected = true;
  plc.signals = 4;
  plc.expected_every = 100 * kMillisecond;
  plc.last_progress = status.now;
  status.connectors.push_back(plc);
  status.shards.push_back({"fast-0", status.now, false});
  return status;
}

TEST(Health, IsGoodWhileEveryStageMakesProgress) {
  EXPECT_TRUE(judge(minute_old()).good);
  EXPECT_TRUE(judge(NodeStatus{}).good);
}

TEST(Health, NamesAConnectorThatIsNotConnectedAndWhy) {
  NodeStatus status = minute_old();
  status.connectors[0].connected = false;
  EXPECT_EQ(judge(status).complaints, Texts{"connector plc: not connected"});
  status.connectors[0].last_error = "connection refused";
  EXPECT_EQ(judge(status).complaints, Texts{"connector plc: not connected: connection refused"});
}

TEST(Health, NamesAPolledConnectorThatIsSilent) {
  NodeStatus status = minute_old();
  status.connectors[0].last_progress = status.now - 6 * kSecond;
  EXPECT_EQ(judge(status).complaints, Texts{"connector plc: connected but silent for 6s"});
}

TEST(Health, GivesASlowScheduleThreePeriods) {
  NodeStatus status = minute_old();
  status.connectors[0].expected_every = 10 * kSecond;
  status.connectors[0].last_progress = status.now - 29 * kSecond;
  EXPECT_TRUE(judge(status).good);
  status.connectors[0].last_progress = status.now - 31 * kSecond;
  EXPECT_FALSE(judge(status).good);
}

TEST(Health, DoesNotComplainOfTheSilenceOfASourceThatSpeaksWhenItLikes) {
  NodeStatus status = minute_old();
  status.connectors[0].expected_every = 0;
  status.connectors[0].last_progress = 0;
  EXPECT_TRUE(judge(status).good);
}

TEST(Health, AFileThatWasReadToItsEndIsGood) {
  NodeStatus status = minute_old();
  status.connectors[0].connected = false;
  status.connectors[0].finished = true;
  EXPECT_TRUE(judge(status).good);
}

TEST(Health, NamesAShardThatHangsOnlyWhenSomethingWaits) {
  NodeStatus status = minute_old();
  status.shards[0].last_turn = status.now - 7 * kSecond;
  EXPECT_TRUE(judge(status).good);
  status.shards[0].has_waiting = true;
  EXPECT_EQ(judge(status).complaints, Texts{"shard fast-0: samples wait and it has not turned for 7s"});
}

TEST(Status, CountsWhatIsUnaccounted) {
  NodeStatus status = minute_old();
  auto& account = status.connectors[0].account;
  account.accepted = 100;
  account.delivered = 90;
  account.buffered = 4;
  account.dropped = {{"oldest", 5}, {"newest", 1}};
  EXPECT_EQ(status.points_unaccounted(), 0u);
  account.delivered = 89;
  EXPECT_EQ(status.points_unaccounted(), 1u);
  account.delivered = 92;
  EXPECT_EQ(status.points_unaccounted(), 2u);
  account.delivered = 90;
  status.pipelines.push_back({"overload", nullptr, 0, {10, 4, 0, 3, {{"too_old", 2}}}});
  EXPECT_EQ(status.points_unaccounted(), 1u);
  status.connectors[0].outlet_account = {5, 3, 0, {}};
  EXPECT_EQ(status.points_unaccounted(), 3u);
}

TEST(Status, PagesAreJson) {
  NodeStatus status = minute_old();
  status.connectors[0].last_error = "bytes \xff\xfe that are no text";
  status.connectors[0].account.rejected = {{"malformed", 2}};
  auto stats = std::make_shared<flow::PipelineStats>();
  stats->name = "overload";
  stats->acks[0].add(3);
  status.pipelines.push_back({"overload", stats, 0, {}});
  const auto connectors = nlohmann::json::parse(connectors_json(status));
  EXPECT_EQ(connectors["connectors"][0]["points"]["rejected"]["malformed"], 2);
  EXPECT_EQ(nlohmann::json::parse(pipelines_json(status))["pipelines"][0]["acks"]["done"], 3);
  EXPECT_EQ(nlohmann::json::parse(status_json(status))["uptime_s"], 60.0);
  EXPECT_EQ(nlohmann::json::parse(health_json(judge(status)))["status"], "good");
}

TEST(Status, ASummaryCountsSinceTheLastOne) {
  NodeStatus before = minute_old(), now = minute_old();
  before.connectors[0].account.accepted = 1000;
  now.connectors[0].account.accepted = 1500;
  now.now += 10 * kSecond;
  const std::string line = summary_json(now, &before);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(line)["points"], 500);
  EXPECT_EQ(nlohmann::json::parse(line)["seconds"], 10.0);
}

}  // namespace
}  // namespace alara::node
