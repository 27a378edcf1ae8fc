// SPDX-License-Identifier: Apache-2.0
// What every connector promises, as tests. A connector's contract program includes this header once, implements
// ConnectorHarness over a peer that it controls, and instantiates the suite:
//
//   INSTANTIATE_TEST_SUITE_P(Modbus, ConnectorContract, testing::Values(make_modbus_harness));
//
// A promise that makes no sense for a protocol is skipped by the harness's answers (no actuators, can_mute() false, …).
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/contract/recorders.hpp"

namespace alara::contract {

// Something wrong that a user may write, and what the message must contain.
struct BadText {
  std::string text;
  std::string says;
};

class ConnectorHarness {
 public:
  virtual ~ConnectorHarness() = default;
  [[nodiscard]] virtual const Protocol& protocol() const = 0;

  // The peer: a device, a broker, a directory. It keeps its address over restarts; stopping breaks connections.
  virtual void start_peer() = 0;
  virtual void stop_peer() = 0;
  // From now on every signal is offered with this value, again and again, at least every 50 ms.
  virtual void offer(double value) = 0;
  // Ends offering; returns how many points the peer has handed over since it was first started.
  virtual std::uint64_t stop_offering() = 0;

  // The connector's options as YAML (a map), for the peer above; time limits of about 100 ms.
  [[nodiscard]] virtual std::string options() const = 0;
  [[nodiscard]] virtual std::vector<std::string> signal_addresses() const = 0;  // at least two
  [[nodiscard]] virtual std::vector<std::string> actuator_addresses() const { return {}; }
  [[nodiscard]] virtual double actuator_value(std::size_t) const { return 0; }  // what the peer holds

  // The connector is a server: its peers come to it. That none is there is then no fault, and what they have set stays.
  [[nodiscard]] virtual bool listens() const { return false; }
  // The peer accepts connections and says nothing.
  [[nodiscard]] virtual bool can_mute() const { return false; }
  virtual void mute() {}
  // The peer sends bytes that mean nothing to whoever connects, then is as before.
  [[nodiscard]] virtual bool can_send_garbage() const { return false; }
  virtual void send_garbage() {}

  [[nodiscard]] virtual std::vector<BadText> bad_options() const = 0;
  [[nodiscard]] virtual std::vector<BadText> bad_addresses() const = 0;
};

using MakeHarness = std::unique_ptr<ConnectorHarness> (*)();

class ConnectorContract : public ::testing::TestWithParam<MakeHarness> {
 protected:
  void SetUp() override { harness_ = GetParam()(); }
  void TearDown() override {
    if (connector_) connector_->stop();
    harness_->stop_peer();
  }

  // Checks and makes the connector as the node does; all errors in `errors`.
  std::unique_ptr<Connector> make(const std::string& yaml, std::vector<Error>& errors) {
    const auto document = parse_document(yaml, "site.yaml");
    if (!document) {
      errors.push_back(document.error());
      return nullptr;
    }
    harness_->protocol().schema().check(*document, errors);
    if (!errors.empty()) return nullptr;
    auto made = harness_->protocol().make("under-test", *document, ".");
    if (made) return std::move(*made);
    errors.push_back(made.error());
    return nullptr;
  }

  std::vector<SignalBinding> signals() const {
    std::vector<SignalBinding> bindings;
    for (const std::string& address : harness_->signal_addresses()) {
      SignalBinding binding;
      binding.signal = SignalId{static_cast<std::uint32_t>(bindings.size())};
      binding.name = "signal-" + std::to_string(bindings.size());
      binding.address = address;
      bindings.push_back(binding);
    }
    return bindings;
  }

  std::vector<ActuatorBinding> actuators() const {
    std::vector<ActuatorBinding> bindings;
    for (const std::string& address : harness_->actuator_addresses())
      bindings.push_back({ActuatorId{static_cast<std::uint32_t>(bindings.size())}, "actuator", address, {}});
    return bindings;
  }

  void bound() {
    std::vector<Error> errors;
    connector_ = make(harness_->options(), errors);
    ASSERT_TRUE(errors.empty()) << errors.front().text();
    connector_->bind(signals(), actuators(), errors);
    ASSERT_TRUE(errors.empty()) << errors.front().text();
  }
  void start() { ASSERT_TRUE(connector_->start({&inlet_, &commands_, &running_.clock(), &running_.loop(), 1})); }
  void started_with_peer(double value) {
    harness_->start_peer();
    harness_->offer(value);
    ASSERT_NO_FATAL_FAILURE(bound());
    ASSERT_NO_FATAL_FAILURE(start());
  }

  // Every signal's last sample is good and has this value.
  bool all_have(double value) const {
    for (std::uint32_t i = 0; i < harness_->signal_addresses().size(); ++i)
      if (inlet_.last(i).quality != Quality::good || inlet_.last(i).value != value) return false;
    return true;
  }
  bool all_bad() const {
    for (std::uint32_t i = 0; i < harness_->signal_addresses().size(); ++i)
      if (inlet_.points(i).empty() || inlet_.last(i).quality != Quality::bad) return false;
    return true;
  }
  bool connected() const { return connector_->stats().connected; }

  std::unique_ptr<ConnectorHarness> harness_;
  RecordingInlet inlet_;
  CommandQueue commands_;
  RunningLoop running_;
  std::unique_ptr<Connector> connector_;
};

TEST_P(ConnectorContract, DescribesItself) {
  const Protocol& protocol = harness_->protocol();
  EXPECT_FALSE(protocol.key().empty());
  EXPECT_FALSE(protocol.address_help().empty());
  EXPECT_FALSE(protocol.schema().sentence.empty());
  for (const Property& property : protocol.schema().properties)
    EXPECT_FALSE(property.sentence.empty()) << property.name;
  ASSERT_NO_FATAL_FAILURE(bound());
  EXPECT_FALSE(connector_->explain().empty());
}

TEST_P(ConnectorContract, RefusesBadOptionsWithTheirPlace) {
  for (const BadText& bad : harness_->bad_options()) {
    std::vector<Error> errors;
    EXPECT_EQ(make(bad.text, errors), nullptr) << bad.text;
    ASSERT_FALSE(errors.empty()) << bad.text;
    EXPECT_EQ(errors[0].where.file, "site.yaml") << bad.text;
    EXPECT_GT(errors[0].where.line, 0) << bad.text;
    EXPECT_NE(errors[0].text().find(bad.says), std::string::npos) << errors[0].text();
  }
}

TEST_P(ConnectorContract, RefusesBadAddressesWithTheirPlace) {
  for (const BadText& bad : harness_->bad_addresses()) {
    std::vector<Error> errors;
    const auto connector = make(harness_->options(), errors);
    ASSERT_NE(connector, nullptr);
    std::vector<SignalBinding> bindings = signals();
    bindings[1].address = bad.text;
    bindings[1].where = {"site.yaml", 12, 7};
    connector->bind(bindings, {}, errors);
    ASSERT_EQ(errors.size(), 1u) << "one bad address, one error: " << bad.text;
    EXPECT_EQ(errors[0].where.text(), "site.yaml:12:7");
    EXPECT_NE(errors[0].text().find(bad.says), std::string::npos) << errors[0].text();
    EXPECT_NE(errors[0].text().find(bindings[1].name), std::string::npos) << errors[0].text();
  }
}

TEST_P(ConnectorContract, ConnectsAndDeliversValueQualityAndTime) {
  const Nanos wall = running_.clock().wall();
  const Nanos monotonic = running_.clock().monotonic();
  ASSERT_NO_FATAL_FAILURE(started_with_peer(12));
  ASSERT_TRUE(eventually([&] { return all_have(12); }));
  EXPECT_TRUE(connected());
  EXPECT_EQ(connector_->stats().connects, 1u);
  EXPECT_EQ(connector_->last_error(), "");
  const Point point = inlet_.last(0);
  EXPECT_GE(point.arrival, monotonic);
  EXPECT_LE(point.arrival, running_.clock().monotonic());
  EXPECT_GE(point.time, wall - kSecond);
  EXPECT_LE(point.time, running_.clock().wall() + kSecond);
  harness_->offer(34);
  EXPECT_TRUE(eventually([&] { return all_have(34); }));
}

TEST_P(ConnectorContract, WaitsForAPeerThatComesLater) {
  if (harness_->listens()) GTEST_SKIP() << "its peers come to it";
  harness_->start_peer();
  harness_->stop_peer();
  ASSERT_NO_FATAL_FAILURE(bound());
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_TRUE(eventually([&] { return connector_->stats().errors > 0; }));
  EXPECT_FALSE(connected());
  EXPECT_NE(connector_->last_error(), "");
  harness_->start_peer();
  harness_->offer(5);
  EXPECT_TRUE(eventually([&] { return all_have(5); }));
}

TEST_P(ConnectorContract, MarksSignalsBadOnceAndReconnectsWhenThePeerRestarts) {
  if (harness_->listens()) GTEST_SKIP() << "its peers come to it";
  ASSERT_NO_FATAL_FAILURE(started_with_peer(1));
  ASSERT_TRUE(eventually([&] { return all_have(1); }));
  harness_->stop_peer();
  ASSERT_TRUE(eventually([&] { return all_bad() && !connected(); }));
  ASSERT_TRUE(eventually([&] { return connector_->stats().errors > 2; })) << "it keeps trying";
  harness_->start_peer();
  harness_->offer(2);
  ASSERT_TRUE(eventually([&] { return all_have(2); }));
  EXPECT_EQ(connector_->stats().connects, 2u);
  EXPECT_EQ(connector_->stats().disconnects, 1u);
  std::uint64_t bad = 0;
  for (const Point& point : inlet_.points(0)) bad += point.quality == Quality::bad;
  EXPECT_EQ(bad, 1u);
}

TEST_P(ConnectorContract, WritesAndAcknowledges) {
  if (harness_->actuator_addresses().empty()) GTEST_SKIP() << "reads only";
  ASSERT_NO_FATAL_FAILURE(started_with_peer(1));
  ASSERT_TRUE(eventually(([&] { return connected(); })));
  const Nanos before = running_.clock().monotonic();
  for (std::uint32_t i = 0; i < harness_->actuator_addresses().size(); ++i) commands_.send(ActuatorId{i}, 1);
  ASSERT_TRUE(eventually([&] { return commands_.acks().size() == harness_->actuator_addresses().size(); }));
  for (const Ack& ack : commands_.acks()) {
    EXPECT_EQ(ack.outcome, Outcome::done) << name_of(ack.outcome);
    EXPECT_GE(ack.at, before);
    EXPECT_LE(ack.at, running_.clock().monotonic());
    EXPECT_TRUE(eventually([&] { return harness_->actuator_value(index_of(ack.actuator)) == 1; }));
  }
}

TEST_P(ConnectorContract, NeverKeepsCommandsForAPeerThatIsGone) {
  if (harness_->actuator_addresses().empty()) GTEST_SKIP() << "reads only";
  ASSERT_NO_FATAL_FAILURE(started_with_peer(1));
  ASSERT_TRUE(eventually(([&] { return connected(); })));
  harness_->stop_peer();
  ASSERT_TRUE(eventually(([&] { return !connected(); })));
  commands_.send(ActuatorId{0}, 1);
  ASSERT_TRUE(eventually([&] { return commands_.acks().size() == 1; }));
  EXPECT_EQ(commands_.acks()[0].outcome, Outcome::unavailable);
}

TEST_P(ConnectorContract, TimesOutWhenThePeerSaysNothing) {
  if (!harness_->can_mute()) GTEST_SKIP() << "the peer can not be silent";
  ASSERT_NO_FATAL_FAILURE(started_with_peer(1));
  ASSERT_TRUE(eventually([&] { return all_have(1); }));
  harness_->mute();
  ASSERT_TRUE(eventually([&] { return all_bad(); }));
  const std::uint64_t errors = connector_->stats().errors;
  ASSERT_TRUE(eventually([&] { return connector_->stats().errors > errors + 1; }));
  EXPECT_NE(connector_->last_error(), "");
  if (!harness_->actuator_addresses().empty()) {
    commands_.send(ActuatorId{0}, 1);
    ASSERT_TRUE(eventually([&] { return commands_.acks().size() == 1; }));
    const Outcome outcome = commands_.acks()[0].outcome;
    EXPECT_TRUE(outcome == Outcome::timed_out || outcome == Outcome::unavailable) << name_of(outcome);
  }
  harness_->stop_peer();
  harness_->start_peer();
  harness_->offer(2);
  EXPECT_TRUE(eventually([&] { return all_have(2); }));
}

TEST_P(ConnectorContract, SurvivesGarbage) {
  if (!harness_->can_send_garbage()) GTEST_SKIP() << "the peer can not send garbage";
  ASSERT_NO_FATAL_FAILURE(started_with_peer(1));
  ASSERT_TRUE(eventually([&] { return all_have(1); }));
  const std::uint64_t errors = connector_->stats().errors;
  harness_->send_garbage();
  harness_->offer(3);
  ASSERT_TRUE(eventually([&] { return all_have(3); }));
  EXPECT_GT(connector_->stats().errors + inlet_.rejected(), errors);
  for (const Point& point : inlet_.points(0))
    EXPECT_TRUE(point.quality == Quality::bad || point.value == 1 || point.value == 3) << point.value;
}

TEST_P(ConnectorContract, AcceptsExactlyThePointsThatThePeerHandedOver) {
  ASSERT_NO_FATAL_FAILURE(started_with_peer(1));
  const std::uint64_t enough = 20 * harness_->signal_addresses().size();
  ASSERT_TRUE(eventually([&] { return inlet_.good() >= enough; }));
  const std::uint64_t offered = harness_->stop_offering();
  EXPECT_TRUE(eventually([&] { return inlet_.good() + inlet_.rejected() == offered; }))
      << inlet_.good() << " accepted and " << inlet_.rejected() << " rejected of " << offered;
}

TEST_P(ConnectorContract, StopsInBoundedTimeInEveryState) {
  const auto stop_takes = [&] {
    const Nanos before = running_.clock().monotonic();
    connector_->stop();
    connector_->stop();
    return running_.clock().monotonic() - before;
  };
  ASSERT_NO_FATAL_FAILURE(bound());
  EXPECT_LT(stop_takes(), kSecond) << "never started";
  ASSERT_NO_FATAL_FAILURE(started_with_peer(1));
  ASSERT_TRUE(eventually([&] { return all_have(1); }));
  EXPECT_LT(stop_takes(), kSecond) << "connected";
  EXPECT_FALSE(connected());
  const std::uint64_t points = inlet_.all();
  harness_->offer(2);
  EXPECT_EQ(inlet_.all(), points) << "nothing comes after stop()";
  harness_->stop_peer();
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_LT(stop_takes(), kSecond) << "the peer is gone";
  if (harness_->can_mute()) {
    harness_->mute();
    ASSERT_NO_FATAL_FAILURE(start());
    EXPECT_LT(stop_takes(), kSecond) << "the peer is silent";
  }
}

TEST_P(ConnectorContract, AcknowledgesCommandsThatWaitWhenItStops) {
  if (harness_->actuator_addresses().empty()) GTEST_SKIP() << "reads only";
  ASSERT_NO_FATAL_FAILURE(started_with_peer(1));
  ASSERT_TRUE(eventually(([&] { return connected(); })));
  for (int i = 0; i < 100; ++i) commands_.send(ActuatorId{0}, 1);
  connector_->stop();
  EXPECT_EQ(commands_.acks().size(), 100u);
}

}  // namespace alara::contract
