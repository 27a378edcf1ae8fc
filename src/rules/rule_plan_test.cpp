// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "rules/message.hpp"
#include "rules/rate_limit.hpp"
#include "rules/rule_harness.hpp"

namespace alara::rules {
namespace {

Node scalar(std::string_view text) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.scalar = text;
  node.where = {"site.yaml", 3, 9};
  return node;
}

TEST(RuleOptions, NameEveryValueTheyRead) {
  const auto node = parse_document(
                        "when: a > 1 for 5ms\nuntil: b < 1\nunless: c and a\ndo: {write: p/1, value: d * 2}\n"
                        "raise: {text: '{e.f:.1f} {asset}'}\nlatch: false\n",
                        "s.yaml")
                        .value();
  EXPECT_EQ(*rule_kind().inputs(node), (std::vector<std::string>{"a", "b", "c", "d", "e.f"}));
}

TEST(RuleOptions, AreRefusedWithAPlaceAndAReason) {
  const struct {
    std::string options, error;
  } cases[] = {
      {"when: x > 38\n", "site.yaml:1:1: the rule does nothing: give it do, raise or safe"},
      {"do: {write: p/1, value: 1}\n", "'when' is missing"},
      {"when: x > 38 for 20parsecs\ndo: {write: p/1, value: 1}\n", "site.yaml:1:14: '20parsecs' is not a duration"},
      {"when: x > 38[V]\ndo: {write: p/1, value: 1}\n", "site.yaml:1:7: can not compare 'x' (A) and '38[V]' (V)"},
      {"when: x > 38 + t\ndo: {write: p/1, value: 1}\n", "can not compare 'x' (A)"},
      {"when: x\ndo: {write: p/1, value: 1}\n", "'x' is a number in A, not a condition"},
      {"when: 1 > 0\ndo: {write: p/1, value: 1}\n", "the condition '1 > 0' reads no value"},
      {"when: x > 38 for 5ms\nfor: 3ms\ndo: {write: p/1, value: 1}\n",
       "site.yaml:2:6: 'for' and 'for' in the condition say the same twice"},
      {"when: x > 38\nunless: open for 2s\ndo: {write: p/1, value: 1}\n", "an interlock acts at once"},
      {"when: x > 38\nlatch: true\nuntil: x < 3\ndo: {write: p/1, value: 1}\n", "a latched rule ends by its reset"},
      {"when: x > 38\nreset: open\ndo: {write: p/1, value: 1}\n", "reset needs latch: true"},
      {"when: x > 38\ndo: {write: coil, value: 1}\n", "site.yaml:2:13: 'coil' is no address"},
      {"when: x > 38\ndo: {value: 1}\n", "'write' is missing"},
      {"when: x > 38\ndo: {write: p/1}\n", "'value' is missing"},
      {"when: x > 38\ndo: {write: p/1, value: 0/0}\n", "'0/0' is not a number"},
      {"when: x > 38\ndo: {write: p/1, value: 1, vrify: true}\n", "unknown option 'vrify' (did you mean 'verify'?)"},
      {"when: x > 38\ndo: {write: p/1, value: 1}\nrate_limit: 5 a minute\n",
       "site.yaml:3:13: '5 a minute' is no rate (write 5 per 1min)"},
      {"when: x > 38\ndo: {write: p/1, value: 1}\nrate_limit: 5000 per 1min\n", "at most 1000, not 5000"},
      {"when: x > 38\ndo: {write: p/1, value: 1}\non_bad: safe\n", "on_bad: safe needs a safe value"},
      {"when: x > 38\nraise: {}\nsafe: {value: 1, after: 1s}\n", "safe has nothing to write to"},
      {"when: x > 38\nsafe: {value: 1, after: 0s, write: p/1}\n", "below the least allowed"},
      {"when: x > 38\nraise: {severity: severe}\n", "'severe' is not one of"},
      {"when: x > 38\nraise: {text: '{x:.0d}'}\n", "site.yaml:2:15: '.0d' is no number format"},
      {"when: x > 38\nwhenn: 3\nraise: {}\n", "unknown option 'whenn' (did you mean 'when'?)"},
      {"when: [x]\nraise: {}\n", "a single value is expected"}};
  for (const auto& c : cases) {
    const Harness h(c.options);
    EXPECT_NE(h.error.find(c.error), std::string::npos) << c.options << h.error;
  }
}

TEST(RuleOptions, WarnWhenOneLostSampleWouldCommandTheSafeValue) {
  const Harness tight("when: x > 38\nsafe: {value: 1, after: 15ms, write: p/1}\n");
  ASSERT_EQ(tight.warnings.size(), 1u);
  EXPECT_NE(tight.warnings[0].message.find("one lost sample"), std::string::npos);
  EXPECT_TRUE(Harness("when: x > 38\nsafe: {value: 1, after: 25ms, write: p/1}\n").warnings.empty());
}

TEST(RuleOptions, TakeTheWordForInAName) {
  const Harness h("when: x > 38 and `for` < 1\nraise: {}\n");
  EXPECT_EQ(h.error, "");
}

TEST(Message, FillsNamesAndNumbers) {
  auto message = Message::parse(scalar("{asset}/{pipeline}/{rule}: {x:.2f} {y} {x:.1e} {y:.3g} {{x}}"));
  ASSERT_TRUE(message) << message.error().text();
  EXPECT_EQ(message->names(), (std::vector<std::string>{"x", "y"}));
  const std::vector<std::string> values = {"z", "y", "x"};
  message->bind(values);
  const std::vector<double> row = {0, 1234.5678, 2.5};
  EXPECT_EQ(message->fill({"cnc", "guard", "stop"}, row), "cnc/guard/stop: 2.50 1234.57 2.5e+00 1.23e+03 {x}");
}

TEST(Message, RefusesWhatItCanNotFill) {
  for (const auto text :
       {"{x", "x}", "{}", "{x:}", "{x:.}", "{x:.2}", "{x:.22f}", "{x:2f}", "{asset:.0f}", "{:.0f}", "{ }"})
    EXPECT_FALSE(Message::parse(scalar(text))) << text;
  EXPECT_FALSE(Message::parse(scalar(std::string(kMaxMessage + 1, 'a'))));
  EXPECT_TRUE(Message::parse(scalar(std::string(kMaxMessage, 'a'))));
}

TEST(RateLimit, GivesBackWhatIsOld) {
  RateLimit limit(*Rate::parse("2 per 10s"), 1);
  EXPECT_TRUE(limit.take(0, 0));
  EXPECT_TRUE(limit.take(0, 9 * kSecond));
  EXPECT_FALSE(limit.take(0, 9 * kSecond + 1));
  EXPECT_TRUE(limit.take(0, 10 * kSecond));
  EXPECT_FALSE(limit.take(0, 18 * kSecond));
  EXPECT_TRUE(limit.take(0, 19 * kSecond));
}

TEST(RateLimit, StartsAnewWhenTheClockWasSetBack) {
  RateLimit limit(*Rate::parse("1 per 1h"), 1);
  EXPECT_TRUE(limit.take(0, 100 * kHour));
  EXPECT_FALSE(limit.take(0, 100 * kHour + 1));
  EXPECT_TRUE(limit.take(0, kHour));
  EXPECT_FALSE(limit.take(0, kHour + 1));
}

TEST(RateLimit, AllowsEverythingWhenThereIsNone) {
  RateLimit limit({}, 1);
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(limit.take(0, 0));
  for (const auto text : {"", "5", "5 per", "per 1s", "0 per 1s", "-1 per 1s", "5 per 0s", "5per1s", "1.5 per 1s"})
    EXPECT_FALSE(Rate::parse(text)) << text;
}

}  // namespace
}  // namespace alara::rules
