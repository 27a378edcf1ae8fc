// SPDX-License-Identifier: Apache-2.0
#include "connect/file/text_reader.hpp"

#include <gtest/gtest.h>

namespace alara::file {
namespace {

using Records = std::vector<std::vector<std::string>>;

Result<Records> read(std::string_view text, std::size_t piece = SIZE_MAX, char delimiter = ',') {
  MemoryInput input(text, piece);
  TextReader reader(input, "data.csv", TextReader::Kind::csv, delimiter);
  Records out;
  for (;;) {
    auto any = reader.next();
    if (!any) return tl::unexpected<Error>(any.error());
    if (!*any) return out;
    out.emplace_back(reader.cells().begin(), reader.cells().end());
    if (reader.malformed()) out.back().push_back("!");
  }
}
const Records kPlain{{"a", "b"}, {"1", "2"}, {"3", ""}};

TEST(TextReader, LineEndsMayBeMixed) {
  EXPECT_EQ(read("a,b\n1,2\r\n3,\r").value(), kPlain);
  EXPECT_EQ(read("a,b\r1,2\r\r\n\n3,").value(), kPlain);
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "a,b\r\n1,2\n  \n3,\n")
                .value(),
            kPlain);
}

TEST(TextReader, EveryCutOfTheInputGivesTheSame) {
  const std::string_view text = "a,\"x \"\"y\"\"\r\n,z\"\r\n1,2\r\n\"\",3\n";
  const Records expected{{"a", "x \"y\"\r\n,z"}, {"1", "2"}, {"", "3"}};
  for (std::size_t piece = 1; piece <= text.size(); ++piece) EXPECT_EQ(read(text, piece).value(), expected) << piece;
}

TEST(TextReader, KnowsTheLineOfEachRecord) {
  MemoryInput input("a\r\n\"x\ny\"\r\n\rb\n");
  TextReader reader(input, "data.csv", TextReader::Kind::csv);
  ASSERT_TRUE(reader.next().value());
  EXPECT_EQ(reader.line(), 1);
  ASSERT_TRUE(reader.next().value());
  EXPECT_EQ(reader.line(), 2);
  ASSERT_TRUE(reader.next().value());
  EXPECT_EQ(reader.line(), 5);
  EXPECT_EQ(reader.where().text(), "data.csv:5");
}

TEST(TextReader, TextBehindAQuoteIsMalformed) {
  EXPECT_EQ(read("\"a\"b,c\n").value(), (Records{{"a", "c", "!"}}));
  EXPECT_EQ(read("a\"b,c\n").value(), (Records{{"a\"b", "c"}}));
}

TEST(TextReader, AnUnclosedQuoteIsAnErrorWithItsLine) {
  const auto result = read("a,b\n1,\"2\n3,4\n");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().text(), "data.csv:2: a quote is never closed");
}

TEST(TextReader, RecordsAreBounded) {
  const std::string fits(kMaxRecordBytes - 1, 'x');
  EXPECT_EQ(read(fits + "\n").value().size(), 1u);
  EXPECT_FALSE(read(fits + "xx\n").has_value());
  EXPECT_TRUE(read(std::string(kMaxCells - 1, ',')).has_value());
  EXPECT_FALSE(read(std::string(kMaxCells, ',')).has_value());
}

TEST(TextReader, OtherDelimiters) { EXPECT_EQ(read("a\tb\n1\t2\n3\t\n", 2, '\t').value(), kPlain); }

TEST(TextReader, LinesAreTakenAsTheyAre) {
  MemoryInput input("{\"a\":\"x\"}\n\n[1,2]\r\n");
  TextReader reader(input, "x.jsonl", TextReader::Kind::lines);
  ASSERT_TRUE(reader.next().value());
  EXPECT_EQ(reader.cells().front(), "{\"a\":\"x\"}");
  ASSERT_TRUE(reader.next().value());
  EXPECT_EQ(reader.cells().front(), "[1,2]");
  EXPECT_FALSE(reader.next().value());
}

}  // namespace
}  // namespace alara::file
