// SPDX-License-Identifier: Apache-2.0
// A node and an MQTT broker: reload under load, and a broker that restarts.
#include <signal.h>

#include <atomic>
#include <thread>

#include "tests/system/running_node.hpp"

namespace alara::system_test {
namespace {

constexpr int kTopics = 10;

std::string load_site(int port, int limit, const std::string& more = "") {
  return fmt::format(R"(node: load
settings: {{ring: 16MB}}
connectors:
  broker: {{mqtt: {{endpoint: "mqtt://127.0.0.1:{}", format: float64, qos: 1, reconnect_min: 10ms, reconnect_max: 100ms}}}}
asset_types:
  sensor: {{signals: {{wave: {{unit: m/s2, rate: 2kHz}}}}}}
assets:
  sensor-{{1..{}}}: {{type: sensor, from: {{wave: "broker/load/{{n}}"}}}}
pipelines:
  kept:
    for: sensor
    lane: slow
    steps:
      rms: {{window: {{of: wave, kind: count, count: 1000, use: [rms]}}}}
      loud: {{rule: {{when: "rms > 1000[m/s2]", raise: {{severity: low}}}}}}
  changed:
    for: sensor
    rule: {{when: "wave > {}[m/s2]", raise: {{severity: low}}}}
{})",
                     port, kTopics, limit, more);
}

class BrokerSystem : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Broker::installed()) GTEST_SKIP() << "mosquitto is not installed: the system tests over MQTT are left out";
  }
  static std::string topic(int i) { return "load/" + std::to_string(i % kTopics + 1); }
};

TEST_F(BrokerSystem, AReloadUnderLoadLosesNoPoint) {
  Broker broker;
  RunningNode node(load_site(broker.port(), 1000));
  ASSERT_TRUE(node.wait_connected());
  Publisher publisher(broker.port());
  std::atomic<bool> over{false};
  std::uint64_t sent = 0;
  std::thread sender([&] {  // 20,000 points a second
    SystemClock clock;
    const std::vector<double> wave(Publisher::kPoints, 1.0);
    for (Nanos next = clock.monotonic(); !over.load(); next += 5 * kMillisecond) {
      clock.sleep_until(next);
      if (publisher.send(topic(static_cast<int>(sent)), wave)) ++sent;
    }
  });
  constexpr int kReloads = 20;
  for (int i = 0; i < kReloads; ++i) {
    rest(100 * kMillisecond);
    node.rewrite(load_site(
        broker.port(), 1001 + i,
        i % 2 == 0 ? "  extra: {for: sensor-1, rule: {when: \"wave < 0[m/s2]\", raise: {severity: low}}}\n" : ""));
    const Reply done = node.post("/api/v1/reload");
    EXPECT_EQ(done.status, 200) << done.body;
  }
  over = true;
  sender.join();
  ASSERT_TRUE(publisher.wait_answered());
  const std::uint64_t points = sent * Publisher::kPoints;
  EXPECT_GT(sent, 200u) << "there was no load";
  EXPECT_TRUE(eventually([&] { return node.connector("broker")["points"]["delivered"] == points; }));
  node.expect_every_point_accounted();
  const auto connector = node.connector("broker");
  EXPECT_EQ(connector["points"]["accepted"], points);
  EXPECT_TRUE(connector["points"]["dropped"].empty()) << connector["points"];
  EXPECT_TRUE(connector["points"]["rejected"].empty()) << connector["points"];
  EXPECT_EQ(connector["connects"], 1);
  EXPECT_TRUE(eventually([&] { return node.pipeline("kept")["rows_in"] == points; }))
      << node.pipeline("kept")["rows_in"] << " of " << points;
  EXPECT_EQ(node.get("/api/v1/status").json()["reloads"], kReloads);
}

TEST_F(BrokerSystem, DataFlowAgainWhenTheBrokerRestarts) {
  Broker broker;
  RunningNode node(load_site(broker.port(), 1000));
  ASSERT_TRUE(node.wait_connected());
  const std::vector<double> wave(Publisher::kPoints, 1.0);
  const auto send = [&](int messages) {
    Publisher publisher(broker.port());
    for (int i = 0; i < messages; ++i) ASSERT_TRUE(publisher.send(topic(i), wave));
    ASSERT_TRUE(publisher.wait_answered());
  };
  const auto delivered = [&] { return node.connector("broker")["points"]["delivered"].get<std::uint64_t>(); };
  send(50);
  EXPECT_TRUE(eventually([&] { return delivered() == 50 * Publisher::kPoints; }));
  broker.stop();
  ASSERT_TRUE(eventually([&] { return !node.healthy(); }));
  EXPECT_NE(node.get("/health").body.find("connector broker: not connected"), std::string::npos);
  broker.start();
  ASSERT_TRUE(eventually([&] { return node.healthy(); }));
  // Connected is not yet subscribed: what comes in between belongs to nobody.
  ASSERT_TRUE(eventually([&] {
    const std::uint64_t before = delivered();
    send(1);
    return eventually([&] { return delivered() > before; }, kSecond);
  }));
  rest(300 * kMillisecond);
  const std::uint64_t before = delivered();
  send(50);
  EXPECT_TRUE(eventually([&] { return delivered() == before + 50 * Publisher::kPoints; }))
      << delivered() << " after " << before;
  EXPECT_EQ(node.connector("broker")["connects"], 2);
  node.expect_every_point_accounted();
}

TEST_F(BrokerSystem, EventsGoUpAndPayloadsThatAreNoneAreRejected) {
  Broker broker;
  RunningNode node(load_site(broker.port(), 10) + "uplink: {to: broker/up/insights, summary: 0s}\n");
  ASSERT_TRUE(node.wait_connected());
  Publisher publisher(broker.port());
  ASSERT_TRUE(eventually([&] {
    publisher.send("load/1", std::vector<double>(10, 20.0));
    return node.get("/api/v1/status").json()["events_raised"] == 1;
  }));
  EXPECT_TRUE(eventually([&] { return node.get("/api/v1/status").json()["bytes_up"] > 0; }));
  ASSERT_TRUE(publisher.send("load/2", {}));  // empty
  EXPECT_TRUE(eventually([&] { return !node.connector("broker")["points"]["rejected"].empty(); }))
      << node.connector("broker");
  node.expect_every_point_accounted();
}

}  // namespace
}  // namespace alara::system_test
