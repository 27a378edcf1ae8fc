// SPDX-License-Identifier: Apache-2.0
// Published values on their way through a real broker to another node.
#include <gtest/gtest.h>

#include "connect/mqtt/outlets.hpp"
#include "connect/mqtt/protocol.hpp"
#include "connect/mqtt/scripted_broker.hpp"
#include "connect/mqtt/test_broker.hpp"
#include "core/fakes.hpp"

namespace alara::mqtt {
namespace {

using testing::FakeOutlets;
using testing::RecordingInlet;

constexpr Nanos kThen = 1'764'088'797'123'250'000;

std::unique_ptr<Connector> make(int port, const std::string& id, const std::string& options) {
  const auto node = parse_document(fmt::format("endpoint: mqtt://127.0.0.1:{}\nclient_id: {}\nreconnect_min: 10ms\n"
                                               "reconnect_max: 50ms\n{}",
                                               port, id, options),
                                   "site.yaml");
  std::vector<Error> errors;
  mqtt_protocol().schema().check(*node, errors);
  EXPECT_TRUE(errors.empty()) << errors.front().text();
  return std::move(*mqtt_protocol().make("broker", *node, ""));
}

struct Publisher {
  Publisher(int port, const std::string& options, const std::vector<std::string>& topics)
      : connector(make(port, "publisher",
                       options.find("buffer:") == std::string::npos ? options + "\nbuffer: 1000" : options)) {
    std::vector<OutletBinding> bindings;
    for (const std::string& topic : topics) {
      OutletBinding binding;
      binding.outlet = OutletId{static_cast<std::uint32_t>(bindings.size())};
      binding.name = binding.address = topic;
      binding.unit = *Unit::parse("degC");
      bindings.push_back(binding);
    }
    std::vector<Error> errors;
    connector->bind({}, {}, errors);
    connector->bind_outlets(bindings, errors);
    EXPECT_TRUE(errors.empty());
  }
  ~Publisher() { connector->stop(); }
  void start() { ASSERT_TRUE(connector->start({&inlet, nullptr, &clock, nullptr, 7, &outlets})); }
  void put(std::uint32_t outlet, double value, Quality quality = Quality::good, Nanos time = kThen) {
    outlets.put({OutletId{outlet}, value, time, quality, 0});
  }
  [[nodiscard]] std::uint64_t counter(std::string_view name) const {
    std::vector<Connector::Counter> counters;
    connector->counters(counters);
    for (const auto& counter : counters)
      if (counter.name == name) return counter.value;
    return UINT64_MAX;
  }
  template <typename Condition>
  bool eventually(Condition condition) {
    for (int i = 0; i < 2000; ++i) {
      if (condition()) return true;
      poll(nullptr, 0, 5);
    }
    return false;
  }

  SystemClock clock;
  RecordingInlet inlet;
  FakeOutlets outlets;
  std::unique_ptr<Connector> connector;
};

// Another node that reads those topics.
struct Reader {
  Reader(int port, const std::string& options, const std::vector<std::string>& topics)
      : connector(make(port, "reader", options)) {
    std::vector<SignalBinding> bindings;
    for (const std::string& topic : topics)
      bindings.push_back(
          {SignalId{static_cast<std::uint32_t>(bindings.size())}, topic, topic, SignalType::float64, 0, {}, 0});
    std::vector<Error> errors;
    connector->bind(bindings, {}, errors);
    EXPECT_TRUE(errors.empty());
    EXPECT_TRUE(connector->start({&inlet, nullptr, &clock, nullptr, 8}));
  }
  ~Reader() { connector->stop(); }

  SystemClock clock;
  RecordingInlet inlet;
  std::unique_ptr<Connector> connector;
};

class MqttValues : public ::testing::Test {
 protected:
  void SetUp() override {
    if (mosquitto_path().empty()) GTEST_SKIP() << "mosquitto is not installed";
  }
};

TEST_F(MqttValues, ReachAnotherNodeWithTimeAndQuality) {
  const TestBroker broker;
  const std::vector<std::string> topics{"plant/a", "plant/b", "plant/c"};
  for (const char* const options :
       {"qos: 1\nretain: true", "qos: 0\nretain: true", "qos: 1\ntopic_aliases: 0\nretain: true",
        "version: 3.1.1\nqos: 1\nretain: true", "qos: 1\nmessage_expiry: 1min\nretain: true",
        "qos: 1\nretain: true\nformat: protobuf", "qos: 1\nretain: true\nformat: flatbuffers",
        "qos: 1\nretain: true\nformat: messagepack"}) {
    Publisher publisher(broker.port(), options, topics);
    publisher.start();
    for (int round = 1; round <= 3; ++round)  // the second by alias, where there are aliases
      for (std::uint32_t i = 0; i < 3; ++i)
        publisher.put(i, 10 * round + i, i == 1 ? Quality::uncertain : Quality::good);
    EXPECT_EQ(publisher.outlets.wait_until_settled().delivered, 9u) << options;
    const std::string_view all(options);
    const std::size_t format = all.find("format:");
    const std::string same_format(format == std::string_view::npos ? "" : all.substr(format));
    Reader reader(broker.port(), "qos: 1\n" + same_format, topics);  // gets what was retained
    const auto last = [](const RecordingInlet::Seen& seen, std::uint32_t signal) {
      RecordingInlet::Point found;
      for (const auto& point : seen.points)
        if (point.signal == SignalId{signal}) found = point;
      return found;
    };
    // At QoS 0 the last ones may reach the broker after the reader.
    ASSERT_TRUE(reader.inlet.wait_for([&](const RecordingInlet::Seen& seen) {
      return last(seen, 0).value == 30 && last(seen, 1).value == 31 && last(seen, 2).value == 32;
    })) << options
        << ": " << reader.connector->last_error();
    for (std::uint32_t i = 0; i < 3; ++i) {
      const auto point = last(reader.inlet.seen(), i);
      EXPECT_EQ(point.quality, i == 1 ? Quality::uncertain : Quality::good);
      EXPECT_LE(std::abs(point.time - kThen), kMicrosecond);
    }
  }
}

TEST_F(MqttValues, OfOneTopicGoTogether) {
  const TestBroker broker;
  const std::vector<std::string> addresses{"cell#a", "cell#b", "cell#c", "cell"};
  for (const std::string format : {"protobuf", "flatbuffers", "messagepack"}) {
    Publisher publisher(broker.port(), "qos: 1\nretain: true\npublish_format: " + format, addresses);
    for (int round = 0; round < 1000; ++round)  // before there is a connection, so that they wait
      for (std::uint32_t i = 0; i < 4; ++i) publisher.put(i, 4 * round + i, Quality::good, kThen + round);
    publisher.start();
    EXPECT_EQ(publisher.outlets.wait_until_settled().delivered, 1000u) << format;
    EXPECT_EQ(publisher.outlets.account().dropped.at("buffer_full"), 3000u);
    EXPECT_LE(publisher.connector->stats().messages_out, 2u);
    Reader reader(broker.port(), "qos: 1\nformat: " + format, addresses);  // gets the last message
    ASSERT_TRUE(reader.inlet.wait_for(
        [](const RecordingInlet::Seen& seen) { return !seen.points.empty() && seen.points.back().value == 3999; }));
    const auto seen = reader.inlet.seen();
    EXPECT_GT(seen.points.size(), 10u);
    for (const auto& point : seen.points) {
      const auto number = static_cast<std::uint32_t>(point.value);
      EXPECT_EQ(point.signal, SignalId{number % 4});
      EXPECT_EQ(point.time, kThen + number / 4);
    }
    EXPECT_TRUE(seen.rejected.empty());
  }
}

TEST_F(MqttValues, GoByTheirNumbersBetweenTheirNames) {
  const TestBroker broker;
  const std::vector<std::string> addresses{"cell#a/long/name/of/a/sensor", "cell#another/long/name", "cell"};
  for (const std::string format : {"protobuf", "flatbuffers", "messagepack"}) {
    Reader reader(broker.port(), "qos: 1\nformat: " + format, addresses);
    Publisher publisher(broker.port(), "qos: 1\nname_every: 1h\nformat: " + format, addresses);
    ASSERT_TRUE(publisher.eventually([&] { return reader.connector->stats().connected.load(); }));
    publisher.start();
    const auto put_all = [&](int round) {
      for (std::uint32_t i = 0; i < 3; ++i) {  // a message each
        publisher.put(i, 10 * round + i);
        publisher.outlets.wait_until_settled();
      }
      EXPECT_TRUE(reader.inlet.wait_for_points(3u * static_cast<std::size_t>(round))) << format << " " << round;
    };
    put_all(1);
    const std::uint64_t with_names = publisher.connector->stats().bytes_out;
    put_all(2);
    const std::uint64_t without = publisher.connector->stats().bytes_out - with_names;
    EXPECT_GT(without, 0u);
    EXPECT_LE(without + 40, with_names) << format;  // the two names have 40 bytes
    for (int round = 3; round <= 10; ++round) put_all(round);
    const auto seen = reader.inlet.seen();
    for (const auto& point : seen.points)
      EXPECT_EQ(point.signal, SignalId{static_cast<std::uint32_t>(point.value) % 10});
    EXPECT_TRUE(seen.rejected.empty()) << format;
  }
}

TEST_F(MqttValues, AreNamedAgainForThoseWhoComeLaterAndAfterTheConnectionBroke) {
  TestBroker broker;
  Publisher publisher(broker.port(), "qos: 1\nname_every: 200ms\nformat: protobuf", {"cell#a"});
  publisher.start();
  double sent = 0;
  const auto reaches = [&](Reader& reader) {  // values keep coming
    return publisher.eventually([&] {
      publisher.put(0, ++sent);
      publisher.outlets.wait_until_settled();
      return !reader.inlet.seen().points.empty();
    });
  };
  publisher.put(0, ++sent);
  publisher.outlets.wait_until_settled();
  {
    Reader late(broker.port(), "qos: 1\nformat: protobuf", {"cell#a"});
    EXPECT_TRUE(reaches(late));
  }
  broker.stop();
  ASSERT_TRUE(publisher.eventually([&] { return !publisher.connector->stats().connected; }));
  broker.start();
  Reader other(broker.port(), "qos: 1\nformat: protobuf", {"cell#a"});
  EXPECT_TRUE(reaches(other));
}

TEST_F(MqttValues, WaitForABrokerThatIsAway) {
  TestBroker broker;
  Publisher publisher(broker.port(), "qos: 1\nbuffer: 1000", {"plant/a"});
  publisher.start();
  publisher.put(0, 1);
  EXPECT_EQ(publisher.outlets.wait_until_settled().delivered, 1u);
  broker.stop();
  ASSERT_TRUE(publisher.eventually([&] { return !publisher.connector->stats().connected; }));
  for (int i = 0; i < 50; ++i) publisher.put(0, i);
  ASSERT_TRUE(publisher.eventually([&] { return publisher.counter("values_buffered") == 50; }));
  EXPECT_EQ(publisher.outlets.account().settled(), 1u);
  broker.start();
  EXPECT_EQ(publisher.outlets.wait_until_settled().delivered, 51u);
  EXPECT_EQ(publisher.counter("values_buffered"), 0u);
}

TEST_F(MqttValues, TheOldestGoesWhenTheBufferIsFullAndTheRestWhenTheNodeStops) {
  const int nobody = free_port();
  Publisher publisher(nobody, "qos: 1\nbuffer: 10", {"plant/a"});
  publisher.start();
  for (int i = 0; i < 25; ++i) publisher.put(0, i);
  ASSERT_TRUE(publisher.eventually([&] { return publisher.outlets.account().settled() == 15; }));
  publisher.connector->stop();
  const auto account = publisher.outlets.account();
  EXPECT_EQ(account.settled(), 25u);
  EXPECT_EQ(account.dropped.at("buffer_full"), 15u);
  EXPECT_EQ(account.dropped.at("not_connected"), 10u);
}

TEST_F(MqttValues, TwoNodesShareASubscription) {
  const TestBroker broker;
  const std::string shared = "qos: 1\nsubscribe: ['$share/line/plant/+']";
  const std::vector<std::string> topics{"plant/a"};
  RecordingInlet seen;
  Publisher publisher(broker.port(), "qos: 1", topics);
  publisher.start();
  Reader first(broker.port(), shared, topics);
  const auto second = make(broker.port(), "other", shared);
  const std::vector<SignalBinding> signals{{SignalId{0}, "a", "plant/a", SignalType::float64, 0, {}, 0}};
  std::vector<Error> errors;
  second->bind(signals, {}, errors);
  SystemClock clock;
  ASSERT_TRUE(second->start({&seen, nullptr, &clock, nullptr, 9}));
  // Until both get some, more values come; then each value has gone to exactly one of them.
  std::uint64_t sent = 0;
  ASSERT_TRUE(publisher.eventually([&] {
    publisher.put(0, static_cast<double>(++sent));
    return !seen.seen().points.empty() && !first.inlet.seen().points.empty();
  }));
  publisher.outlets.wait_until_settled();
  const std::size_t before = first.inlet.seen().points.size() + seen.seen().points.size();
  EXPECT_LE(before, sent);
  second->stop();
}

TEST(MqttFlow, TheBrokersReceiveMaximumIsKept) {
  ScriptedBroker broker({.connack = std::string("\x21\0\x02", 3), .answers = false, .reason = 0, .said = ""});
  Publisher publisher(broker.port(), "qos: 1", {"plant/a"});
  publisher.start();
  for (int i = 0; i < 10; ++i) publisher.put(0, i);
  for (std::size_t answered = 0; answered < 10; ++answered) {
    ASSERT_TRUE(publisher.eventually([&] { return broker.heard().size() == std::min<std::size_t>(answered + 2, 10); }));
    EXPECT_EQ(publisher.outlets.account().settled() <= answered, true);
    broker.answer_one();
    ASSERT_TRUE(publisher.eventually([&] { return publisher.outlets.account().delivered == answered + 1; }));
  }
  const auto heard = broker.heard();
  ASSERT_EQ(heard.size(), 10u);
  for (std::size_t i = 0; i < 10; ++i)
    EXPECT_TRUE(heard[i].payload.starts_with(fmt::format(R"({{"value":{},)", i))) << heard[i].payload;
}

TEST(MqttFlow, ValuesOfOneTopicAreOneMessageWithinTheBrokersLimits) {
  // Receive maximum 1; packets of at most 1000 bytes.
  const std::string limits("\x21\0\x01\x27\0\0\x03\xE8", 8);
  ScriptedBroker broker({.connack = limits, .answers = false, .reason = 0, .said = ""});
  Publisher publisher(broker.port(), "qos: 1\nformat: protobuf", {"cell#" + std::string(100, 'a'), "cell#b", "other"});
  for (int i = 0; i < 10; ++i)
    for (std::uint32_t outlet = 0; outlet < 2; ++outlet) publisher.put(outlet, i);
  publisher.put(2, 7);
  publisher.start();
  std::uint64_t answered = 0;
  ASSERT_TRUE(publisher.eventually([&] {
    if (broker.heard().size() > answered) {
      ++answered;
      broker.answer_one();
    }
    return publisher.outlets.account().delivered == 21;
  })) << publisher.connector->last_error();
  const auto heard = broker.heard();
  EXPECT_LE(heard.size(), 6u);
  std::vector<double> values;
  const auto codec = wire::make_point_codec(wire::PointFormat::protobuf);
  for (const auto& one : heard) {
    EXPECT_LE(one.payload.size(), 1000u);
    EXPECT_EQ(one.topic, &one == &heard.back() ? "other" : "cell");
    std::vector<wire::Point> points;
    const std::span payload(reinterpret_cast<const std::uint8_t*>(one.payload.data()), one.payload.size());
    ASSERT_EQ(codec->read(payload, {}, points), wire::PayloadFault::none);
    for (const wire::Point& point : points) values.push_back(point.value);
  }
  EXPECT_EQ(values, (std::vector<double>{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 7}));
}

TEST(MqttFlow, AMessageThatComesBackIsSentAgainWhole) {
  ScriptedBroker broker({.connack = "", .answers = false, .reason = 0, .said = ""});
  Publisher publisher(broker.port(), "qos: 1\nformat: messagepack", {"cell#a", "cell#b"});
  for (std::uint32_t outlet = 0; outlet < 2; ++outlet) publisher.put(outlet, 1);
  publisher.start();
  ASSERT_TRUE(publisher.eventually([&] { return broker.heard().size() == 1; }));
  EXPECT_EQ(publisher.counter("values_buffered"), 2u);
  publisher.connector->stop();
  EXPECT_EQ(publisher.outlets.account().dropped.at("not_connected"), 2u);
}

TEST(MqttFlow, ABrokerThatNeverAnswersCostsNothingButTheBuffer) {
  ScriptedBroker broker({.connack = "", .answers = false, .reason = 0, .said = ""});
  Publisher publisher(broker.port(), "qos: 1\nbuffer: 20", {"plant/a"});
  publisher.start();
  for (int i = 0; i < 50; ++i) publisher.put(0, i);
  ASSERT_TRUE(publisher.eventually([&] { return publisher.outlets.account().settled() >= 30; }));
  const Nanos before = publisher.clock.monotonic();
  publisher.connector->stop();
  EXPECT_LT(publisher.clock.monotonic() - before, 5 * kSecond);
  const auto account = publisher.outlets.account();
  EXPECT_EQ(account.delivered, 0u);
  EXPECT_EQ(account.settled(), 50u);
}

TEST(MqttFlow, TopicsAreSentByNumberAfterTheirFirstMessage) {
  ScriptedBroker broker({.connack = std::string("\x22\0\x01", 3), .answers = true, .reason = 0, .said = ""});
  Publisher publisher(broker.port(), "qos: 1\nretain: true\nmessage_expiry: 90s", {"plant/a", "plant/b"});
  publisher.start();
  for (int i = 0; i < 2; ++i)
    for (std::uint32_t outlet = 0; outlet < 2; ++outlet) publisher.put(outlet, i);
  EXPECT_EQ(publisher.outlets.wait_until_settled().delivered, 4u);
  const auto heard = broker.heard();
  ASSERT_EQ(heard.size(), 4u);
  EXPECT_EQ(heard[0].topic, "plant/a");
  EXPECT_EQ(heard[0].alias, 1);
  EXPECT_EQ(heard[2].topic, "");
  EXPECT_EQ(heard[2].alias, 1);
  for (const std::size_t i : {1, 3}) {  // the broker remembers one topic only
    EXPECT_EQ(heard[i].topic, "plant/b");
    EXPECT_EQ(heard[i].alias, 0);
  }
  for (const auto& one : heard) {
    EXPECT_TRUE(one.retain);
    EXPECT_EQ(one.qos, 1);
    EXPECT_EQ(one.expiry, 90u);
  }
}

TEST(MqttFlow, ARefusalNamesTopicReasonAndTheBrokersWords) {
  ScriptedBroker broker({.connack = "", .answers = true, .reason = 0x97, .said = "daily quota used up"});
  Publisher publisher(broker.port(), "qos: 1", {"plant/a"});
  publisher.start();
  publisher.put(0, 1);
  EXPECT_EQ(publisher.outlets.wait_until_settled().dropped.at("refused_by_broker"), 1u);
  EXPECT_TRUE(publisher.eventually([&] { return publisher.connector->stats().errors == 1; }));
  EXPECT_TRUE(publisher.eventually([&] { return !publisher.connector->last_error().empty(); }));
  EXPECT_EQ(publisher.connector->last_error(),
            "the broker refuses values to plant/a: Quota exceeded (0x97), \"daily quota used up\"");
}

TEST(MqttFlow, WhatTheBrokerCanNotTakeIsLoweredOrDropped) {
  // Maximum QoS 0, no retained messages, packets of at most 150 bytes.
  const std::string limits("\x24\0\x25\0\x27\0\0\0\x96", 9);
  ScriptedBroker broker({.connack = limits, .answers = true, .reason = 0, .said = ""});
  Publisher publisher(broker.port(), "qos: 1\nretain: true", {"a", "plant/" + std::string(100, 'x')});
  publisher.start();
  publisher.put(1, 1);
  publisher.put(0, 2);
  const auto account = publisher.outlets.wait_until_settled();
  EXPECT_EQ(account.delivered, 1u);
  EXPECT_EQ(account.dropped.at("too_large"), 1u);
  ASSERT_TRUE(publisher.eventually([&] { return broker.heard().size() == 1; }));
  EXPECT_EQ(broker.heard()[0].qos, 0);
  EXPECT_FALSE(broker.heard()[0].retain);
}

TEST(MqttFlow, ConnectSaysSessionExpiryAndReceiveMaximum) {
  ScriptedBroker broker({});
  Publisher publisher(broker.port(), "qos: 1\nclean_start: false\nsession_expiry: 1h\nreceive_maximum: 7", {"a"});
  publisher.start();
  ASSERT_TRUE(publisher.eventually([&] { return publisher.connector->stats().connected.load(); }));
  const std::string packet = broker.connect_packet();
  EXPECT_NE(packet.find(std::string("\x11\0\0\x0E\x10", 5)), std::string::npos) << "session expiry 3600";
  EXPECT_NE(packet.find(std::string("\x21\0\x07", 3)), std::string::npos) << "receive maximum 7";
  EXPECT_EQ(packet.find(std::string("\x22\0", 2)), std::string::npos) << "no topic alias towards us";
}

TEST(MqttValueTopics, BadAddressesAreRefusedWithTheirPlace) {
  const auto connector = make(1, "x", "");
  std::vector<OutletBinding> bindings(3);
  bindings[0].address = "plant/+/a";
  bindings[1].address = bindings[2].address = "plant/a";
  for (OutletBinding& binding : bindings) {
    binding.name = "press.health";
    binding.where = {"site.yaml", 3, 4};
  }
  std::vector<Error> errors;
  connector->bind_outlets(bindings, errors);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_NE(errors[0].text().find("site.yaml:3:4: press.health: topic 'plant/+/a' has a wildcard"), std::string::npos)
      << errors[0].text();
  EXPECT_NE(errors[1].text().find("gets another value already"), std::string::npos) << errors[1].text();
}

TEST(MqttValueTopics, NamesOfPointsAreForFormatsOfPoints) {
  std::vector<OutletBinding> bindings(3);
  bindings[0].address = "cell#a";
  bindings[1].address = "cell#b";
  bindings[2].address = "cell#a";
  std::vector<Error> errors;
  make(1, "x", "format: protobuf")->bind_outlets(bindings, errors);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_NE(errors[0].text().find("'cell#a' gets another value already"), std::string::npos) << errors[0].text();
  errors.clear();
  make(1, "x", "format: json")->bind_outlets(bindings, errors);
  EXPECT_EQ(errors.size(), 3u);
}

}  // namespace
}  // namespace alara::mqtt
