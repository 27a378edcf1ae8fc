// SPDX-License-Identifier: Apache-2.0
#include "core/schema.hpp"

#include <gtest/gtest.h>

namespace alara {
namespace {

const Schema& inner() {
  static const Schema schema{
      "inner", "Inside.", {{.name = "unit", .type = PropertyType::unit, .sentence = "Its unit."}}};
  return schema;
}

const Schema& sample_schema() {
  static const Property name{.name = "name", .type = PropertyType::text};
  static const Schema schema{
      "sample",
      "A sample.",
      {{.name = "poll", .type = PropertyType::duration, .sentence = "How often.", .fallback = "10ms", .least = 1e6},
       {.name = "endpoint", .type = PropertyType::text, .sentence = "Where.", .required = true},
       {.name = "order",
        .type = PropertyType::choice,
        .sentence = "Bytes.",
        .fallback = "abcd",
        .choices = {"abcd", "cdab"}},
       {.name = "units", .type = PropertyType::integer, .fallback = "1", .least = 0, .most = 247},
       {.name = "strict", .type = PropertyType::boolean, .fallback = "false"},
       {.name = "names", .type = PropertyType::list, .element = &name},
       {.name = "inside", .type = PropertyType::object, .fields = &inner()}}};
  return schema;
}

std::vector<std::string> faults(std::string_view yaml) {
  const auto tree = parse_document(yaml, "f.yaml");
  EXPECT_TRUE(tree) << yaml;
  std::vector<Error> errors;
  sample_schema().check(*tree, errors);
  std::vector<std::string> texts;
  for (const Error& error : errors) texts.push_back(error.text());
  return texts;
}

TEST(Schema, AcceptsWhatItDeclares) {
  EXPECT_TRUE(
      faults("{endpoint: x, poll: 5ms, order: cdab, units: 247, strict: true, names: [a, b], inside: {unit: mm/s2}}")
          .empty());
  EXPECT_TRUE(faults("{endpoint: x, names: a}").empty()) << "one item may stand without brackets";
}

TEST(Schema, NamesTheNearestOptionAndTheLimits) {
  const struct {
    std::string_view yaml, fault;
  } cases[] = {{"{endpoint: x, pol: 5ms}", "f.yaml:1:15: sample: unknown option 'pol' (did you mean 'poll'?)"},
               {"{poll: 5ms}", "'endpoint' is missing"},
               {"{endpoint: x, poll: 5}", "poll: '5' is not a duration"},
               {"{endpoint: x, poll: 5us}", "below the least allowed, 1ms"},
               {"{endpoint: x, units: 248}", "above the most allowed, 247"},
               {"{endpoint: x, units: 1.5}", "'1.5' is not a whole number"},
               {"{endpoint: x, order: abdc}", "did you mean 'abcd'?"},
               {"{endpoint: x, strict: yes}", "'yes' is neither true nor false"},
               {"{endpoint: [x]}", "a single value is expected here, not a list"},
               {"{endpoint: x, names: {a: 1}}", "a list is expected here"},
               {"{endpoint: x, inside: 3}", "a map of options is expected here"},
               {"{endpoint: x, inside: {unit: mm/sec2}}", "unknown unit 'sec'"},
               {"[1]", "a map of options is expected here"},
               {"~", "'endpoint' is missing"}};
  for (const auto& c : cases) {
    const auto found = faults(c.yaml);
    ASSERT_EQ(found.size(), 1u) << c.yaml;
    EXPECT_NE(found[0].find(c.fault), std::string::npos) << found[0];
  }
}

TEST(Schema, ReportsAllFaultsAtOnce) { EXPECT_EQ(faults("{pol: 5ms, units: 999, strict: 1}").size(), 4u); }

TEST(Options, ReadsWhatIsWrittenElseTheDefault) {
  const auto tree = parse_document("{endpoint: x, units: 3, names: [a, b]}", "f.yaml");
  const Options options(*tree, sample_schema());
  EXPECT_EQ(options.duration("poll"), 10 * kMillisecond);
  EXPECT_FALSE(options.has("poll"));
  EXPECT_EQ(options.integer("units"), 3);
  EXPECT_EQ(options.text("order"), "abcd");
  EXPECT_FALSE(options.boolean("strict"));
  EXPECT_EQ(options.texts("names"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(options.where("units").text(), "f.yaml:1:22");
  EXPECT_EQ(options.where("poll").line, 1);
  EXPECT_EQ(options.node("poll"), nullptr);
  EXPECT_DEATH(static_cast<void>(options.text("undeclared")), "does not declare");
}

TEST(Schema, DescribesItselfAsJsonAndText) {
  const auto json = parse_document(json_schema(sample_schema()), "schema.json");
  ASSERT_TRUE(json) << json.error().text();
  EXPECT_EQ(json->find("properties")->entries.size(), sample_schema().properties.size());
  EXPECT_EQ(json->find("required")->items.size(), 1u);
  const std::string reference = markdown_reference(sample_schema());
  for (const Property& property : sample_schema().properties)
    EXPECT_NE(reference.find("`" + property.name + "`"), std::string::npos);
  EXPECT_NE(reference.find("Its unit."), std::string::npos);
}

}  // namespace
}  // namespace alara
