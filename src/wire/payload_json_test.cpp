// SPDX-License-Identifier: Apache-2.0
#include "wire/payload_json.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace alara::wire {
namespace {

// One plan, one row, and questions about them.
struct Reading {
  explicit Reading(std::initializer_list<std::string_view> paths) {
    for (const std::string_view path : paths) EXPECT_TRUE(plan.add(path).has_value()) << path;
  }
  PayloadFault read(std::string_view text, const PayloadLimits& limits = {}) { return plan.read(text, limits, row); }
  const JsonRow::Point& point(std::size_t i = 0) const { return row.points[i]; }

  JsonPlan plan;
  JsonRow row;
};

double number_in(std::string_view text) {
  Reading reading({""});
  EXPECT_EQ(reading.read(text), PayloadFault::none) << text;
  EXPECT_EQ(reading.point().fault, PayloadFault::none) << text;
  return reading.point().value;
}
PayloadFault fault_of(std::string_view text) {
  Reading reading({""});
  const PayloadFault whole = reading.read(text);
  return whole != PayloadFault::none ? whole : reading.point().fault;
}

TEST(PayloadJson, NumbersReadExactly) {
  for (const std::string_view text : {"0", "-0", "1", "-1.5", "21.53", "123456789.123456789", "0.1", "1e3", "2.5E-3",
                                      "9007199254740993", "1.7976931348623157e308", "5e-324", "0.30000000000000004",
                                      "12345678901234567890123", "0.000000000000000000000000123"})
    EXPECT_EQ(number_in(text), std::strtod(std::string(text).c_str(), nullptr)) << text;
  EXPECT_EQ(number_in(" true\n"), 1);
  EXPECT_EQ(number_in("false"), 0);
  EXPECT_EQ(number_in("1e-400"), 0);
}

TEST(PayloadJson, PathsLeadIntoObjectsAndLists) {
  Reading reading({"a.b[2]", "temperature", "[\"key.with dots\"]", "a.c"});
  ASSERT_EQ(
      reading.read(R"({"other":{"x":[1,{"y":2}]},"a":{"b":[1,2,3,4],"c":-7},"key.with dots":4,"temperature":21.5})"),
      PayloadFault::none);
  EXPECT_EQ(reading.point(0).value, 3);
  EXPECT_EQ(reading.point(1).value, 21.5);
  EXPECT_EQ(reading.point(2).value, 4);
  EXPECT_EQ(reading.point(3).value, -7);
}

TEST(PayloadJson, EscapedMemberNamesAreUnescaped) {
  Reading reading({"ö", "a/b", "😀"});
  ASSERT_EQ(reading.read(R"({"\u00f6":1,"a\/b":2,"\ud83d\ude00":3})"), PayloadFault::none);
  EXPECT_EQ(reading.point(0).value, 1);
  EXPECT_EQ(reading.point(1).value, 2);
  EXPECT_EQ(reading.point(2).value, 3);
}

TEST(PayloadJson, ElementsOfAListGoToTheirPoints) {
  Reading reading({"[0]", "[17]", "[2]"});
  ASSERT_EQ(reading.read("[10, 11, 12]"), PayloadFault::none);
  EXPECT_EQ(reading.point(0).value, 10);
  EXPECT_EQ(reading.point(1).fault, PayloadFault::missing);
  EXPECT_EQ(reading.point(2).value, 12);
}

TEST(PayloadJson, ValueTimeAndQualityComeTogether) {
  Reading reading({"", "x"});
  ASSERT_EQ(
      reading.read(
          R"({"v": 3.5, "t": "2020-09-13T12:26:40.25Z", "q": "uncertain", "x": {"value":1,"quality":192,"ts":1600000000500}})"),
      PayloadFault::none);
  EXPECT_EQ(reading.point(0).value, 3.5);
  EXPECT_EQ(reading.point(0).quality, Quality::uncertain);
  EXPECT_TRUE(reading.row.timed);
  EXPECT_EQ(reading.row.time, 1'600'000'000 * kSecond + 250 * kMillisecond);
  EXPECT_EQ(reading.point(1).value, 1);
  EXPECT_EQ(reading.point(1).quality, Quality::good);
  EXPECT_TRUE(reading.point(1).timed);
  EXPECT_EQ(reading.point(1).time, 1'600'000'000 * kSecond + 500 * kMillisecond);
}

TEST(PayloadJson, TimesTellTheirUnitByTheirSize) {
  Reading reading({"x"});
  constexpr Nanos kInstant = 1'600'000'000 * kSecond;
  for (const std::string_view time :
       {"1600000000", "1600000000000", "1600000000000000", "1600000000000000000", "1.6e9", "\"2020-09-13 12:26:40\""}) {
    ASSERT_EQ(reading.read(fmt::format(R"({{"x":1,"timestamp":{}}})", time)), PayloadFault::none) << time;
    EXPECT_EQ(reading.row.time, kInstant) << time;
  }
  EXPECT_EQ(reading.read(R"({"x":1,"t":1600000000123456789})"), PayloadFault::none);
  EXPECT_EQ(reading.row.time, 1'600'000'000'123'456'789);
}

TEST(PayloadJson, TimesBeyondTheEndOfTimeAreNone) {
  for (const std::int64_t number : {99'999'999'999, 99'999'999'999'999, 99'999'999'999'000'000}) {
    EXPECT_EQ(instant_of(number), std::nullopt) << number;
    EXPECT_EQ(instant_of(static_cast<double>(number)), std::nullopt) << number;
  }
  EXPECT_EQ(instant_of(std::int64_t{9'000'000'000}), 9'000'000'000 * kSecond);
  EXPECT_EQ(instant_of(INT64_MAX), INT64_MAX);
  EXPECT_EQ(instant_of(std::int64_t{-1}), std::nullopt);
}

TEST(PayloadJson, ATimePathReplacesTheUsualNames) {
  Reading reading({"x"});
  ASSERT_TRUE(reading.plan.set_time_path("meta.at").has_value());
  ASSERT_EQ(reading.read(R"({"meta":{"at":1600000000},"x":1,"t":5})"), PayloadFault::none);
  EXPECT_EQ(reading.row.time, 1'600'000'000 * kSecond);
}

TEST(PayloadJson, BadTimesAreNotTakenForGood) {
  Reading reading({"x"});
  for (const std::string_view time : {"-5", "1e300", "\"yesterday\"", "true", "[1]", "{}", "\"2020-13-01\""})
    EXPECT_EQ(reading.read(fmt::format(R"({{"x":1,"t":{}}})", time)), PayloadFault::bad_time) << time;
  ASSERT_EQ(reading.read(R"({"x":{"t":"soon","v":1}})"), PayloadFault::none);
  EXPECT_EQ(reading.point().fault, PayloadFault::bad_time);
  ASSERT_EQ(reading.read(R"({"x":1,"t":null})"), PayloadFault::none);
  EXPECT_FALSE(reading.row.timed);
}

TEST(PayloadJson, AListIsSamplesOfAWaveform) {
  Reading reading({"x[:]", "y"});
  ASSERT_EQ(reading.read(R"({"x":[1,2,null,NaN,4],"y":{"v":[7,8],"q":0}})"), PayloadFault::none);
  ASSERT_TRUE(reading.point(0).list);
  EXPECT_EQ(reading.point(0).count, 5u);
  EXPECT_TRUE(std::isnan(reading.row.samples[2]));
  EXPECT_TRUE(std::isnan(reading.row.samples[3]));
  EXPECT_EQ(reading.row.samples[4], 4);
  ASSERT_TRUE(reading.point(1).list);
  EXPECT_EQ(reading.point(1).first, 5u);
  EXPECT_EQ(reading.row.samples[6], 8);
  ASSERT_EQ(reading.read(R"({"x":5,"y":["a"]})"), PayloadFault::none);
  EXPECT_EQ(reading.point(0).fault, PayloadFault::wrong_type);
  EXPECT_EQ(reading.point(1).fault, PayloadFault::wrong_type);
}

TEST(PayloadJson, BadPointsLeaveTheirNeighboursAlone) {
  Reading reading({"a", "b", "c", "d", "e", "f"});
  ASSERT_EQ(reading.read(R"({"a":"hot","b":NaN,"c":-Infinity,"d":{"z":1},"e":1e999,"f":6})"), PayloadFault::none);
  EXPECT_EQ(reading.point(0).fault, PayloadFault::wrong_type);
  EXPECT_EQ(reading.point(1).fault, PayloadFault::not_finite);
  EXPECT_EQ(reading.point(2).fault, PayloadFault::not_finite);
  EXPECT_EQ(reading.point(3).fault, PayloadFault::wrong_type);
  EXPECT_EQ(reading.point(4).fault, PayloadFault::not_finite);
  EXPECT_EQ(reading.point(5).value, 6);
}

TEST(PayloadJson, EveryPrefixIsTruncatedNotMalformed) {
  const std::string_view whole = R"({"a": [1, -2.5e3, true, null, "t\u00e9xt"], "b": {"c": false}})";
  Reading reading({"a[1]"});
  ASSERT_EQ(reading.read(whole), PayloadFault::none);
  EXPECT_EQ(reading.point().value, -2500);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(reading.read(whole.substr(0, size)), PayloadFault::truncated) << whole.substr(0, size);
}

TEST(PayloadJson, WhatIsNotJsonIsMalformed) {
  for (const std::string_view text :
       {"1 2",     "01",       "+1", ".5",   "1.x", "{a:1}", "{\"a\" 1}",  "[1,]", "{\"a\":1,}", "'1'",  "tru3",
        "\"\\x\"", "\"a\tb\"", "]",  "1e+x", "-",   "--1",   "{\"a\":1}}", "0x10", "nul1",       "[1 2]"})
    EXPECT_TRUE(fault_of(text) == PayloadFault::malformed || text == "-") << text << " " << name_of(fault_of(text));
  EXPECT_EQ(fault_of("-"), PayloadFault::truncated);
  EXPECT_EQ(fault_of(""), PayloadFault::truncated);
  EXPECT_EQ(fault_of("\"\xff\xfe\""), PayloadFault::not_utf8);
  EXPECT_EQ(fault_of("{}"), PayloadFault::wrong_type);
  EXPECT_EQ(fault_of("null"), PayloadFault::missing);
}

TEST(PayloadJson, LimitsHoldExactly) {
  PayloadLimits limits;
  limits.depth = 3;
  limits.bytes = 11;
  limits.count = 4;
  Reading reading({"[0]"});
  EXPECT_EQ(reading.read("[1,[[2]]]  ", limits), PayloadFault::none);
  EXPECT_EQ(reading.read("[[[[]]]]", limits), PayloadFault::too_deep);
  EXPECT_EQ(reading.read("[1,[[2]]]   ", limits), PayloadFault::too_large);
  EXPECT_EQ(reading.read("[1,2,3,4]", limits), PayloadFault::none);
  EXPECT_EQ(reading.read("[1,2,3,4,5]", limits), PayloadFault::too_many);
}

TEST(PayloadJson, BadPathsSayWhatIsWrong) {
  JsonPlan plan;
  for (const std::string_view path :
       {"a..b", "a[", "a[x]", "a[-1]", "a[70000]", "a[:].b", "a[\"x]", ".a", "a[0]b", "a."}) {
    const auto added = plan.add(path);
    ASSERT_FALSE(added.has_value()) << path;
    EXPECT_NE(added.error().message.find(path), std::string::npos);
  }
  ASSERT_TRUE(plan.add("a").has_value());
  EXPECT_FALSE(plan.add("a[:]").has_value());
  EXPECT_FALSE(plan.set_time_path("a").has_value());
  EXPECT_EQ(plan.add("b.c").value(), plan.add("b.c").value());
}

TEST(PayloadJson, ReadingAgainReusesTheRow) {
  Reading reading({"a", "b[:]"});
  ASSERT_EQ(reading.read(R"({"a":1,"b":[1,2,3]})"), PayloadFault::none);
  const auto* const points = reading.row.points.data();
  const auto* const samples = reading.row.samples.data();
  ASSERT_EQ(reading.read(R"({"b":[4,5,6]})"), PayloadFault::none);
  EXPECT_EQ(reading.row.points.data(), points);
  EXPECT_EQ(reading.row.samples.data(), samples);
  EXPECT_EQ(reading.point(0).fault, PayloadFault::missing);
}

TEST(PayloadJson, WritesScalarsThatReadBack) {
  std::string out;
  append_number(0.1, out);
  EXPECT_EQ(out, "0.1");
  out.clear();
  append_json_string("a\"b\\c\n", out);
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\u000a\"");
}

TEST(JsonPoint, IsReadBackWithoutLoss) {
  const Nanos time = 1'386'018'900 * kSecond + 123'456'789;
  std::string text;
  append_point({0.1, false, time, Quality::uncertain, "mm/s2"}, text);
  EXPECT_EQ(text, R"({"value":0.1,"time":"2013-12-02T21:15:00.123456789Z","quality":"uncertain","unit":"mm/s2"})");
  JsonPlan plan;
  const std::uint32_t whole = plan.add("").value();
  JsonRow row;
  ASSERT_EQ(plan.read(text, {}, row), PayloadFault::none);
  EXPECT_EQ(row.points[whole].value, 0.1);
  EXPECT_EQ(row.points[whole].timed ? row.points[whole].time : row.time, time);
  EXPECT_EQ(row.points[whole].quality, Quality::uncertain);
}

TEST(JsonPoint, WritesTruthAndWhatIsNoNumber) {
  std::string text;
  append_point({1, true, 0, Quality::good, ""}, text);
  append_point({std::nan(""), false, 0, Quality::bad, ""}, text);
  EXPECT_EQ(text, R"({"value":true,"time":"1970-01-01T00:00:00Z","quality":"good"})"
                  R"({"value":null,"time":"1970-01-01T00:00:00Z","quality":"bad"})");
}

}  // namespace
}  // namespace alara::wire
