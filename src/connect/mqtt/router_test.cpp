// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/router.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <new>

#include "core/fakes.hpp"

namespace {
std::atomic<std::size_t> allocations{0};
}
// This test program counts every allocation.
void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  std::abort();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return operator new(size); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace alara::mqtt {
namespace {

constexpr Nanos kWall = 1'700'000'000 * kSecond;
constexpr Nanos kPayloadTime = 1'600'000'000 * kSecond;

struct Bench {
  explicit Bench(Format format, wire::PointFormat points = wire::PointFormat::protobuf) {
    settings.format = format;
    settings.points = points;
    router = std::make_unique<Router>(settings);
  }
  void bind(std::uint32_t id, std::string_view address, double rate_hz = 0) {
    SignalBinding signal;
    signal.signal = static_cast<SignalId>(id);
    signal.rate_hz = rate_hz;
    const Status added = router->add(parse_address(address).value(), signal);
    ASSERT_TRUE(added.has_value()) << added.error().text();
  }
  void deliver(std::string_view topic, std::string_view payload, bool retained = false) {
    router->seal();
    const std::span bytes(reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size());
    router->deliver({topic, bytes, retained, kWall, 7}, inlet);
    seen = inlet.seen();
    inlet.clear();
  }
  void deliver_array(std::string_view topic, const wire::ArrayHeader& header, const std::vector<double>& values) {
    std::vector<std::uint8_t> bytes;
    wire::write_array(header, values, bytes);
    deliver(topic, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  void deliver_points(std::string_view topic, const std::vector<wire::Point>& points, bool retained = false) {
    std::string bytes;
    wire::make_point_codec(settings.points)->write(points, bytes);
    deliver(topic, bytes, retained);
  }
  std::vector<double> values() const {
    std::vector<double> out;
    for (const auto& point : seen.points) out.push_back(point.value);
    return out;
  }

  Settings settings;
  std::unique_ptr<Router> router;
  testing::RecordingInlet inlet;
  testing::RecordingInlet::Seen seen;
};

TEST(MqttRouter, OneTopicFeedsManySignals) {
  Bench bench(Format::array);
  for (std::uint32_t i = 0; i < 100; ++i) bench.bind(i, "gw#[" + std::to_string(i) + "]");
  std::vector<double> values(100);
  for (std::size_t i = 0; i < 100; ++i) values[i] = static_cast<double>(i) * 0.5;
  bench.deliver_array("gw", {wire::ElementType::float32, kPayloadTime, 0}, values);
  ASSERT_EQ(bench.seen.points.size(), 100u);
  EXPECT_EQ(bench.seen.batches, 1u);
  EXPECT_EQ(bench.values(), values);
  EXPECT_EQ(bench.seen.points[99].signal, SignalId{99});
  EXPECT_EQ(bench.seen.points[99].time, kPayloadTime);
  EXPECT_EQ(bench.seen.points[99].arrival, 7);
}

TEST(MqttRouter, ElementsGoWhereTheTableSays) {
  Bench bench(Format::array);
  bench.bind(5, "gw#[2]");
  bench.bind(6, "gw#[0]");
  bench.bind(7, "gw#[2]");
  bench.bind(8, "gw#[9]");
  bench.deliver_array("gw", {wire::ElementType::float64, std::nullopt, 0}, {10, 11, 12});
  EXPECT_EQ(bench.values(), (std::vector<double>{10, 12, 12}));
  EXPECT_EQ(bench.seen.points[0].signal, SignalId{6});
  EXPECT_EQ(bench.seen.points[0].time, kWall);
  EXPECT_EQ(bench.seen.rejected.at("missing"), 1u);
}

TEST(MqttRouter, OnlyThePointThatIsNotFiniteIsLost) {
  Bench bench(Format::array);
  for (std::uint32_t i = 0; i < 3; ++i) bench.bind(i, "gw#[" + std::to_string(i) + "]");
  bench.deliver_array("gw", {wire::ElementType::float32, kPayloadTime, 0},
                      {1, std::numeric_limits<double>::quiet_NaN(), 3});
  EXPECT_EQ(bench.values(), (std::vector<double>{1, 3}));
  EXPECT_EQ(bench.seen.points[1].signal, SignalId{2});
  EXPECT_EQ(bench.seen.rejected.at("not_finite"), 1u);
}

TEST(MqttRouter, AnArrayWithoutPathIsAWaveform) {
  Bench bench(Format::array);
  bench.bind(1, "vib");
  bench.deliver_array("vib", {wire::ElementType::int16, kPayloadTime, 100 * kMicrosecond}, {1, 2, 3});
  EXPECT_EQ(bench.seen.blocks, 1u);
  EXPECT_EQ(bench.seen.points[2].time, kPayloadTime + 200 * kMicrosecond);
  bench.deliver_array("vib", {wire::ElementType::int16, kPayloadTime, 0}, {1, 2, 3});
  EXPECT_TRUE(bench.seen.points.empty());
  EXPECT_EQ(bench.seen.rejected.at("no_rate"), 3u);
}

TEST(MqttRouter, TheDeclaredRateSpacesAWaveformThatEndsNow) {
  Bench bench(Format::bare);
  bench.settings.element = wire::ElementType::int16;
  bench.bind(1, "vib", 1000);
  bench.deliver("vib", std::string_view("\1\0\2\0\3\0", 6));
  ASSERT_EQ(bench.seen.points.size(), 3u);
  EXPECT_EQ(bench.seen.points[0].time, kWall - 2 * kMillisecond);
  EXPECT_EQ(bench.seen.points[2].time, kWall);
}

TEST(MqttRouter, AWaveformKeepsItsPaceAcrossABadSample) {
  Bench bench(Format::array);
  bench.bind(1, "vib");
  bench.deliver_array("vib", {wire::ElementType::float32, kPayloadTime, kMillisecond},
                      {1, std::numeric_limits<double>::infinity(), 3});
  ASSERT_EQ(bench.seen.points.size(), 3u);
  EXPECT_EQ(bench.seen.points[1].quality, Quality::bad);
  EXPECT_EQ(bench.seen.points[2].quality, Quality::good);
  EXPECT_EQ(bench.seen.points[2].time, kPayloadTime + 2 * kMillisecond);
}

TEST(MqttRouter, JsonMembersGoToTheirSignals) {
  Bench bench(Format::json);
  bench.bind(1, "state#temperature");
  bench.bind(2, "state#a.b[1]");
  bench.bind(3, "state#gone");
  bench.bind(4, "plain");
  bench.deliver(
      "state",
      R"({"temperature": 21.5, "a": {"b": [1, {"v": 2, "q": "uncertain", "t": 1600000001}]}, "ts": 1600000000000})");
  ASSERT_EQ(bench.seen.points.size(), 2u);
  EXPECT_EQ(bench.seen.points[0].time, kPayloadTime);
  EXPECT_EQ(bench.seen.points[1].time, kPayloadTime + kSecond);
  EXPECT_EQ(bench.seen.points[1].quality, Quality::uncertain);
  EXPECT_EQ(bench.seen.rejected.at("missing"), 1u);
  bench.deliver("plain", "42");
  EXPECT_EQ(bench.values(), std::vector<double>{42});
}

TEST(MqttRouter, ArrivalTimeCanReplaceThePayloads) {
  Bench bench(Format::json);
  bench.settings.time = TimeFrom::arrival;
  bench.bind(1, "a");
  bench.deliver("a", R"({"v":1,"t":1600000000})");
  EXPECT_EQ(bench.seen.points[0].time, kWall);
}

TEST(MqttRouter, ARetainedValueOfUnknownAgeIsUncertain) {
  Bench bench(Format::json);
  bench.bind(1, "a");
  bench.deliver("a", "5", true);
  EXPECT_EQ(bench.seen.points[0].quality, Quality::uncertain);
  bench.deliver("a", R"({"v":1,"t":1600000000})", true);
  EXPECT_EQ(bench.seen.points[0].quality, Quality::good);
}

TEST(MqttRouter, EveryBadPayloadIsCountedByItsReason) {
  Bench bench(Format::json);
  bench.settings.limits.bytes = 100;
  bench.bind(1, "a#x");
  bench.bind(2, "a#y");
  const std::vector<std::pair<std::string, std::string>> cases{
      {R"({"x": 1, "y")", "truncated"}, {std::string(101, ' '), "too_large"}, {"{x:1}", "malformed"},
      {"{\"x\":\"\xff\"}", "not_utf8"}, {R"({"t":"soon"})", "bad_time"},      {std::string(40, '['), "too_deep"}};
  for (const auto& [payload, reason] : cases) {
    bench.deliver("a", payload);
    EXPECT_TRUE(bench.seen.points.empty()) << reason;
    ASSERT_EQ(bench.seen.rejected.size(), 1u) << reason;
    EXPECT_EQ(bench.seen.rejected.at(reason), 2u);
  }
  bench.deliver("a", R"({"x":"hot","y":NaN})");
  EXPECT_EQ(bench.seen.rejected.at("wrong_type"), 1u);
  EXPECT_EQ(bench.seen.rejected.at("not_finite"), 1u);
  bench.deliver("other", "1");
  EXPECT_EQ(bench.seen.rejected.at("unknown_topic"), 1u);
}

TEST(MqttRouter, BadPathsAreRefusedAtLoadTime) {
  Bench bench(Format::array);
  for (const std::string_view path : {"x", "[70000]", "[a]", "[1", "[]"})
    EXPECT_FALSE(bench.router->add({"t", std::string(path)}, {}).has_value()) << path;
}

constexpr wire::PointFormat kPointFormats[] = {wire::PointFormat::protobuf, wire::PointFormat::flatbuffers,
                                               wire::PointFormat::messagepack};

TEST(MqttRouter, PointsGoToTheSignalsOfTheirNames) {
  for (const wire::PointFormat format : kPointFormats) {
    Bench bench(Format::points, format);
    bench.bind(1, "cell#cnc-07/temperature");
    bench.bind(2, "cell#cnc-07/speed");
    bench.bind(3, "cell#cnc-07/speed");
    bench.bind(4, "cell#gone");
    bench.bind(5, "plain");
    bench.deliver_points("cell", {{.name = "cnc-07/speed", .value = 900, .time = kPayloadTime},
                                  {.name = "cnc-08/speed", .value = 901, .time = kPayloadTime},
                                  {.name = "cnc-07/temperature",
                                   .value = 21.5,
                                   .time = kPayloadTime + kSecond,
                                   .quality = Quality::uncertain,
                                   .unit = "degC"},
                                  {.name = "cnc-07/speed", .value = 902}});
    EXPECT_EQ(bench.values(), (std::vector<double>{900, 900, 21.5, 902, 902}));
    EXPECT_EQ(bench.seen.batches, 1u);
    EXPECT_EQ(bench.seen.points[0].signal, SignalId{2});
    EXPECT_EQ(bench.seen.points[1].signal, SignalId{3});
    EXPECT_EQ(bench.seen.points[1].time, kPayloadTime);
    EXPECT_EQ(bench.seen.points[2].signal, SignalId{1});
    EXPECT_EQ(bench.seen.points[2].time, kPayloadTime + kSecond);
    EXPECT_EQ(bench.seen.points[2].quality, Quality::uncertain);
    EXPECT_EQ(bench.seen.points[4].time, kWall);
    EXPECT_EQ(bench.seen.points[4].arrival, 7);
    EXPECT_TRUE(bench.seen.rejected.empty());
    bench.deliver_points("plain", {{.value = 42, .time = kPayloadTime}});
    EXPECT_EQ(bench.values(), std::vector<double>{42});
  }
}

TEST(MqttRouter, AnAliasStandsForTheNameItCameWith) {
  for (const wire::PointFormat format : kPointFormats) {
    Bench bench(Format::points, format);
    bench.bind(1, "cell#a");
    bench.bind(2, "cell#b");
    bench.bind(3, "other#a");
    bench.deliver_points("cell", {{.alias = 1, .value = 1}});
    EXPECT_EQ(bench.seen.rejected.at("unknown_alias"), 1u);
    bench.deliver_points("cell", {{.name = "a", .alias = 1, .value = 2}, {.name = "x", .alias = 9, .value = 3}});
    EXPECT_EQ(bench.values(), std::vector<double>{2});
    bench.deliver_points("cell", {{.alias = 9, .value = 4}, {.alias = 1, .value = 5}});
    EXPECT_EQ(bench.values(), std::vector<double>{5});
    EXPECT_TRUE(bench.seen.rejected.empty());
    bench.deliver_points("cell", {{.name = "b", .alias = 1, .value = 6}});  // the sender has started anew
    bench.deliver_points("cell", {{.alias = 1, .value = 7}});
    ASSERT_EQ(bench.seen.points.size(), 1u);
    EXPECT_EQ(bench.seen.points[0].signal, SignalId{2});
    bench.deliver_points("other", {{.alias = 1, .value = 8}});  // each topic has its own
    EXPECT_EQ(bench.seen.rejected.at("unknown_alias"), 1u);
  }
}

TEST(MqttRouter, AliasesOfOneTopicAreRememberedWithinBounds) {
  Bench bench(Format::points);
  bench.bind(1, "cell#wanted");
  for (std::uint32_t alias = 1; alias <= kMaxAliases; ++alias)
    bench.deliver_points("cell", {{.name = "other", .alias = alias, .value = 1}});
  bench.deliver_points("cell", {{.name = "wanted", .alias = kMaxAliases + 1, .value = 2}});
  EXPECT_EQ(bench.values(), std::vector<double>{2});
  bench.deliver_points("cell", {{.alias = kMaxAliases + 1, .value = 3}});
  EXPECT_EQ(bench.seen.rejected.at("unknown_alias"), 1u);
}

TEST(MqttRouter, WhatIsWrongWithPointsIsCountedByItsReason) {
  for (const wire::PointFormat format : kPointFormats) {
    Bench bench(Format::points, format);
    bench.bind(1, "cell#a");
    bench.bind(2, "cell#b");
    bench.deliver_points("cell", {{.name = "a", .value = std::numeric_limits<double>::infinity()},
                                  {.name = "b", .value = 1},
                                  {.name = "c", .value = std::numeric_limits<double>::quiet_NaN()}});
    EXPECT_EQ(bench.values(), std::vector<double>{1});
    EXPECT_EQ(bench.seen.rejected.at("not_finite"), 1u);
    bench.deliver_points("cell", {{.name = "A", .value = 1}});
    EXPECT_EQ(bench.seen.rejected.at("missing"), 2u);
    bench.deliver("cell", "\xC1\xC1\xC1");
    EXPECT_EQ(bench.seen.rejected.at("malformed"), 2u);
    bench.settings.limits.bytes = 3;
    bench.deliver("cell", "1234");
    EXPECT_EQ(bench.seen.rejected.at("too_large"), 2u);
  }
}

TEST(MqttRouter, RetainedPointsWithoutATimeAreUncertain) {
  Bench bench(Format::points);
  bench.bind(1, "a");
  bench.deliver_points("a", {{.value = 1}}, true);
  EXPECT_EQ(bench.seen.points[0].quality, Quality::uncertain);
  EXPECT_EQ(bench.seen.points[0].time, kWall);
  bench.deliver_points("a", {{.value = 1, .time = kPayloadTime}}, true);
  EXPECT_EQ(bench.seen.points[0].quality, Quality::good);
  bench.settings.time = TimeFrom::arrival;
  bench.deliver_points("a", {{.value = 1, .time = kPayloadTime}}, true);
  EXPECT_EQ(bench.seen.points[0].quality, Quality::uncertain);
  EXPECT_EQ(bench.seen.points[0].time, kWall);
}

// Inlets as the engine's do not allocate; the recording one would hide what the router does.
struct CountingInlet final : Inlet {
  void push(const Batch& batch) override { points += batch.size(); }
  void reject(std::string_view, std::uint64_t count) override { rejected += count; }
  void finished() override {}
  std::size_t points = 0, rejected = 0;
};

TEST(MqttRouter, WarmedUpItDoesNotAllocate) {
  for (const Format format : {Format::array, Format::json}) {
    Bench bench(format);
    for (std::uint32_t i = 0; i < 10; ++i) bench.bind(i, "topic/with/a/long/name#[" + std::to_string(i) + "]");
    bench.router->seal();
    std::vector<std::uint8_t> bytes;
    wire::write_array({wire::ElementType::float32, kPayloadTime, 0}, std::vector<double>(10, 1.0), bytes);
    const std::string json = "[1,2,3,4.5,5,6,7,8,9,1e3]";
    if (format == Format::json) bytes.assign(json.begin(), json.end());
    CountingInlet inlet;
    const auto deliver = [&] { bench.router->deliver({"topic/with/a/long/name", bytes, true, kWall, 1}, inlet); };
    deliver();
    const std::size_t before = allocations.load();
    for (int i = 0; i < 100; ++i) deliver();
    EXPECT_EQ(allocations.load(), before);
    EXPECT_EQ(inlet.points, 1010u);
  }
}

TEST(MqttRouter, WarmedUpItDoesNotAllocateForPoints) {
  for (const wire::PointFormat format : kPointFormats) {
    Bench bench(Format::points, format);
    std::vector<wire::Point> points;
    std::vector<std::string> names;
    for (std::uint32_t i = 0; i < 10; ++i) names.push_back("a/name/beyond/small/strings/" + std::to_string(i));
    for (std::uint32_t i = 0; i < 10; ++i) {
      bench.bind(i, "topic#" + names[i]);
      points.push_back({.name = names[i], .alias = i + 1, .value = 0.1, .time = kPayloadTime, .unit = "degC"});
    }
    bench.router->seal();
    std::string bytes;
    wire::make_point_codec(format)->write(points, bytes);
    CountingInlet inlet;
    const std::span payload(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    const auto deliver = [&] { bench.router->deliver({"topic", payload, true, kWall, 1}, inlet); };
    deliver();
    const std::size_t before = allocations.load();
    for (int i = 0; i < 100; ++i) deliver();
    EXPECT_EQ(allocations.load(), before);
    EXPECT_EQ(inlet.points, 1010u);
  }
}

}  // namespace
}  // namespace alara::mqtt
