// SPDX-License-Identifier: Apache-2.0
// The edge node in virtual time: what it says, in which order, and what becomes of each value.
#include <gtest/gtest.h>

#include "connect/mqtt/edge_node.hpp"
#include "core/fakes.hpp"
#include "tests/contract/sparkplug_reader.hpp"

namespace alara::mqtt {
namespace {

using contract::read_sparkplug;
using contract::SeenMetric;
using contract::SeenPayload;
using testing::FakeOutlets;
using testing::RecordingInlet;

constexpr Nanos kWall = 1'764'088'797'123 * kMillisecond;

class FakeOutput final : public EdgeOutput {
 public:
  struct Sent {
    std::string topic;
    SeenPayload payload;
    std::size_t values = 0;
  };
  bool send(EdgeMessage&& message) override {
    if (broken) return false;
    const auto payload = read_sparkplug(message.payload);
    EXPECT_TRUE(payload.has_value()) << message.topic;
    sent.push_back({message.topic, payload.value_or(SeenPayload{}), message.values.size()});
    if (outlets != nullptr) outlets->delivered(message.values.size());
    return true;
  }
  std::size_t unsent_values() const override { return unsent; }
  void leave(std::string_view why) override { left = why; }

  // The messages since the last call: "NBIRTH/edge", "DDATA/edge/cell".
  std::vector<std::string> topics() {
    std::vector<std::string> out;
    for (const Sent& one : sent) out.push_back(one.topic.substr(std::string("spBv1.0/plant/").size()));
    return out;
  }

  FakeOutlets* outlets = nullptr;
  std::vector<Sent> sent;
  std::string left;
  std::size_t unsent = 0;
  bool broken = false;
};

class Edge : public ::testing::Test {
 protected:
  Edge() {
    settings_.group = "plant";
    settings_.edge_node = "edge";
    settings_.store = 100;
    output_.outlets = &outlets_;
  }
  void make() {
    node_ = std::make_unique<EdgeNode>(settings_, output_);
    const std::vector<std::string> addresses{"cell/speed", "cell/level", "press/force", "load"};
    for (std::uint32_t i = 0; i < addresses.size(); ++i) {
      OutletBinding outlet;
      outlet.outlet = OutletId{i};
      outlet.address = addresses[i];
      if (i == 0) outlet.unit = *Unit::parse("m/s");
      if (i == 1) outlet.boolean = true;
      if (i == 2) outlet.type = SignalType::int16;
      ASSERT_TRUE(node_->add_outlet(outlet));
    }
    ASSERT_TRUE(node_->add_command({SignalId{7}, "set", "cell/set", SignalType::int32, 0, {}, 0}));
    ASSERT_TRUE(node_->add_command({SignalId{8}, "mode", "mode", SignalType::float64, 0, {}, 0}));
  }
  void begin(std::uint8_t bd_seq = 3) { node_->session_began(bd_seq, now_, 0), node_->step(now_); }
  void put(std::uint32_t outlet, double value, Quality quality = Quality::good) {
    outlets_.put({OutletId{outlet}, value, now_.wall, quality, 0});
    node_->take(outlets_, now_);
    node_->step(now_);
  }
  void pass(Nanos time) {
    now_.wall += time;
    now_.monotonic += time;
    node_->step(now_);
  }
  void hear(const std::string& topic, const std::string& payload) {
    node_->received(topic, {reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size()}, now_, inlet_);
    node_->step(now_);
  }
  void command(const std::string& topic, std::vector<EdgeMetric> metrics) {
    std::string payload;
    encode_edge_payload(now_.wall, std::nullopt, metrics, payload);
    hear(topic, payload);
  }
  void state(bool online, int seconds) {
    hear("spBv1.0/STATE/scada",
         fmt::format(R"({{"online":{},"timestamp":{}}})", online, kWall / kMillisecond + 1000 * seconds));
  }
  static EdgeMetric named(std::string_view name, double value, SignalType type = SignalType::float64) {
    EdgeMetric metric;
    metric.name = name;
    metric.value = value;
    metric.type = type;
    return metric;
  }
  const FakeOutput::Sent& last() { return output_.sent.back(); }
  static const SeenMetric& metric(const FakeOutput::Sent& sent, std::string_view name) {
    for (const SeenMetric& one : sent.payload.metrics)
      if (one.name == name) return one;
    ADD_FAILURE() << sent.topic << " has no metric " << name;
    static const SeenMetric kNone;
    return kNone;
  }
  void expect_account() {
    const auto account = outlets_.account();
    EXPECT_EQ(account.published, account.settled() + node_->stored());
  }

  EdgeSettings settings_;
  FakeOutput output_;
  FakeOutlets outlets_;
  RecordingInlet inlet_;
  std::unique_ptr<EdgeNode> node_;
  EdgeInstant now_{kWall, 100 * kSecond};
};

using Topics = std::vector<std::string>;

TEST_F(Edge, IsBornWithAllItsMetricsBeforeAnyData) {
  make();
  put(0, 1.5);
  EXPECT_TRUE(output_.sent.empty()) << "nothing before the birth";
  begin(17);
  ASSERT_EQ(output_.topics(), (Topics{"NBIRTH/edge", "DBIRTH/edge/cell", "DBIRTH/edge/press", "DDATA/edge/cell"}));
  const auto& birth = output_.sent[0];
  EXPECT_EQ(birth.payload.seq, 0u);
  EXPECT_EQ(birth.payload.time, kWall / kMillisecond);
  EXPECT_EQ(metric(birth, "bdSeq").value, 17);
  EXPECT_EQ(metric(birth, "bdSeq").type, 4u);
  EXPECT_EQ(metric(birth, "Node Control/Rebirth").value, 0);
  EXPECT_EQ(metric(birth, "Node Control/Rebirth").type, 11u);
  EXPECT_TRUE(metric(birth, "load").null);
  EXPECT_TRUE(metric(birth, "mode").null);
  const auto& cell = output_.sent[1];
  EXPECT_EQ(cell.payload.seq, 1u);
  EXPECT_EQ(cell.payload.metrics.size(), 3u);
  EXPECT_EQ(metric(cell, "speed").value, 1.5);
  EXPECT_EQ(metric(cell, "speed").unit, "m/s");
  EXPECT_EQ(metric(cell, "speed").quality, 192);
  EXPECT_EQ(metric(cell, "level").type, 11u);
  EXPECT_EQ(metric(cell, "set").type, 3u);
  EXPECT_EQ(metric(output_.sent[2], "force").type, 2u);
}

TEST_F(Edge, ItsDeathHasTheNumberOfItsBirthAndNoSequence) {
  make();
  const auto death = read_sparkplug(node_->death_payload(17, kWall));
  ASSERT_TRUE(death);
  EXPECT_FALSE(death->seq);
  ASSERT_EQ(death->metrics.size(), 1u);
  EXPECT_EQ(death->metrics[0].name, "bdSeq");
  EXPECT_EQ(death->metrics[0].value, 17);
}

TEST_F(Edge, AliasesAreUniqueAndStandForNamesInData) {
  make();
  begin();
  std::map<std::uint64_t, std::string> names;
  for (const auto& sent : output_.sent)
    for (const SeenMetric& one : sent.payload.metrics)
      if (one.alias) {
        EXPECT_TRUE(names.emplace(*one.alias, one.name).second) << one.name;
      }
  EXPECT_EQ(names.size(), 6u);
  EXPECT_FALSE(metric(output_.sent[0], "Node Control/Rebirth").alias) << "never has one";
  put(0, 2.5);
  EXPECT_EQ(last().topic, "spBv1.0/plant/DDATA/edge/cell");
  ASSERT_EQ(last().payload.metrics.size(), 1u);
  EXPECT_EQ(last().payload.metrics[0].name, "");
  EXPECT_EQ(names.at(*last().payload.metrics[0].alias), "speed");
  put(3, 9);
  EXPECT_EQ(last().topic, "spBv1.0/plant/NDATA/edge");
  EXPECT_EQ(names.at(*last().payload.metrics[0].alias), "load");
}

TEST_F(Edge, WithoutAliasesDataHasNames) {
  settings_.aliases = false;
  make();
  begin();
  put(0, 2.5);
  EXPECT_EQ(metric(last(), "speed").value, 2.5);
  EXPECT_FALSE(metric(last(), "speed").alias);
}

TEST_F(Edge, TheSequenceGoesTo255AndOverToZero) {
  make();
  begin();
  for (int i = 0; i < 600; ++i) put(static_cast<std::uint32_t>(i % 4), i);
  std::uint64_t expected = 0;
  for (const auto& sent : output_.sent) EXPECT_EQ(sent.payload.seq, expected++ % 256) << sent.topic;
  EXPECT_GT(expected, 600u);
  expect_account();
}

TEST_F(Edge, QualityIsTold) {
  make();
  begin();
  put(0, 1, Quality::uncertain);
  EXPECT_EQ(last().payload.metrics[0].quality, 500);
  put(0, NAN, Quality::bad);
  EXPECT_EQ(last().payload.metrics[0].quality, 0);
  EXPECT_TRUE(last().payload.metrics[0].null);
  put(0, 2);
  EXPECT_EQ(last().payload.metrics[0].quality, 192) << "good again must be said";
  put(0, 3);
  EXPECT_FALSE(last().payload.metrics[0].quality) << "and only once";
}

TEST_F(Edge, ARebirthComesWithoutANewSessionAndNotTooOften) {
  make();
  begin(5);
  output_.sent.clear();
  pass(10 * kSecond);
  command("spBv1.0/plant/NCMD/edge", {named("Node Control/Rebirth", 1, SignalType::boolean)});
  EXPECT_EQ(output_.topics(), (Topics{"NBIRTH/edge", "DBIRTH/edge/cell", "DBIRTH/edge/press"}));
  EXPECT_EQ(metric(output_.sent[0], "bdSeq").value, 5);
  EXPECT_EQ(output_.sent[0].payload.seq, 0u);
  output_.sent.clear();
  for (int i = 0; i < 50; ++i)
    command("spBv1.0/plant/NCMD/edge", {named("Node Control/Rebirth", 1, SignalType::boolean)});
  put(0, 4);
  EXPECT_TRUE(output_.sent.empty()) << "no data between the request and the birth";
  EXPECT_EQ(node_->due(), now_.monotonic + settings_.birth_spacing);
  pass(settings_.birth_spacing);
  EXPECT_EQ(output_.topics(), (Topics{"NBIRTH/edge", "DBIRTH/edge/cell", "DBIRTH/edge/press", "DDATA/edge/cell"}));
  EXPECT_TRUE(last().payload.metrics[0].historical);
  EXPECT_EQ(node_->counts().rebirths_asked, 51u);
  EXPECT_EQ(node_->counts().births, 3u);
  expect_account();
}

TEST_F(Edge, CommandsToBoundMetricsBecomeSamplesAndNothingElseCanBeWritten) {
  make();
  begin();
  output_.sent.clear();
  command("spBv1.0/plant/DCMD/edge/cell",
          {named("set", -42, SignalType::int32), named("speed", 1), named("nothing", 1)});
  command("spBv1.0/plant/NCMD/edge", {named("mode", 2.5)});
  command("spBv1.0/plant/DCMD/edge/other", {named("set", 1)});
  EdgeMetric null = named("mode", 0);
  null.null = true;
  command("spBv1.0/plant/NCMD/edge", {null});
  hear("spBv1.0/plant/NCMD/edge", "\xff\xff\xff");
  const auto seen = inlet_.seen();
  ASSERT_EQ(seen.points.size(), 2u);
  EXPECT_EQ(seen.points[0].signal, SignalId{7});
  EXPECT_EQ(seen.points[0].value, -42);
  EXPECT_EQ(seen.points[1].signal, SignalId{8});
  EXPECT_EQ(seen.points[1].value, 2.5);
  EXPECT_EQ(seen.rejected,
            (std::map<std::string, std::uint64_t>{
                {"malformed", 1}, {"missing", 1}, {"not_writable", 1}, {"unknown_device", 1}, {"unknown_metric", 1}}));
  ASSERT_EQ(output_.topics(), (Topics{"DDATA/edge/cell", "NDATA/edge"})) << "the new values are told";
  EXPECT_EQ(output_.sent[0].payload.metrics[0].value, -42);
}

TEST_F(Edge, CommandsByAlias) {
  make();
  begin();
  EdgeMetric by_alias = named("", 3);
  by_alias.alias = metric(output_.sent[0], "mode").alias;
  command("spBv1.0/plant/NCMD/edge", {by_alias});
  ASSERT_EQ(inlet_.seen().points.size(), 1u);
  EXPECT_EQ(inlet_.seen().points[0].signal, SignalId{8});
  by_alias.alias = metric(output_.sent[1], "set").alias;  // of a device, not of the node
  command("spBv1.0/plant/NCMD/edge", {by_alias});
  EXPECT_EQ(inlet_.seen().rejected.at("unknown_metric"), 1u);
}

TEST_F(Edge, ADeviceWhoseValuesAreAllBadDiesAndIsBornAgain) {
  make();
  begin();
  put(0, 1);
  put(1, 1);
  output_.sent.clear();
  put(0, 1, Quality::bad);
  put(1, 0, Quality::bad);
  EXPECT_EQ(output_.topics(), (Topics{"DDATA/edge/cell", "DDEATH/edge/cell"}));
  EXPECT_TRUE(last().payload.seq);
  put(0, 1, Quality::bad);
  EXPECT_EQ(outlets_.account().dropped.at("device_dead"), 1u);
  output_.sent.clear();
  put(0, 2);
  EXPECT_TRUE(output_.sent.empty()) << "too soon after the last birth";
  pass(settings_.birth_spacing);
  EXPECT_EQ(output_.topics(), (Topics{"DBIRTH/edge/cell", "DDATA/edge/cell"}));
  EXPECT_EQ(metric(output_.sent[0], "speed").value, 2);
  expect_account();
}

TEST_F(Edge, WaitsForItsPrimaryHostAndLeavesWithIt) {
  settings_.primary_host = "scada";
  make();
  begin();
  pass(10 * kSecond);
  EXPECT_TRUE(output_.sent.empty());
  state(false, 1);
  put(0, 1);
  EXPECT_TRUE(output_.sent.empty());
  state(true, 2);
  EXPECT_EQ(output_.topics(), (Topics{"NBIRTH/edge", "DBIRTH/edge/cell", "DBIRTH/edge/press", "DDATA/edge/cell"}));
  EXPECT_TRUE(last().payload.metrics[0].historical);
  EXPECT_EQ(last().payload.metrics[0].time, kWall / kMillisecond + 10'000);
  state(false, 1);  // older than what is known
  EXPECT_EQ(output_.left, "");
  hear("spBv1.0/STATE/scada", "OFFLINE");
  EXPECT_EQ(output_.left, "") << "not a state of version 3";
  state(false, 3);
  EXPECT_EQ(output_.left, "primary host scada went offline");
  output_.sent.clear();
  put(0, 2);
  EXPECT_TRUE(output_.sent.empty());
  node_->session_ended({}, &outlets_);
  node_->session_began(4, now_, 0);
  state(false, 3);  // retained
  pass(10 * kSecond);
  EXPECT_TRUE(output_.sent.empty());
  state(true, 4);
  EXPECT_EQ(metric(output_.sent[0], "bdSeq").value, 4);
  EXPECT_TRUE(last().payload.metrics[0].historical);
  expect_account();
}

TEST_F(Edge, StoresWithinBoundsAndTellsHistoryInOrder) {
  make();
  begin();
  node_->session_ended({}, &outlets_);
  for (int i = 0; i < 250; ++i) put(0, i);
  EXPECT_EQ(node_->stored(), 100u);
  EXPECT_EQ(outlets_.account().dropped.at("store_full"), 150u);
  output_.sent.clear();
  begin(4);
  std::vector<double> history;
  for (const auto& sent : output_.sent)
    for (const SeenMetric& one : sent.payload.metrics)
      if (one.historical) history.push_back(one.value);
  ASSERT_EQ(history.size(), 100u);
  for (std::size_t i = 0; i < history.size(); ++i) EXPECT_EQ(history[i], 150. + static_cast<double>(i));
  EXPECT_EQ(node_->stored(), 0u);
  expect_account();
}

TEST_F(Edge, ABrokenConnectionLosesNoValue) {
  make();
  begin();
  output_.broken = true;
  for (std::uint32_t i = 0; i < 4; ++i) put(i, 1);
  output_.broken = false;
  node_->session_ended({}, &outlets_);
  EXPECT_EQ(node_->stored(), 4u);
  begin();
  EXPECT_EQ(node_->stored(), 0u);
  EXPECT_EQ(outlets_.account().delivered, 4u);
}

TEST_F(Edge, AFullSocketMeansTheStore) {
  make();
  begin();
  output_.unsent = kMaxUnsentValues;
  put(0, 1);
  EXPECT_EQ(node_->stored(), 1u);
  output_.unsent = 0;
  pass(kMillisecond);
  EXPECT_EQ(node_->stored(), 0u);
  expect_account();
}

TEST_F(Edge, TheFirstBirthWaitsItsRandomTime) {
  make();
  node_->session_began(0, now_, 300 * kMillisecond);
  pass(299 * kMillisecond);
  EXPECT_TRUE(output_.sent.empty());
  pass(kMillisecond);
  EXPECT_FALSE(output_.sent.empty());
}

}  // namespace
}  // namespace alara::mqtt
