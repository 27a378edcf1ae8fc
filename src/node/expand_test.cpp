// SPDX-License-Identifier: Apache-2.0
#include "node/expand.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace alara::node {
namespace {

const Where kHere{"site.yaml", 3, 5};

std::vector<std::string> names_of(std::string_view pattern) {
  std::vector<std::string> names;
  const auto expanded = expand_name(pattern, kHere);
  if (!expanded) return {expanded.error().text()};
  for (const ExpandedName& each : *expanded) names.push_back(each.name);
  return names;
}

std::string filled(std::string_view text, const Placeholders& placeholders = {}) {
  const auto result = fill(text, placeholders, kHere);
  return result ? *result : result.error().text();
}

using Names = std::vector<std::string>;

TEST(Expand, ANameWithoutARangeStandsForItself) { EXPECT_EQ(names_of("cnc"), Names{"cnc"}); }

TEST(Expand, ARangeIsAsWideAsItsFirstBound) {
  EXPECT_EQ(names_of("cnc-{08..11}"), (Names{"cnc-08", "cnc-09", "cnc-10", "cnc-11"}));
  EXPECT_EQ(names_of("p{9..11}x"), (Names{"p9x", "p10x", "p11x"}));
  EXPECT_EQ(names_of("one-{7..7}"), Names{"one-7"});
}

TEST(Expand, TwoRangesCountTheSecondFaster) {
  const auto names = expand_name("hall-{1..2}-press-{01..02}", kHere);
  ASSERT_TRUE(names.has_value());
  ASSERT_EQ(names->size(), 4u);
  EXPECT_EQ((*names)[1].name, "hall-1-press-02");
  EXPECT_EQ((*names)[1].placeholders.numbers.at("n"), 1);
  EXPECT_EQ((*names)[1].placeholders.numbers.at("m"), 2);
}

TEST(Expand, BadRangesSayWhatIsWrongAndWhere) {
  EXPECT_EQ(names_of("cnc-{1-4}"), Names{"site.yaml:3:5: '{1-4}' is not a range; write {01..40}"});
  EXPECT_EQ(names_of("cnc-{a..b}"), Names{"site.yaml:3:5: '{a..b}' is not a range; write {01..40}"});
  EXPECT_EQ(names_of("cnc-{4..1}"), Names{"site.yaml:3:5: range '{4..1}' ends before it begins"});
  EXPECT_EQ(names_of("cnc-{1..4"), Names{"site.yaml:3:5: 'cnc-{1..4': a closing brace is missing"});
  EXPECT_EQ(names_of("{1..2}{1..2}{1..2}{1..2}"),
            Names{"site.yaml:3:5: '{1..2}{1..2}{1..2}{1..2}' has more than 3 ranges"});
}

TEST(Expand, ARangeThatWouldFillTheMemoryIsRefused) {
  EXPECT_EQ(names_of("x{1..9999999}"), Names{"site.yaml:3:5: range '{1..9999999}' has more than 1000000 names"});
  EXPECT_EQ(names_of("x{1..2000}y{1..2000}"),
            Names{"site.yaml:3:5: 'x{1..2000}y{1..2000}' stands for more than 1000000 names"});
  EXPECT_NE(names_of("x{0..9223372036854775807}").front().find("more than 1000000 names"), std::string::npos);
}

TEST(Expand, PlaceholdersTakeNumbersTextsAndFormulas) {
  Placeholders values;
  values.numbers = {{"n", 7}, {"m", 3}};
  values.texts = {{"asset", "cnc-07"}};
  EXPECT_EQ(filled("plc/holding/{100+2*n}:float32be", values), "plc/holding/114:float32be");
  EXPECT_EQ(filled("line/{asset}/vib", values), "line/cnc-07/vib");
  EXPECT_EQ(filled("{(n+m)*10/4} {n%m} {n-10}", values), "25 1 -3");
  EXPECT_EQ(filled("no placeholder", values), "no placeholder");
  EXPECT_EQ(filled("{{n}", values), "{n}");
}

TEST(Expand, BadFormulasSayWhatIsWrong) {
  Placeholders values;
  values.numbers = {{"n", 7}};
  EXPECT_EQ(filled("coil/{m}", values),
            "site.yaml:3:5: '{m}': 'm' has no number here; a name with a range, as in cnc-{01..40}, gives n");
  EXPECT_EQ(filled("{n/0}", values), "site.yaml:3:5: '{n/0}' divides by 0");
  EXPECT_EQ(filled("{n+}", values), "site.yaml:3:5: '{n+}': a number or a name is missing");
  EXPECT_EQ(filled("{(n}", values), "site.yaml:3:5: '{(n}': a closing parenthesis is missing");
  EXPECT_EQ(filled("{n n}", values), "site.yaml:3:5: '{n n}': 'n' is not understood");
  EXPECT_EQ(filled("{n", values), "site.yaml:3:5: '{n': a closing brace is missing");
  EXPECT_EQ(filled("{9223372036854775807*n}", values),
            "site.yaml:3:5: '{9223372036854775807*n}' does not fit into 64 bits");
  EXPECT_EQ(filled("{" + std::string(100, '(') + "n}", values).substr(0, 14), "site.yaml:3:5:");
}

Node tree_of(const std::string& text) { return parse_document(text, "site.yaml").value(); }

TEST(Expand, FillsEveryScalarOfATree) {
  Placeholders values;
  values.numbers = {{"n", 2}};
  const auto tree =
      fill_tree(tree_of("{endpoint: 'tcp://10.0.0.{n}:502', list: [a, '{n+1}'], map: {x: '{n}'}}"), values);
  ASSERT_TRUE(tree.has_value());
  EXPECT_EQ(tree->canonical(), tree_of("{endpoint: 'tcp://10.0.0.2:502', list: [a, '3'], map: {x: '2'}}").canonical());
  const auto bad = fill_tree(tree_of("list:\n  - a\n  - '{m}'\n"), values);
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().where.text(), "site.yaml:3:5");
}

TEST(Expand, TheEnvironmentFillsOrTheAlternativeDoes) {
  ASSERT_EQ(setenv("ALARA_TEST_SET", "here", 1), 0);
  ASSERT_EQ(unsetenv("ALARA_TEST_UNSET"), 0);
  Node tree = tree_of(
      "{a: '${ALARA_TEST_SET}/x', b: '${ALARA_TEST_UNSET:-there}/${ALARA_TEST_SET:-no}', c: ['$5', "
      "'${ALARA_TEST_UNSET:-}']}");
  ASSERT_TRUE(fill_environment(tree).has_value());
  EXPECT_EQ(tree.find("a")->scalar, "here/x");
  EXPECT_EQ(tree.find("b")->scalar, "there/here");
  EXPECT_EQ(tree.find("c")->items[0].scalar, "$5");
  EXPECT_EQ(tree.find("c")->items[1].scalar, "");
}

TEST(Expand, AVariableThatIsNotSetIsAnErrorWithItsPlace) {
  ASSERT_EQ(unsetenv("ALARA_TEST_UNSET"), 0);
  Node tree = tree_of("a: 1\npath: ${ALARA_TEST_UNSET}/x\n");
  const Status filled = fill_environment(tree);
  ASSERT_FALSE(filled.has_value());
  EXPECT_EQ(
      filled.error().text(),
      "site.yaml:2:7: environment variable 'ALARA_TEST_UNSET' is not set; set it or write ${ALARA_TEST_UNSET:-value}");
  Node open = tree_of("path: ${ALARA_TEST_SET\n");
  EXPECT_FALSE(fill_environment(open).has_value());
}

TEST(Expand, WhatTheEnvironmentSaysIsNotExpandedAgain) {
  ASSERT_EQ(setenv("ALARA_TEST_LOOP", "${ALARA_TEST_LOOP}", 1), 0);
  Node tree = tree_of("a: ${ALARA_TEST_LOOP}\n");
  ASSERT_TRUE(fill_environment(tree).has_value());
  EXPECT_EQ(tree.find("a")->scalar, "${ALARA_TEST_LOOP}");
}

}  // namespace
}  // namespace alara::node
