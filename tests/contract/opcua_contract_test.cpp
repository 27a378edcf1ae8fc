// SPDX-License-Identifier: Apache-2.0
// The OPC UA client keeps what every connector promises, and its own promises, against a server in this process.
#include <algorithm>

#include "connect/opcua/browse.hpp"
#include "tests/contract/connector_contract.hpp"
#include "tests/contract/opcua_client_fixture.hpp"
#include "tests/contract/silent_listener.hpp"

namespace alara::contract {
namespace {

class OpcuaHarness final : public ConnectorHarness {
 public:
  const Protocol& protocol() const override { return opcua::opcua_protocol(); }

  void start_peer() override {
    listener_.reset();
    server_.start();
  }
  void stop_peer() override {
    listener_.reset();
    server_.stop();
  }
  void offer(double value) override { server_.set(value); }
  // Every read hands a point over.
  std::uint64_t stop_offering() override {
    server_.take_out_of_service();
    return server_.reads();
  }

  std::string options() const override {
    return fmt::format(
        "endpoint: {}\nsecurity: none\nread: poll\ninterval: 10ms\ntimeout: 200ms\nsilence: 200ms\nreconnect_min: "
        "2ms\nreconnect_max: 20ms\n",
        server_.endpoint());
  }
  std::vector<std::string> signal_addresses() const override { return {"ns=1;s=counted.0", "ns=1;s=counted.1"}; }
  std::vector<std::string> actuator_addresses() const override {
    return {"ns=1;s=lamp", "ns=1;s=values#[2]", "call ns=1;s=pump ns=1;s=start"};
  }
  double actuator_value(std::size_t actuator) const override {
    return actuator == 0 ? server_.read("lamp") : actuator == 1 ? server_.read("values", 2) : server_.called_with();
  }

  bool can_mute() const override { return true; }
  void mute() override {
    server_.stop();
    listener_ = std::make_unique<Listener>(server_.port());
  }
  bool can_send_garbage() const override { return true; }
  void send_garbage() override {
    server_.stop();
    {
      const Listener nonsense(server_.port(), "HTTP/1.1 400 Bad Request\r\n\r\n");
      SystemClock clock;
      for (int i = 0; i < 1000 && nonsense.accepted() == 0; ++i)
        clock.sleep_until(clock.monotonic() + 5 * kMillisecond);
    }
    server_.start();
  }

  std::vector<BadText> bad_options() const override {
    return {{"endpoint: http://x\n", "opc.tcp://"},
            {"endpoint: opc.tcp://x:1\nsecurity: basic128\n", "basic256sha256"},
            {"endpoint: opc.tcp://u:p@x:1\n", "password_file"},
            {"endpoint: opc.tcp://x:1\nusername: u\n", "password_file"},
            {"endpoint: opc.tcp://x:1\nintervall: 1s\n", "interval"}};
  }
  std::vector<BadText> bad_addresses() const override {
    return {
        {"Line.Speed", "ns=2;s=NAME"}, {"ns=1;s=a#[x]", "#[3]"}, {"", "empty"}, {"call ns=1;s=a ns=1;s=b", "not read"}};
  }

 private:
  mutable OpcuaTestServer server_;
  std::unique_ptr<Listener> listener_;
};

std::unique_ptr<ConnectorHarness> make_opcua_harness() { return std::make_unique<OpcuaHarness>(); }

INSTANTIATE_TEST_SUITE_P(Opcua, ConnectorContract, testing::Values(make_opcua_harness));

// What an OPC UA client does beside the promises of all.

TEST_F(OpcuaClient, HearsOfChangesWithQualityAndSourceTime) {
  make("", {"ns=1;s=speed"});
  ASSERT_TRUE(eventually([&] { return has(0, 1); }));
  const Nanos before = running_.clock().wall();
  server_.write_speed(2.5);
  ASSERT_TRUE(eventually([&] { return has(0, 2.5); }));
  EXPECT_GE(inlet_.last(0).time, before - kMillisecond);
  EXPECT_LE(inlet_.last(0).time, running_.clock().wall());
  server_.write_speed(3, 0x40000000);  // uncertain
  EXPECT_TRUE(eventually([&] { return has(0, 3, Quality::uncertain); }));
  server_.write_speed(4, 0x80000000);  // bad
  EXPECT_TRUE(eventually([&] { return has(0, 0, Quality::bad); }));
  server_.write_speed(5);
  EXPECT_TRUE(eventually([&] { return has(0, 5); }));
}

TEST_F(OpcuaClient, LosesNoChangeThatFitsTheQueue) {
  make("queue: 1000\ntrigger: timestamp\n", {"ns=1;s=speed"});
  ASSERT_TRUE(eventually([&] { return has(0, 1); }));
  for (int i = 1; i <= 20; ++i) {
    server_.write_speed(100 + i);
    SystemClock().sleep_until(SystemClock().monotonic() + 60 * kMillisecond);  // each is sampled
  }
  ASSERT_TRUE(eventually([&] { return has(0, 120); }));
  const auto points = inlet_.points(0);
  for (int i = 1; i <= 20; ++i)
    EXPECT_TRUE(std::ranges::any_of(points, [i](const Point& p) { return p.value == 100 + i; })) << i;
}

TEST_F(OpcuaClient, ReachesIntoArraysAndStructures) {
  for (const char* read : {"read: subscribe\n", "read: poll\n"}) {
    make(read, {"ns=1;s=values#[0]", "ns=1;s=values#[3]", "ns=1;s=range#Low", "ns=1;s=range#High", "ns=1;s=small"});
    EXPECT_TRUE(eventually([&] { return has(0, 10) && has(1, 40) && has(2, -5) && has(3, 55) && has(4, 3); }))
        << read << inlet_.last(0).value << ' ' << inlet_.last(1).value << ' ' << inlet_.last(2).value << ' '
        << inlet_.last(3).value << ' ' << inlet_.last(4).value << ' ' << connector_->last_error();
    connector_->stop();
  }
}

TEST_F(OpcuaClient, OneBadNodeDisablesOnlyItselfAndIsFoundWhenItComes) {
  make("retry: 50ms\n", {"ns=1;s=speed", "ns=1;s=late", "nsu=urn:nowhere;s=x", "ns=1;s=text", "ns=1;s=values#[9]"});
  ASSERT_TRUE(eventually([&] { return has(0, 1) && has(1, 0, Quality::bad) && has(2, 0, Quality::bad); }));
  EXPECT_TRUE(
      eventually([&] { return inlet_.rejected("wrong_type") >= 1 && inlet_.rejected("no_such_element") >= 1; }));
  EXPECT_TRUE(connector_->stats().connected);
  server_.add_late_node();
  EXPECT_TRUE(eventually([&] { return has(1, 7); }));
  server_.write_speed(9);
  EXPECT_TRUE(eventually([&] { return has(0, 9); }));
}

TEST_F(OpcuaClient, WritesInTheServersTypeAndSaysWhatIsRefused) {
  make("", {"ns=1;s=speed"},
       {"ns=1;s=small", "ns=1;s=lamp", "ns=1;s=fixed", "ns=1;s=nowhere", "call ns=1;s=pump ns=1;s=start",
        "ns=1;s=text"});
  ASSERT_TRUE(eventually([&] { return has(0, 1); }));
  EXPECT_EQ(command(0, 100, true), Outcome::done);
  EXPECT_EQ(server_.read("small"), 100);
  EXPECT_EQ(command(0, 200), Outcome::refused_device) << "more than an SByte holds";
  EXPECT_EQ(command(1, 1, true), Outcome::done);
  EXPECT_EQ(command(2, 5), Outcome::refused_device);
  EXPECT_NE(connector_->last_error().find("ns=1;s=fixed"), std::string::npos) << connector_->last_error();
  EXPECT_EQ(command(3, 5), Outcome::refused_device);
  EXPECT_EQ(command(4, 12.5), Outcome::done);
  EXPECT_EQ(server_.called_with(), 12.5);
  EXPECT_EQ(command(4, -1), Outcome::refused_device);
  EXPECT_EQ(command(5, 1), Outcome::refused_device) << "a text";
}

TEST_F(OpcuaClient, DataFlowAgainAfterARestartOfTheServer) {
  make("silence: 500ms\nreconnect_max: 100ms\n", {"ns=1;s=speed"});
  ASSERT_TRUE(eventually([&] { return has(0, 1); }));
  server_.stop();
  ASSERT_TRUE(eventually([&] { return has(0, 0, Quality::bad); }));
  server_.start();
  server_.write_speed(8);
  EXPECT_TRUE(eventually([&] { return has(0, 8); }));
  EXPECT_EQ(connector_->stats().connects, 2u);
}

TEST_F(OpcuaClient, ANodeThatGoesAndComesBackGivesEachValueOnce) {
  server_.start();
  server_.add_late_node();
  make("retry: 20ms\n", {"ns=1;s=speed", "ns=1;s=late"});
  ASSERT_TRUE(eventually([&] { return has(1, 7); }));
  server_.remove_late_node();
  ASSERT_TRUE(eventually([&] { return has(1, 0, Quality::bad); }));
  server_.add_late_node(8);
  ASSERT_TRUE(eventually([&] { return has(1, 8); })) << connector_->last_error();
  for (int value = 9; value < 14; ++value) {
    server_.write_late(value);
    ASSERT_TRUE(eventually([&] { return has(1, value); }));
  }
  connector_->stop();
  const auto points = inlet_.points(1);
  for (int value = 9; value < 14; ++value)
    EXPECT_EQ(std::ranges::count_if(points, [value](const Point& p) { return p.value == value; }), 1) << value;
}

TEST_F(OpcuaClient, KeepsWithinWhatTheServerTakesInOneRequest) {
  server_.limit(2);
  for (const char* read : {"read: subscribe\n", "read: poll\n"}) {
    make(read, {"ns=1;s=speed", "ns=1;s=small", "ns=1;s=fixed", "ns=1;s=values#[0]", "ns=1;s=range#High"});
    ASSERT_TRUE(eventually([&] { return connected(); })) << read << connector_->last_error();
    EXPECT_TRUE(eventually([&] { return has(0, 1) && has(1, 3) && has(2, 1) && has(3, 10) && has(4, 55); }))
        << read << connector_->last_error();
    EXPECT_EQ(connector_->stats().connects, 1u) << read << connector_->last_error();
    connector_->stop();
  }
}

TEST_F(OpcuaClient, NoticesAServerThatIsConnectedButSilent) {
  for (const char* read : {"read: subscribe\n", "read: poll\n"}) {
    make(fmt::format("{}silence: 300ms\ntimeout: 300ms\nreconnect_max: 50ms\n", read), {"ns=1;s=speed"});
    const std::size_t before = inlet_.points(0).size();
    ASSERT_TRUE(eventually([&] { return inlet_.points(0).size() > before && has(0, 1); })) << read;
    server_.freeze();
    EXPECT_TRUE(eventually([&] { return has(0, 0, Quality::bad) && !connected(); })) << read;
    EXPECT_NE(connector_->last_error(), "");
    server_.thaw();
    EXPECT_TRUE(eventually([&] { return has(0, 1); })) << read << connector_->last_error();
    connector_->stop();
  }
}

TEST_F(OpcuaClient, BrowsingGoesOnWhereTheServerCutsItsAnswers) {
  server_.limit(2);
  server_.start();
  SystemClock clock;
  opcua::Settings settings;
  settings.endpoint = server_.endpoint();
  const auto browsed = opcua::browse(settings, {.depth = 1}, clock);
  ASSERT_TRUE(browsed.has_value()) << browsed.error().text();
  for (const char* id : {"ns=1;s=speed", "ns=1;s=fixed", "ns=1;s=counted.1", "ns=1;s=start"})
    EXPECT_NE(std::ranges::find(browsed->nodes, id, &opcua::BrowsedNode::id), browsed->nodes.end()) << id;
}

}  // namespace
}  // namespace alara::contract
