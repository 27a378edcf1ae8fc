// SPDX-License-Identifier: Apache-2.0
#include "connect/coap/link_format.hpp"

#include <gtest/gtest.h>

namespace alara::coap {
namespace {

TEST(LinkFormat, ReadsWhatResourcesSayOfThemselves) {
  const auto links = parse_links(
      R"(</sensors>;ct=40;title="Sensor, Index",</sensors/temp>;rt="temperature-c";u="Cel";obs;ct="0 50" , )"
      R"(<http://www.example.com/a>;anchor="/sensors/temp";rel="describedby",</t>;title="a \"b\"")");
  ASSERT_TRUE(links.has_value()) << links.error().message;
  ASSERT_EQ(links->size(), 3u);
  EXPECT_EQ((*links)[0].path, "/sensors");
  EXPECT_EQ((*links)[0].title, "Sensor, Index");
  EXPECT_FALSE((*links)[0].observable);
  EXPECT_EQ((*links)[1].type, "temperature-c");
  EXPECT_EQ((*links)[1].unit, "Cel");
  EXPECT_TRUE((*links)[1].observable);
  EXPECT_EQ((*links)[1].formats, (std::vector<unsigned>{0, 50}));
  EXPECT_EQ((*links)[2].title, "a \"b\"");
}

TEST(LinkFormat, AnEmptyListIsNoFaultAndNonsenseIs) {
  EXPECT_EQ(parse_links("")->size(), 0u);
  EXPECT_FALSE(parse_links("hello"));
  EXPECT_FALSE(parse_links("</a"));
  EXPECT_FALSE(parse_links("</a>,b"));
  EXPECT_EQ(parse_links("</a>;title=\"open")->size(), 1u);
}

}  // namespace
}  // namespace alara::coap
