// SPDX-License-Identifier: Apache-2.0
// The connector against a real mosquitto.
#include <gtest/gtest.h>

#include "connect/mqtt/connector.hpp"
#include "connect/mqtt/protocol.hpp"
#include "connect/mqtt/test_broker.hpp"
#include "core/fakes.hpp"

namespace alara::mqtt {
namespace {

using testing::FakeInbox;
using testing::RecordingInlet;

std::unique_ptr<Connector> make(const std::string& yaml) {
  const auto node = parse_document(yaml, "site.yaml");
  EXPECT_TRUE(node.has_value()) << node.error().text();
  std::vector<Error> errors;
  mqtt_protocol().schema().check(*node, errors);
  EXPECT_TRUE(errors.empty()) << errors.front().text();
  auto made = mqtt_protocol().make("broker", *node, "");
  EXPECT_TRUE(made.has_value()) << made.error().text();
  return std::move(*made);
}

// A connector with its surroundings.
struct Peer {
  Peer(int port, const std::string& options, const std::vector<std::string>& signals,
       const std::vector<std::string>& actuators = {})
      : connector(make(fmt::format(
            "endpoint: mqtt://127.0.0.1:{}\nreconnect_min: 10ms\nreconnect_max: 50ms\n{}{}", port,
            options.find("client_id") == std::string::npos ? fmt::format("client_id: peer{}\n", ++made) : "",
            options))) {
    std::vector<SignalBinding> signal_bindings;
    for (const std::string& address : signals)
      signal_bindings.push_back(
          {static_cast<SignalId>(signal_bindings.size()), address, address, SignalType::float64, 0, {}, 0});
    std::vector<ActuatorBinding> actuator_bindings;
    for (const std::string& address : actuators)
      actuator_bindings.push_back({static_cast<ActuatorId>(actuator_bindings.size()), address, address, {}});
    std::vector<Error> errors;
    connector->bind(signal_bindings, actuator_bindings, errors);
    EXPECT_TRUE(errors.empty());
  }
  ~Peer() { connector->stop(); }

  void start() {
    const Status started = connector->start({&inlet, &inbox, &clock, nullptr, 42});
    ASSERT_TRUE(started.has_value()) << started.error().text();
  }
  // Publishes to a topic it listens to itself until something arrives: then the subscription stands.
  void wait_until_subscribed(std::string_view topic) {
    for (int i = 0; i < 400; ++i) {
      connector->message_sink()->publish(topic, "0");
      if (inlet.seen().batches > 0) break;
      poll(nullptr, 0, 10);
    }
    ASSERT_GT(inlet.seen().batches, 0u) << connector->last_error();
  }
  void send(std::uint32_t actuator, double value, bool verify = false) {
    Command command;
    command.id = static_cast<CommandId>(++commands);
    command.actuator = static_cast<ActuatorId>(actuator);
    command.value = value;
    command.verify = verify;
    inbox.put(command);
  }

  static inline int made = 0;
  SystemClock clock;
  RecordingInlet inlet;
  FakeInbox inbox;
  std::uint64_t commands = 0;
  std::unique_ptr<Connector> connector;
};

class MqttSystem : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (mosquitto_path().empty()) GTEST_SKIP() << "mosquitto is not installed";
  }
};

TEST_P(MqttSystem, CommandsAndSamplesGoThroughTheBroker) {
  const TestBroker broker;
  ASSERT_TRUE(broker.ready());
  Peer peer(broker.port(), GetParam(), {"ready", "cell/speed#value", "cell/set"}, {"cell/speed#value", "cell/set"});
  peer.start();
  peer.wait_until_subscribed("ready");
  peer.inlet.clear();
  peer.send(0, 21.5);
  peer.send(1, -3);
  const auto acks = peer.inbox.wait_for_acks(2);
  ASSERT_EQ(acks.size(), 2u);
  EXPECT_EQ(acks[0].outcome, Outcome::done);
  EXPECT_EQ(acks[1].outcome, Outcome::done);
  EXPECT_GT(acks[0].at, 0);
  ASSERT_TRUE(peer.inlet.wait_for([](const auto& seen) {
    bool speed = false, set = false;
    for (const auto& point : seen.points) {
      speed = speed || (point.signal == SignalId{1} && point.value == 21.5);
      set = set || (point.signal == SignalId{2} && point.value == -3);
    }
    return speed && set;
  }));
  EXPECT_TRUE(peer.connector->stats().connected.load());
  EXPECT_EQ(peer.connector->last_error(), "");
}
INSTANTIATE_TEST_SUITE_P(Versions, MqttSystem,
                         ::testing::Values("qos: 0", "qos: 1", "version: 3.1.1", "version: 3.1.1\nqos: 1",
                                           "qos: 1\nclean_start: false\nclient_id: keeper\nsession_expiry: 1min",
                                           "subscribe: ['cell/+', ready]"));

class MqttBroker : public ::testing::Test {
 protected:
  void SetUp() override {
    if (mosquitto_path().empty()) GTEST_SKIP() << "mosquitto is not installed";
  }
};

TEST_F(MqttBroker, CommandsAreMessagesOfOnePointInTheFormatsOfPoints) {
  const TestBroker broker;
  for (const std::string format : {"protobuf", "flatbuffers", "messagepack"}) {
    const std::string topic = "cell/" + format;
    const std::vector<std::string> addresses{topic + "#spindle[1].speed", topic + "/set"};
    Peer peer(broker.port(), "qos: 1\nretain: true\nformat: " + format, addresses, addresses);
    peer.start();
    for (int i = 0; i < 400 && !peer.connector->stats().connected; ++i) poll(nullptr, 0, 10);
    peer.send(0, 21.5);
    peer.send(1, -3);
    for (const Ack& ack : peer.inbox.wait_for_acks(2)) EXPECT_EQ(ack.outcome, Outcome::done);
    ASSERT_TRUE(peer.inlet.wait_for([](const auto& seen) { return seen.points.size() >= 2; })) << format;
    for (const auto& point : peer.inlet.seen().points) {
      EXPECT_EQ(point.value, point.signal == SignalId{0} ? 21.5 : -3);
      EXPECT_EQ(point.quality, Quality::good);
    }
  }
}

TEST_F(MqttBroker, MessagesOfEveryKindOfBadnessAreCounted) {
  const TestBroker broker;
  Peer peer(broker.port(), "max_payload: 100B", {"ready", "a#x", "a#y"});
  peer.start();
  peer.wait_until_subscribed("ready");
  MessageSink& sink = *peer.connector->message_sink();
  for (const std::string& payload :
       {std::string(R"({"x":1,"y")"), std::string(5000, ' '), std::string("{x:1}"), std::string("{\"x\":\"\xff\"}"),
        std::string(R"({"x":"hot","y":NaN})"), std::string(R"({"x":1e999,"y":7})"), std::string()})
    EXPECT_TRUE(sink.publish("a", payload));
  ASSERT_TRUE(peer.inlet.wait_for(
      [](const auto& seen) { return seen.rejected.contains("truncated") && seen.rejected.at("truncated") >= 4; }));
  const auto seen = peer.inlet.seen();
  EXPECT_EQ(seen.rejected.at("truncated"), 4u);  // two points each of the cut and the empty payload
  EXPECT_EQ(seen.rejected.at("too_large"), 2u);
  EXPECT_EQ(seen.rejected.at("malformed"), 2u);
  EXPECT_EQ(seen.rejected.at("not_utf8"), 2u);
  EXPECT_EQ(seen.rejected.at("wrong_type"), 1u);
  EXPECT_EQ(seen.rejected.at("not_finite"), 2u);
  EXPECT_EQ(seen.points.back().value, 7);
}

TEST_F(MqttBroker, TopicsBesideTheKnownOnesAreCounted) {
  const TestBroker broker;
  Peer peer(broker.port(), "subscribe: ['#']", {"ready"});
  peer.start();
  peer.wait_until_subscribed("ready");
  peer.connector->message_sink()->publish("elsewhere", "1");
  EXPECT_TRUE(peer.inlet.wait_for([](const auto& seen) { return seen.rejected.contains("unknown_topic"); }));
}

TEST_F(MqttBroker, ARestartOfTheBrokerIsSurvived) {
  TestBroker broker;
  Peer peer(broker.port(), "qos: 1", {"ready"}, {"out"});
  peer.start();
  peer.wait_until_subscribed("ready");
  broker.stop();
  while (peer.connector->stats().connected.load()) poll(nullptr, 0, 1);
  EXPECT_NE(peer.connector->last_error(), "");
  EXPECT_FALSE(peer.connector->message_sink()->publish("ready", "1"));
  peer.send(0, 1);
  ASSERT_EQ(peer.inbox.wait_for_acks(1).size(), 1u);
  EXPECT_EQ(peer.inbox.acks()[0].outcome, Outcome::unavailable);
  broker.start();
  peer.inlet.clear();
  peer.wait_until_subscribed("ready");
  EXPECT_GE(peer.connector->stats().connects.load(), 2u);
  EXPECT_EQ(peer.connector->stats().disconnects.load(), 1u);
  peer.send(0, 1);
  ASSERT_EQ(peer.inbox.wait_for_acks(2).size(), 2u);
  EXPECT_EQ(peer.inbox.acks()[1].outcome, Outcome::done);
}

TEST_F(MqttBroker, AnAbsentBrokerIsTriedAgainAndStopIsQuick) {
  Peer peer(free_port(), "", {"a"});
  peer.start();
  while (peer.connector->stats().errors.load() < 3) poll(nullptr, 0, 1);
  EXPECT_NE(peer.connector->last_error().find("can not connect to 127.0.0.1"), std::string::npos)
      << peer.connector->last_error();
  const Nanos before = peer.clock.monotonic();
  peer.connector->stop();
  EXPECT_LT(peer.clock.monotonic() - before, kSecond);
}

TEST_F(MqttBroker, ABrokerThatNeverAnswersTimesOut) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  listen(listener, 4);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  Peer peer(ntohs(address.sin_port), "connect_timeout: 50ms", {"a"});
  peer.start();
  while (peer.connector->stats().errors.load() < 2) poll(nullptr, 0, 1);
  EXPECT_NE(peer.connector->last_error().find("no answer"), std::string::npos) << peer.connector->last_error();
  peer.connector->stop();
  close(listener);
}

TEST_F(MqttBroker, ABrokerThatTalksNonsenseIsDropped) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  listen(listener, 4);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  Peer peer(ntohs(address.sin_port), "connect_timeout: 1s", {"a"});
  peer.start();
  const int accepted = accept(listener, nullptr, nullptr);
  ASSERT_EQ(write(accepted, "\xff\xff\xff\xff\xff\xff garbage", 14), 14);
  while (peer.connector->stats().errors.load() < 1) poll(nullptr, 0, 1);
  EXPECT_FALSE(peer.connector->stats().connected.load());
  close(accepted);
  close(listener);
}

TEST_F(MqttBroker, ARefusedLoginIsSaid) {
  const TestBroker broker("allow_anonymous false\n");
  Peer peer(broker.port(), "", {"a"});
  peer.start();
  while (peer.connector->stats().errors.load() < 1) poll(nullptr, 0, 1);
  EXPECT_NE(peer.connector->last_error().find("refused the login"), std::string::npos) << peer.connector->last_error();
}

TEST_F(MqttBroker, TheWillIsPublishedOnlyWithoutAGoodBye) {
  const TestBroker broker;
  Peer watcher(broker.port(), "", {"ready", "status"});
  watcher.start();
  watcher.wait_until_subscribed("ready");
  Peer polite(broker.port(), "client_id: polite\nwill: {topic: status, payload: '1', retain: false}", {"ready"});
  polite.start();
  polite.wait_until_subscribed("ready");
  polite.connector->stop();
  {
    Peer kicked(broker.port(), "client_id: twin\nwill: {topic: status, payload: '2', retain: false}", {"ready"});
    kicked.start();
    kicked.wait_until_subscribed("ready");
    Peer twin(broker.port(), "client_id: twin", {"ready"});  // throws the first one out
    twin.start();
    ASSERT_TRUE(watcher.inlet.wait_for(
        [](const auto& seen) { return !seen.points.empty() && seen.points.back().signal == SignalId{1}; }));
  }
  for (const auto& point : watcher.inlet.seen().points) {
    if (point.signal != SignalId{1}) continue;
    EXPECT_EQ(point.value, 2);
  }
}

TEST_F(MqttBroker, AValueThatAskedForVerificationIsNotCalledDone) {
  const TestBroker broker;
  Peer peer(broker.port(), "", {"ready"}, {"out"});
  peer.start();
  peer.wait_until_subscribed("ready");
  peer.send(0, 1, true);
  ASSERT_EQ(peer.inbox.wait_for_acks(1).size(), 1u);
  EXPECT_NE(peer.inbox.acks()[0].outcome, Outcome::done);
}

TEST_F(MqttBroker, MessagesHandedOverBeforeStopArrive) {
  const TestBroker broker;
  Peer watcher(broker.port(), "", {"ready", "event"});
  watcher.start();
  watcher.wait_until_subscribed("ready");
  watcher.inlet.clear();
  Peer peer(broker.port(), "qos: 1", {"ready"});
  peer.start();
  peer.wait_until_subscribed("ready");
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(peer.connector->message_sink()->publish("event", std::to_string(i)));
  peer.connector->stop();
  EXPECT_TRUE(watcher.inlet.wait_for([](const auto& seen) {
    std::size_t events = 0;
    for (const auto& point : seen.points) events += point.signal == SignalId{1} ? 1 : 0;
    return events == 50;
  }));
}

class MqttOutlets : public MqttBroker {
 protected:
  // A connector that publishes two values.
  void start(int port, const std::string& options) {
    publisher = make(
        fmt::format("endpoint: mqtt://127.0.0.1:{}\nclient_id: outlets\nreconnect_min: 10ms\nreconnect_max: 50ms\n{}",
                    port, options));
    std::vector<Error> errors;
    publisher->bind({}, {}, errors);
    const std::vector<OutletBinding> bindings{
        {OutletId{0},
         "press-1.load",
         "press-1",
         "load",
         "up/press-1/load",
         *Unit::parse("kW"),
         SignalType::float64,
         false,
         {}},
        {OutletId{1}, "press-1.on", "press-1", "on", "up/press-1/on", {}, SignalType::boolean, true, {}}};
    publisher->bind_outlets(bindings, errors);
    ASSERT_TRUE(errors.empty()) << errors.front().text();
    ConnectorContext context{&inlet, &inbox, &clock, nullptr, 7};
    context.outlets = &outlets;
    ASSERT_TRUE(publisher->start(context).has_value());
  }
  void TearDown() override {
    if (publisher) publisher->stop();
  }
  static OutletSample sample(std::uint32_t outlet, double value, Quality quality = Quality::good) {
    return {OutletId{outlet}, value, 1'386'018'900 * kSecond, quality, 0};
  }

  SystemClock clock;
  RecordingInlet inlet;
  FakeInbox inbox;
  testing::FakeOutlets outlets;
  std::unique_ptr<Connector> publisher;
};

TEST_F(MqttOutlets, ArriveWithValueTimeAndQualityAndAreDelivered) {
  const TestBroker broker;
  for (const char* options : {"qos: 0", "qos: 1"}) {
    Peer peer(broker.port(), "", {"ready", "up/press-1/load", "up/press-1/on"});
    peer.start();
    peer.wait_until_subscribed("ready");
    peer.inlet.clear();
    start(broker.port(), options);
    outlets.put(sample(0, 21.5, Quality::uncertain));
    outlets.put(sample(1, 1));
    ASSERT_TRUE(peer.inlet.wait_for_points(2)) << options;
    for (const auto& point : peer.inlet.seen().points) {
      if (point.signal == SignalId{0}) continue;
      const bool load = point.signal == SignalId{1};
      EXPECT_EQ(point.value, load ? 21.5 : 1.0);
      EXPECT_EQ(point.quality, load ? Quality::uncertain : Quality::good);
      EXPECT_EQ(point.time, 1'386'018'900 * kSecond);
    }
    const auto account = outlets.wait_until_settled();
    EXPECT_EQ(account.delivered, account.published);
    publisher->stop();
  }
}

TEST_F(MqttOutlets, WithoutABrokerTheNewestValueWaitsAndTheOthersAreCounted) {
  TestBroker broker;
  Peer peer(broker.port(), "", {"ready", "up/press-1/load"});
  peer.start();
  peer.wait_until_subscribed("ready");
  start(broker.port(), "qos: 1");
  while (!publisher->stats().connected.load()) poll(nullptr, 0, 1);
  broker.stop();
  while (publisher->stats().connected.load()) poll(nullptr, 0, 1);
  for (int i = 1; i <= 3; ++i) outlets.put(sample(0, i));
  while (outlets.account().settled() < 2) poll(nullptr, 0, 1);
  EXPECT_EQ(outlets.account().dropped.at("not_connected"), 2u);
  broker.start();
  const auto account = outlets.wait_until_settled();
  EXPECT_EQ(account.delivered, 1u);
  EXPECT_EQ(account.dropped.at("not_connected"), 2u);
}

TEST_F(MqttOutlets, WhatIsStillHeldAtTheEndIsGivenUp) {
  start(free_port(), "");
  outlets.put(sample(0, 1));
  outlets.put(sample(7, 1));  // of an earlier plan
  while (outlets.account().settled() < 1) poll(nullptr, 0, 1);
  publisher->stop();
  const auto account = outlets.account();
  EXPECT_EQ(account.settled(), account.published);
  EXPECT_EQ(account.dropped.at("unknown_outlet"), 1u);
  EXPECT_EQ(account.dropped.at("not_connected"), 1u);
}

TEST_F(MqttOutlets, ABadTopicIsNamedAtLoad) {
  const auto connector = make("endpoint: mqtt://127.0.0.1:1883");
  std::vector<Error> errors;
  const std::vector<OutletBinding> bindings{{OutletId{0},
                                             "press-1.load",
                                             "press-1",
                                             "load",
                                             "up/+/load",
                                             {},
                                             SignalType::float64,
                                             false,
                                             {"site.yaml", 9, 3}}};
  connector->bind_outlets(bindings, errors);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].text().find("site.yaml:9:3: press-1.load: "), 0u) << errors[0].text();
}

}  // namespace
}  // namespace alara::mqtt
