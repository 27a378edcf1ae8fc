// SPDX-License-Identifier: Apache-2.0
#include "wire/payload_points.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace alara::wire {
namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr Nanos kTime = 1'600'000'000 * kSecond;
constexpr PointFormat kFormats[] = {PointFormat::protobuf, PointFormat::flatbuffers, PointFormat::messagepack};

Bytes written(PointFormat format, const std::vector<Point>& points) {
  std::string out;
  make_point_codec(format)->write(points, out);
  return {out.begin(), out.end()};
}

// A message read by a codec that is kept with it: texts may lie there.
struct Message {
  Message(PointFormat format, Bytes payload, const PayloadLimits& limits = {})
      : bytes(std::move(payload)), codec(make_point_codec(format)), fault(codec->read(bytes, limits, points)) {}

  Bytes bytes;
  std::vector<Point> points;
  std::unique_ptr<PointCodec> codec;
  PayloadFault fault;
};

void expect_same(const Point& got, const Point& expected) {
  EXPECT_EQ(got.fault, expected.fault);
  EXPECT_EQ(got.name, expected.name);
  EXPECT_EQ(got.alias, expected.alias);
  EXPECT_EQ(got.value, expected.value);
  EXPECT_EQ(got.time, expected.time);
  EXPECT_EQ(got.quality, expected.quality);
  EXPECT_EQ(got.unit, expected.unit);
}

class PayloadPoints : public ::testing::TestWithParam<PointFormat> {};
INSTANTIATE_TEST_SUITE_P(Every, PayloadPoints, ::testing::ValuesIn(kFormats),
                         [](const auto& format) { return std::string(name_of(format.param)); });

TEST_P(PayloadPoints, HaveTheNameOfTheirFormat) {
  EXPECT_EQ(point_format_named(name_of(GetParam())), GetParam());
  EXPECT_EQ(point_format_named("json"), std::nullopt);
}

TEST_P(PayloadPoints, ComeBackAsTheyWere) {
  const std::vector<Point> points{
      {.name = "cnc-07/spindle/temperature", .alias = 1, .value = 21.5, .time = kTime, .unit = "degC"},
      {.name = "druck/κ", .value = -0.1, .time = kTime + 1, .quality = Quality::uncertain, .unit = "mm/s2"},
      {.alias = UINT32_MAX, .value = 1e300, .time = kTime - kSecond, .quality = Quality::bad, .unit = "degC"},
      {.alias = 7, .value = 0, .time = 0},
      {.value = 16777217, .time = INT64_MAX}};
  const Message message(GetParam(), written(GetParam(), points));
  ASSERT_EQ(message.fault, PayloadFault::none);
  ASSERT_EQ(message.points.size(), points.size());
  for (std::size_t i = 0; i < points.size(); ++i) expect_same(message.points[i], points[i]);
}

TEST_P(PayloadPoints, MayBeNone) {
  const Message message(GetParam(), written(GetParam(), {}));
  EXPECT_EQ(message.fault, PayloadFault::none);
  EXPECT_TRUE(message.points.empty());
}

TEST_P(PayloadPoints, ThatAreNotFiniteAreFaultsOfTheirOwn) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinite = std::numeric_limits<double>::infinity();
  const Message message(GetParam(), written(GetParam(), {{.name = "a", .value = nan, .time = kTime},
                                                         {.name = "b", .value = 2, .time = kTime},
                                                         {.name = "c", .value = -infinite, .time = kTime}}));
  ASSERT_EQ(message.fault, PayloadFault::none);
  ASSERT_EQ(message.points.size(), 3u);
  EXPECT_EQ(message.points[0].fault, PayloadFault::not_finite);
  EXPECT_EQ(message.points[0].name, "a");
  expect_same(message.points[1], {.name = "b", .value = 2, .time = kTime});
  EXPECT_EQ(message.points[2].fault, PayloadFault::not_finite);
}

TEST_P(PayloadPoints, HaveTextsThatAreTextAndNotTooLong) {
  const std::string longest(kMaxPointText, 'x'), longer(kMaxPointText + 1, 'x');
  const Message message(GetParam(), written(GetParam(), {{.name = "\xFF", .value = 1},
                                                         {.name = "b", .value = 1, .unit = "\xC3"},
                                                         {.name = longest, .value = 1, .unit = longest},
                                                         {.name = longer, .value = 1}}));
  ASSERT_EQ(message.fault, PayloadFault::none);
  ASSERT_EQ(message.points.size(), 4u);
  EXPECT_EQ(message.points[0].fault, PayloadFault::not_utf8);
  EXPECT_EQ(message.points[0].name, "");
  EXPECT_EQ(message.points[1].fault, PayloadFault::not_utf8);
  EXPECT_EQ(message.points[1].name, "b");
  EXPECT_EQ(message.points[2].fault, PayloadFault::none);
  EXPECT_EQ(message.points[3].fault, PayloadFault::too_large);
}

TEST_P(PayloadPoints, LimitsHoldExactly) {
  const Bytes bytes = written(GetParam(), {{.name = "a", .value = 1, .time = kTime}, {.name = "b", .value = 2}});
  PayloadLimits limits;
  limits.bytes = bytes.size();
  limits.count = 2;
  EXPECT_EQ(Message(GetParam(), bytes, limits).fault, PayloadFault::none);
  limits.count = 1;
  EXPECT_EQ(Message(GetParam(), bytes, limits).fault, PayloadFault::too_many);
  limits.bytes -= 1;
  EXPECT_EQ(Message(GetParam(), bytes, limits).fault, PayloadFault::too_large);
}

// Protocol Buffers end anywhere between two fields: what is cut off there is a shorter message.
TEST_P(PayloadPoints, ACutMessageIsAFaultOrShorter) {
  const Bytes whole = written(GetParam(), {{.name = "temp", .alias = 7, .value = 21.5, .time = kTime, .unit = "degC"},
                                           {.alias = 8, .value = -2, .time = kTime + kMillisecond}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Message message(GetParam(), Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    const bool shorter = GetParam() == PointFormat::protobuf && message.points.size() < 2;
    EXPECT_TRUE(shorter || message.fault != PayloadFault::none) << size;
  }
}

TEST_P(PayloadPoints, MayStandAnywhereInMemory) {
  const std::vector<Point> points{{.name = "temp", .value = 21.5, .time = kTime, .unit = "degC"}};
  const Bytes bytes = written(GetParam(), points);
  for (std::size_t shift = 0; shift < 8; ++shift) {
    Bytes packet(shift, 0xEE);
    packet.insert(packet.end(), bytes.begin(), bytes.end());
    const auto codec = make_point_codec(GetParam());
    std::vector<Point> out;
    ASSERT_EQ(codec->read(std::span(packet).subspan(shift), {}, out), PayloadFault::none) << shift;
    ASSERT_EQ(out.size(), 1u);
    expect_same(out[0], points[0]);
  }
}

TEST(PayloadPointsProtobuf, TheTimeMayStandBehindThePoints) {
  Bytes bytes = written(PointFormat::protobuf, {{.value = 1, .time = kTime}});
  std::rotate(bytes.begin(), bytes.begin() + 9, bytes.end());
  const Message message(PointFormat::protobuf, bytes);
  ASSERT_EQ(message.points.size(), 1u);
  EXPECT_EQ(message.points[0].time, kTime);
}

TEST(PayloadPointsProtobuf, UnknownFieldsArePassedOverAndTheLastOfTwoCounts) {
  const Message message(PointFormat::protobuf,
                        {0x12, 0x09, 0x38, 0x05, 0x62, 0x01, 'x', 0x10, 0x03, 0x10, 0x04, 0x98, 0x06, 0x01});
  ASSERT_EQ(message.fault, PayloadFault::none);
  ASSERT_EQ(message.points.size(), 1u);
  EXPECT_EQ(message.points[0].alias, 4u);
}

TEST(PayloadPointsProtobuf, ATimeThatNoClockShowsIsAFaultOfItsPoint) {
  const Message message(PointFormat::protobuf, {0x12, 0x02, 0x20, 0x01});  // a nanosecond before 1970
  ASSERT_EQ(message.points.size(), 1u);
  EXPECT_EQ(message.points[0].fault, PayloadFault::bad_time);
}

TEST(PayloadPointsProtobuf, AnAliasBeyondItsTypeIsMalformed) {
  EXPECT_EQ(Message(PointFormat::protobuf, {0x12, 0x06, 0x10, 0x80, 0x80, 0x80, 0x80, 0x10}).fault,
            PayloadFault::malformed);
}

TEST(PayloadPointsMessagePack, MembersHaveLongNamesAndTimesManyForms) {
  const auto read = [](const Bytes& time) {
    Bytes bytes{0x82, 0xA5, 'v', 'a', 'l', 'u', 'e', 0x05, 0xA4, 't', 'i', 'm', 'e'};
    bytes.insert(bytes.end(), time.begin(), time.end());
    const Message message(PointFormat::messagepack, bytes);
    EXPECT_EQ(message.points.size(), 1u);
    EXPECT_EQ(message.points[0].value, 5);
    return message.points[0].fault == PayloadFault::none ? message.points[0].time : -1;
  };
  EXPECT_EQ(read({0xCE, 0x5F, 0x5E, 0x10, 0x00}), kTime);                          // seconds
  EXPECT_EQ(read({0xCB, 0x41, 0xD7, 0xD7, 0x84, 0x00, 0x00, 0x00, 0x00}), kTime);  // seconds with a point
  EXPECT_EQ(read({0xCF, 0x16, 0x34, 0x57, 0x85, 0xD8, 0xA0, 0x00, 0x00}), kTime);  // nanoseconds
  EXPECT_EQ(read({0xD6, 0xFF, 0x5F, 0x5E, 0x10, 0x00}), kTime);                    // a timestamp
  EXPECT_EQ(
      read({0xB4, '2', '0', '2', '0', '-', '0', '9', '-', '1', '3', 'T', '1', '2', ':', '2', '6', ':', '4', '0', 'Z'}),
      kTime);
  EXPECT_EQ(read({0xC0}), 0);
  EXPECT_EQ(read({0xA1, '?'}), -1);
  EXPECT_EQ(read({0x91, 0x01}), -1);
}

TEST(PayloadPointsMessagePack, OnlyThePointThatIsNoneIsLost) {
  const Message message(PointFormat::messagepack,
                        {0x97, 0x81, 0xA1, 'v',  0xC3,                    // true
                         0x81, 0xA1, 'v',  0xC0,                          // null
                         0x81, 0xA1, 'v',  0xA1, 'x',                     // a text
                         0x81, 0xA1, 'v',  0x91, 0x81, 0xA1, 'v',  0x01,  // a list
                         0x80,                                            // nothing
                         0x07,                                            // a number where a map should be
                         0x83, 0x01, 0x02, 0xA1, 'x',  0x92, 0x01, 0x02, 0xA1, 'v', 0x2A});  // with things unknown
  ASSERT_EQ(message.fault, PayloadFault::none);
  std::vector<PayloadFault> faults;
  for (const Point& point : message.points) faults.push_back(point.fault);
  EXPECT_EQ(faults,
            (std::vector{PayloadFault::none, PayloadFault::missing, PayloadFault::wrong_type, PayloadFault::wrong_type,
                         PayloadFault::missing, PayloadFault::wrong_type, PayloadFault::none}));
  EXPECT_EQ(message.points[0].value, 1);
  EXPECT_EQ(message.points[6].value, 42);
}

TEST(PayloadPointsMessagePack, QualitiesAreNumbersOrWords) {
  const auto quality = [](const Bytes& item) {
    Bytes bytes{0x82, 0xA1, 'v', 0x01, 0xA1, 'q'};
    bytes.insert(bytes.end(), item.begin(), item.end());
    return Message(PointFormat::messagepack, bytes).points.at(0).quality;
  };
  EXPECT_EQ(quality({0x00}), Quality::good);
  EXPECT_EQ(quality({0xCC, 192}), Quality::good);
  EXPECT_EQ(quality({0xA4, 'G', 'o', 'o', 'd'}), Quality::good);
  EXPECT_EQ(quality({0xC2}), Quality::bad);
  EXPECT_EQ(quality({0xC0}), Quality::bad);
}

TEST(PayloadPointsMessagePack, WhatIsNoMessageOfPointsIsAFault) {
  EXPECT_EQ(Message(PointFormat::messagepack, {0x07}).fault, PayloadFault::wrong_type);
  EXPECT_EQ(Message(PointFormat::messagepack, {0x90, 0x90}).fault, PayloadFault::malformed);  // two messages
  EXPECT_EQ(Message(PointFormat::messagepack, {0x81, 0xA1, 'n', 0x01}).fault, PayloadFault::malformed);
  EXPECT_EQ(Message(PointFormat::messagepack, {0x81, 0xA1, 'a', 0xFF}).fault, PayloadFault::malformed);
  EXPECT_EQ(Message(PointFormat::messagepack, {0xDD, 0x00, 0x10, 0x00, 0x00}).fault, PayloadFault::too_many);
}

TEST(PayloadPointsFlatBuffers, ManyPointsThatShareOneLongTextCostLittle) {
  // Verified texts may be huge and shared; none above the limit is looked at.
  std::vector<Point> points(1000, Point{.value = 1, .time = kTime});
  const std::string text(500'000, 'x');
  for (Point& point : points) point.unit = text;
  const Message message(PointFormat::flatbuffers, written(PointFormat::flatbuffers, points));
  ASSERT_EQ(message.points.size(), 1000u);
  for (const Point& point : message.points) EXPECT_EQ(point.fault, PayloadFault::too_large);
}

}  // namespace
}  // namespace alara::wire
