// SPDX-License-Identifier: Apache-2.0
// A node and a Modbus device: decisions, health, reload and the end.
#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/system/running_node.hpp"

namespace alara::system_test {
namespace {

std::string press_site(int port, const std::string& limit = "38[A]", const std::string& more = "") {
  return fmt::format(R"(node: presses
connectors:
  plc: {{modbus: {{endpoint: "tcp://127.0.0.1:{}", poll: 10ms, timeout: 200ms, reconnect_min: 10ms, reconnect_max: 100ms}}}}
asset_types:
  press: {{signals: {{current: {{unit: A, type: uint16, rate: 100Hz}}}}}}
assets:
  press-1: {{type: press, from: {{current: plc/input/1}}}}
pipelines:
  overload:
    for: press
    rule: {{when: "current > {}", until: "current < 5[A]", do: {{write: plc/coil/1, value: 1}}, raise: {{severity: high}}}}
  load:
    for: press
    lane: slow
    steps:
      load: {{window: {{of: current, kind: sliding, size: 10min, use: [count]}}}}
      never: {{rule: {{when: "load > 1e9", raise: {{severity: low}}}}}}
  guard:
    for: press
    rule: {{when: "current > 1000[A]", do: {{write: plc/coil/2, value: 0}}, safe: {{value: 1, after: 1h}}}}
{})",
                     port, limit, more);
}

TEST(System, ATripIsWrittenToTheCoil) {
  Device device;
  device.set(1, 20);
  RunningNode node(press_site(device.port()));
  ASSERT_TRUE(node.wait_connected());
  EXPECT_FALSE(device.coil(1));
  device.set(1, 41);
  EXPECT_TRUE(device.coil_becomes(1, true));
  ASSERT_TRUE(eventually([&] { return node.pipeline("overload")["acks"]["done"] == 1; }));
  EXPECT_TRUE(eventually([&] { return node.get("/api/v1/alarms").json()["events"].size() == 1; }));
  device.stop();
  node.expect_every_point_accounted();
}

TEST(System, HealthNamesADeadDeviceAndForgetsItWhenItIsBack) {
  Device device;
  RunningNode node(press_site(device.port()));
  ASSERT_TRUE(node.wait_connected());
  EXPECT_TRUE(node.healthy());
  device.stop();
  ASSERT_TRUE(eventually([&] { return !node.healthy(); }));
  const auto complaints = node.get("/health").json()["complaints"];
  ASSERT_EQ(complaints.size(), 1u);
  EXPECT_EQ(complaints[0].get<std::string>().find("connector plc: not connected: "), 0u) << complaints[0];
  device.start();
  EXPECT_TRUE(eventually([&] { return node.healthy(); }));
  device.set(1, 41);
  EXPECT_TRUE(device.coil_becomes(1, true));
  EXPECT_EQ(node.connector("plc")["connects"], 2);
  device.stop();
  node.expect_every_point_accounted();
}

TEST(System, AReloadKeepsConnectionsAndWindows) {
  Device device;
  device.set(1, 35);
  RunningNode node(press_site(device.port()));
  ASSERT_TRUE(node.wait_connected());
  const auto in_window = [&] {  // samples that the window holds
    const auto results = node.get("/api/v1/results?name=press-1.load").json()["results"];
    return results.empty() || !results[0].contains("value") ? 0.0 : results[0]["value"].get<double>();
  };
  ASSERT_TRUE(eventually([&] { return in_window() > 20; }));
  const double held = in_window();
  EXPECT_FALSE(device.coil(1));
  node.rewrite(press_site(device.port(), "30[A]"));
  node.process().signal(SIGHUP);
  ASSERT_TRUE(node.says("reloaded"));
  EXPECT_TRUE(device.coil_becomes(1, true)) << "the new limit does not hold";
  EXPECT_TRUE(eventually([&] { return in_window() > held; }))
      << "the window has begun anew: " << in_window() << " after " << held;
  const auto plc = node.connector("plc");
  EXPECT_EQ(plc["connects"], 1);
  EXPECT_EQ(plc["disconnects"], 0);
  device.stop();
  node.expect_every_point_accounted();
}

TEST(System, ABadFileIsRefusedWithItsPlaceAndTheOldOneGoesOn) {
  Device device;
  device.set(1, 20);
  RunningNode node(press_site(device.port()));
  ASSERT_TRUE(node.wait_connected());
  node.rewrite(press_site(device.port(), "38[V]"));
  node.process().signal(SIGHUP);
  ASSERT_TRUE(node.says("not reloaded"));
  EXPECT_NE(node.output().find("site.yaml:11:19: pipeline 'overload'"), std::string::npos) << node.output();
  const Reply refused = node.post("/api/v1/reload");
  EXPECT_EQ(refused.status, 422);
  EXPECT_EQ(refused.json()["reloaded"], false);
  EXPECT_NE(refused.body.find("site.yaml:11:19"), std::string::npos) << refused.body;
  device.set(1, 41);
  EXPECT_TRUE(device.coil_becomes(1, true));
  EXPECT_EQ(node.connector("plc")["connects"], 1);
  EXPECT_EQ(node.get("/api/v1/status").json()["reloads_refused"], 2);
}

TEST(System, AReloadOverTheApiIsTheSame) {
  Device device;
  device.set(1, 35);
  RunningNode node(press_site(device.port()));
  ASSERT_TRUE(node.wait_connected());
  node.rewrite(press_site(device.port(), "30[A]"));
  const Reply done = node.post("/api/v1/reload");
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.json()["reloaded"], true);
  EXPECT_TRUE(device.coil_becomes(1, true));
  EXPECT_EQ(node.connector("plc")["connects"], 1);
}

TEST(System, WhatCanNotChangeWhileItRunsIsSaid) {
  Device device;
  RunningNode node(press_site(device.port()));
  node.rewrite(press_site(device.port()) + "settings: {shards: 2, events: elsewhere.jsonl}\n");
  const Reply refused = node.post("/api/v1/reload");
  EXPECT_EQ(refused.status, 422);
  EXPECT_NE(refused.body.find("settings.shards can not change while the node runs"), std::string::npos) << refused.body;
  EXPECT_NE(refused.body.find("settings.events can not change while the node runs"), std::string::npos) << refused.body;
}

TEST(System, AConnectorThatChangesConnectsAnewAndOneThatGoesIsLeft) {
  Device device, other;
  device.set(1, 20);
  other.set(1, 41);
  RunningNode node(press_site(device.port()));
  ASSERT_TRUE(node.wait_connected());
  node.rewrite(press_site(other.port()));
  EXPECT_EQ(node.post("/api/v1/reload").status, 200);
  EXPECT_TRUE(other.coil_becomes(1, true));
  EXPECT_FALSE(device.coil(1));
  node.rewrite("node: presses\n");
  EXPECT_EQ(node.post("/api/v1/reload").status, 200);
  EXPECT_TRUE(node.get("/api/v1/connectors").json()["connectors"].empty());
  node.rewrite(press_site(device.port()));
  EXPECT_EQ(node.post("/api/v1/reload").status, 200);
  device.set(1, 41);
  EXPECT_TRUE(device.coil_becomes(1, true));
  device.stop();
  node.expect_every_point_accounted();
}

TEST(System, EndsWithinTwoSecondsWithItsOutputsSafe) {
  Device device;
  RunningNode node(press_site(device.port()));
  ASSERT_TRUE(node.wait_connected());
  EXPECT_FALSE(device.coil(2));
  Nanos took = 0;
  EXPECT_EQ(node.terminate(took), 0) << node.output();
  EXPECT_LT(took, 2 * kSecond);
  EXPECT_TRUE(device.coil(2)) << "the safe value was not written";
}

// Listens and never answers.
class DeafDevice {
 public:
  DeafDevice() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(fd_, 16), 0);
    socklen_t size = sizeof address;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~DeafDevice() { close(fd_); }
  DeafDevice(const DeafDevice&) = delete;
  DeafDevice& operator=(const DeafDevice&) = delete;
  [[nodiscard]] int port() const { return port_; }

 private:
  int fd_;
  int port_ = 0;
};

TEST(System, EndsWithinTwoSecondsThoughNobodyAnswers) {
  const DeafDevice deaf;
  RunningNode node(fmt::format(R"(node: deaf
connectors:
  plc-{{1..20}}: {{modbus: {{endpoint: "tcp://127.0.0.1:{}", poll: 10ms, timeout: 10s}}}}
  gone: {{modbus: {{endpoint: "tcp://127.0.0.1:{}", poll: 10ms}}}}
  broker: {{mqtt: {{endpoint: "mqtt://127.0.0.1:{}"}}}}
asset_types:
  press: {{signals: {{current: {{unit: A}}}}}}
assets:
  press-{{1..20}}: {{type: press, from: {{current: "plc-{{n}}/input/1"}}}}
pipelines:
  guard: {{for: press, rule: {{when: "current > 1000[A]", do: {{write: "plc-{{n}}/coil/2", value: 0}}, safe: {{value: 1, after: 1h}}}}}}
)",
                               deaf.port(), free_loopback_port(), deaf.port()));
  rest(200 * kMillisecond);
  EXPECT_FALSE(node.healthy());
  Nanos took = 0;
  EXPECT_EQ(node.terminate(took), 0) << node.output();
  EXPECT_LT(took, 2 * kSecond);
}

TEST(System, PagesAreServedOnTheLoopbackOnly) {
  RunningNode node("node: idle\n");
  const int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(node.port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
  EXPECT_NE(connect(other, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0)
      << "127.0.0.2 is served, too";
  close(other);
}

TEST(System, ASecondNodeOnOnePortSaysSo) {
  RunningNode first("node: first\n");
  const Folder folder;
  const Finished second = alara(
      {"run", folder.write("site.yaml", "node: second\n"), "--http", "127.0.0.1:" + std::to_string(first.port())});
  EXPECT_EQ(second.code, 1) << second.output;
  EXPECT_NE(second.output.find("can not listen on 127.0.0.1:" + std::to_string(first.port())), std::string::npos)
      << second.output;
  EXPECT_EQ(first.get("/api/v1/status").json()["node"], "first");
}

}  // namespace
}  // namespace alara::system_test
