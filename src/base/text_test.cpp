// SPDX-License-Identifier: Apache-2.0
#include "base/text.hpp"

#include <gtest/gtest.h>

namespace alara {
namespace {

using Words = std::vector<std::string>;

TEST(Text, FindsTheWordThatWasMeant) {
  const Words words = {"vibration", "spindle_current", "rpm", "poll"};
  EXPECT_EQ(nearest("vibratoin", words), "vibration");
  EXPECT_EQ(nearest("spindel_current", words), "spindle_current");
  EXPECT_EQ(nearest("pol", words), "poll");
  EXPECT_EQ(nearest("rmp", words), "rpm");
  EXPECT_EQ(nearest("temperature", words), "") << "nothing is near";
  EXPECT_EQ(nearest("x", Words{}), "");
  EXPECT_EQ(nearest(std::string(10'000, 'a'), words), "") << "too long to be looked at";
}

TEST(Text, SplitsIntoAllItsParts) {
  using Parts = std::vector<std::string_view>;
  EXPECT_EQ(split("a/b/c", '/'), (Parts{"a", "b", "c"}));
  EXPECT_EQ(split("/a/", '/'), (Parts{"", "a", ""}));
  EXPECT_EQ(split("", '/'), (Parts{""}));
}

TEST(Text, TrimsBlanksOnly) {
  EXPECT_EQ(trim("  a b \t\r\n"), "a b");
  EXPECT_EQ(trim(" \n "), "");
  EXPECT_EQ(trim(""), "");
}

TEST(Text, EnumeratesForPeople) {
  const std::vector<std::string_view> words = {"a", "b", "c"};
  EXPECT_EQ(enumerate(words), "a, b and c");
  EXPECT_EQ(enumerate(std::span(words).first(2)), "a and b");
  EXPECT_EQ(enumerate(std::span(words).first(1)), "a");
  EXPECT_EQ(enumerate({}), "");
}

TEST(Text, KnowsAsciiWhereverTheOtherByteStands) {
  for (std::size_t size = 0; size < 40; ++size) {
    std::string text(size, '\x7F');
    EXPECT_TRUE(ascii(text));
    for (std::size_t at = 0; at < size; ++at) {
      text[at] = '\x80';
      EXPECT_FALSE(ascii(text)) << size << " " << at;
      text[at] = 'a';
    }
  }
}

TEST(Text, KnowsUtf8) {
  for (const std::string_view good : {"", "plain", "µm", "°C", "€", "\xF0\x9F\x94\xA7", "\xEF\xBF\xBD", "\x7f"})
    EXPECT_TRUE(valid_utf8(good)) << good;
  for (const std::string_view bad :
       {"\x80", "\xC2", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80",
        "\xF8\x88\x80\x80\x80", "\xE2\x82", "a\xFFz", "\xC2\x41"})
    EXPECT_FALSE(valid_utf8(bad)) << bad.size();
}

}  // namespace
}  // namespace alara
