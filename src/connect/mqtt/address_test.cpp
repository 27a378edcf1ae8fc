// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/address.hpp"

#include <gtest/gtest.h>

namespace alara::mqtt {
namespace {

TEST(MqttAddress, SplitsTopicAndPath) {
  const auto plain = parse_address("line/cnc-07/state");
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->topic, "line/cnc-07/state");
  EXPECT_EQ(plain->path, "");
  const auto path = parse_address("line/gw-3#a.b[2]");
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(path->topic, "line/gw-3");
  EXPECT_EQ(path->path, "a.b[2]");
}

TEST(MqttAddress, RefusesWhatIsNoTopic) {
  for (const std::string_view text : {"", "#x", "line/+/state", "a#", "bad\xff", "a+b"})
    EXPECT_FALSE(parse_address(text).has_value()) << text;
  EXPECT_FALSE(parse_address(std::string(kMaxTopicBytes + 1, 'a')).has_value());
  EXPECT_TRUE(parse_address(std::string(kMaxTopicBytes, 'a')).has_value());
}

TEST(MqttPattern, WildcardsStandForWholeLevels) {
  for (const std::string_view pattern : {"#", "+", "a/+/b", "a/#", "$share/g/a/#", "/"})
    EXPECT_TRUE(check_pattern(pattern).has_value()) << pattern;
  for (const std::string_view pattern : {"a#", "a+/b", "a/#/b", "", "$share/g", "$share/g/"})
    EXPECT_FALSE(check_pattern(pattern).has_value()) << pattern;
}

TEST(MqttPattern, CoversAsTheStandardSays) {
  EXPECT_TRUE(covers("a/b", "a/b"));
  EXPECT_FALSE(covers("a/b", "a/b/c"));
  EXPECT_FALSE(covers("a/b/c", "a/b"));
  EXPECT_TRUE(covers("a/+", "a/b"));
  EXPECT_FALSE(covers("a/+", "a"));
  EXPECT_TRUE(covers("+/+", "/finance"));
  EXPECT_TRUE(covers("/+", "/finance"));
  EXPECT_FALSE(covers("+", "/finance"));
  EXPECT_TRUE(covers("a/#", "a"));
  EXPECT_TRUE(covers("a/#", "a/b/c"));
  EXPECT_FALSE(covers("#", "$SYS/x"));
  EXPECT_FALSE(covers("+/x", "$SYS/x"));
  EXPECT_TRUE(covers("$SYS/#", "$SYS/x"));
  EXPECT_TRUE(covers("$share/group/line/+", "line/1"));
}

}  // namespace
}  // namespace alara::mqtt
