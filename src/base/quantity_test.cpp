// SPDX-License-Identifier: Apache-2.0
#include "base/quantity.hpp"

#include <gtest/gtest.h>

namespace alara {
namespace {

TEST(Duration, ReadsWhatPeopleWrite) {
  const struct {
    std::string_view text;
    Nanos nanos;
  } cases[] = {{"250us", 250 * kMicrosecond},
               {"10ms", 10 * kMillisecond},
               {"1.5s", 1500 * kMillisecond},
               {"5min", 5 * kMinute},
               {"2h", 2 * kHour},
               {"1d", 24 * kHour},
               {"7ns", 7},
               {"3 s", 3 * kSecond},
               {"0", 0},
               {"0ms", 0},
               {"1e3ms", kSecond}};
  for (const auto& c : cases) {
    const auto parsed = parse_duration(c.text);
    ASSERT_TRUE(parsed) << c.text;
    EXPECT_EQ(*parsed, c.nanos) << c.text;
  }
}

TEST(Duration, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "5", "ms", "-1s", "1 parsec", "1ss", "1  s", "nan s", "infs", "1s ", "0x1s", "1e30s", "300y"})
    EXPECT_FALSE(parse_duration(text)) << text;
  EXPECT_EQ(parse_duration("10 parsecs").error().text(),
            "'10 parsecs' is not a duration (write a number and ns, us, ms, s, min, h or d, as in 10ms)");
}

TEST(Duration, ReadsBackWhatItPrints) {
  for (const Nanos nanos :
       {Nanos{1}, 250 * kMicrosecond, 12 * kMillisecond, kSecond, 90 * kSecond, 5 * kHour, 48 * kHour})
    EXPECT_EQ(*parse_duration(format_duration(nanos)), nanos) << format_duration(nanos);
  EXPECT_EQ(format_duration(12'500'000), "12.5ms");
  EXPECT_EQ(format_duration(0), "0s");
  EXPECT_EQ(format_duration(-kSecond), "-1s");
}

TEST(Size, KnowsPowersOfTenAndOfTwo) {
  EXPECT_EQ(*parse_size("512B"), 512u);
  EXPECT_EQ(*parse_size("64KB"), 64'000u);
  EXPECT_EQ(*parse_size("64KiB"), 65'536u);
  EXPECT_EQ(*parse_size("1.5MB"), 1'500'000u);
  EXPECT_EQ(*parse_size("1GiB"), 1u << 30);
  EXPECT_EQ(*parse_size("0"), 0u);
  for (const std::string_view text : {"", "5", "-1B", "1EB", "1e30GB", "KB"}) EXPECT_FALSE(parse_size(text)) << text;
}

TEST(Frequency, IsAboveZero) {
  EXPECT_EQ(*parse_frequency("100Hz"), 100);
  EXPECT_EQ(*parse_frequency("6.4kHz"), 6400);
  EXPECT_EQ(*parse_frequency("2MHz"), 2e6);
  for (const std::string_view text : {"0Hz", "0", "-1Hz", "100", "Hz", "5rpm"})
    EXPECT_FALSE(parse_frequency(text)) << text;
}

TEST(Number, IsTheWholeText) {
  EXPECT_EQ(*parse_number("-1.5e3"), -1500);
  EXPECT_EQ(*parse_integer("-42"), -42);
  for (const std::string_view text : {"", "nan", "inf", "-inf", "1e999", "1x", " 1", "1 ", "0x10", "+1", "1,5"})
    EXPECT_FALSE(parse_number(text)) << text;
  for (const std::string_view text : {"", "1.0", "1e3", "9223372036854775808", "x", "1 "})
    EXPECT_FALSE(parse_integer(text)) << text;
  EXPECT_EQ(*parse_integer("9223372036854775807"), INT64_MAX);
}

TEST(Instant, ReadsIso8601) {
  const Nanos noon = 1'386'018'900 * kSecond;  // 2013-12-02 21:15:00 UTC
  const struct {
    std::string_view text;
    Nanos instant;
  } cases[] = {{"2013-12-02 21:15:00", noon},
               {"2013-12-02T21:15:00Z", noon},
               {"2013-12-02T21:15:00.250Z", noon + 250 * kMillisecond},
               {"2013-12-02T23:15:00+02:00", noon},
               {"2013-12-02T16:15:00-0500", noon},
               {"1970-01-01T00:00:00Z", 0},
               {"1969-12-31T23:59:59Z", -kSecond},
               {"2024-02-29 00:00:00", 1'709'164'800 * kSecond}};
  for (const auto& c : cases) {
    const auto parsed = parse_instant(c.text);
    ASSERT_TRUE(parsed) << c.text;
    EXPECT_EQ(*parsed, c.instant) << c.text;
  }
}

TEST(Instant, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "yesterday", "2013-13-02 21:15:00", "2013-02-30 00:00:00", "2023-02-29 00:00:00", "2013-12-02 25:00:00",
        "2013-12-02 21:61:00", "2013-12-02T21:15:00+25:00", "2013-12-02T21:15:00X", "2013-1-2 00:00:00"})
    EXPECT_FALSE(parse_instant(text)) << text;
}

TEST(Instant, ReadsBackWhatItPrints) {
  for (const Nanos instant :
       {Nanos{0}, 1'386'018'900 * kSecond, 1'386'018'900 * kSecond + 123 * kMillisecond, -kSecond})
    EXPECT_EQ(*parse_instant(format_instant(instant)), instant) << format_instant(instant);
  EXPECT_EQ(format_instant(1'386'018'900 * kSecond), "2013-12-02T21:15:00.000Z");
  EXPECT_EQ(format_instant_exactly(1'386'018'900 * kSecond), "2013-12-02T21:15:00Z");
  EXPECT_EQ(format_instant_exactly(1'386'018'900 * kSecond + 250 * kMillisecond), "2013-12-02T21:15:00.25Z");
  for (const Nanos instant : {Nanos{0}, Nanos{1}, Nanos{-1}, 1'386'018'900 * kSecond + 123'456'789})
    EXPECT_EQ(*parse_instant(format_instant_exactly(instant)), instant) << format_instant_exactly(instant);
}

TEST(Size, PrintsForPeople) {
  EXPECT_EQ(format_size(999), "999 B");
  EXPECT_EQ(format_size(1'400'000), "1.4 MB");
}

}  // namespace
}  // namespace alara
