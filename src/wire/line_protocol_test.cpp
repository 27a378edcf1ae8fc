// SPDX-License-Identifier: Apache-2.0
#include "wire/line_protocol.hpp"

#include <gtest/gtest.h>

namespace alara::wire {
namespace {

TEST(LineProtocol, ReadsMeasurementTagsFieldsAndTime) {
  Line line;
  ASSERT_TRUE(
      parse_line(R"(pump,hall=a\ 1,unit=7 pressure=8.5,starts=3i,on=t,note="so, \"it\" is",level=-1e3 1465839830100)",
                 kMillisecond, line)
          .has_value());
  EXPECT_EQ(line.measurement, "pump");
  ASSERT_NE(line.tag("hall"), nullptr);
  EXPECT_EQ(*line.tag("hall"), "a 1");
  EXPECT_EQ(line.tag("nothing"), nullptr);
  ASSERT_EQ(line.fields.size(), 5u);
  EXPECT_EQ(line.fields[0].number, 8.5);
  EXPECT_EQ(line.fields[1].number, 3);
  EXPECT_EQ(line.fields[2].number, 1);
  EXPECT_EQ(line.fields[3].number, std::nullopt);
  EXPECT_EQ(line.fields[4].number, -1000);
  EXPECT_EQ(line.time, 1465839830100 * kMillisecond);
}

TEST(LineProtocol, WorksWithoutTagsAndTime) {
  Line line;
  ASSERT_TRUE(parse_line("m\\,x f=1\r", 1, line).has_value());
  EXPECT_EQ(line.measurement, "m,x");
  EXPECT_FALSE(line.time.has_value());
}

TEST(LineProtocol, SaysWhatIsWrongAndWhere) {
  Line line;
  for (const char* bad : {"m", "m ", ",a=b f=1", "m,a f=1", "m,a= f=1", "m f", "m f=", "m f=x", "m f=\"x", "m f=1 x",
                          "m f=nan", "m f=1e999", "m f=1 99999999999999999999", "m f=1,", "m \xff=1"}) {
    const Status read = parse_line(bad, kSecond, line);
    ASSERT_FALSE(read.has_value()) << bad;
    EXPECT_EQ(read.error().kind, ErrorKind::corrupt) << bad;
  }
  EXPECT_EQ(parse_line("m f=x", 1, line).error().message, "column 6: 'x' is no value of a field");
  EXPECT_EQ(parse_line("# comment", 1, line).error().kind, ErrorKind::not_found);
  EXPECT_EQ(parse_line("   ", 1, line).error().kind, ErrorKind::not_found);
}

TEST(LineProtocol, IsBounded) {
  Line line;
  std::string tags = "m", fields = "m ";
  for (std::size_t i = 0; i <= kMostLineTags; ++i) tags += fmt::format(",t{}=1", i);
  for (std::size_t i = 0; i <= kMostLineFields; ++i) fields += fmt::format("{}f{}=1", i == 0 ? "" : ",", i);
  EXPECT_FALSE(parse_line(tags + " f=1", 1, line).has_value());
  EXPECT_FALSE(parse_line(fields, 1, line).has_value());
  EXPECT_FALSE(parse_line("m f=" + std::string(kMostLineBytes, '1'), 1, line).has_value());
}

}  // namespace
}  // namespace alara::wire
