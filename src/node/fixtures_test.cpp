// SPDX-License-Identifier: Apache-2.0
// Faults of a site file's `tests:` are told with their place; what a fixture says is judged as it says.
#include "node/fixtures.hpp"

#include <gtest/gtest.h>

#include "node/compile.hpp"

namespace alara::node {
namespace {

constexpr std::string_view kSite = R"(node: x
connectors: {plc: {modbus: {endpoint: "tcp://127.0.0.1:1"}}}
asset_types: {motor: {signals: {current: {unit: A}}}}
assets: {motor-1: {type: motor, from: {current: plc/input/1}}}
pipelines:
  limit: {for: motor, rule: {when: "current > 30[A]", do: {write: plc/coil/1, value: 1}, raise: {text: "{current:.0f} A"}}}
tests:
)";  // 7 lines

using Texts = std::vector<std::string>;

Texts faults(const std::string& tests) {
  const auto checked = check_site_text(std::string(kSite) + tests, "site.yaml");
  EXPECT_TRUE(checked->diagnosis.ok());
  std::vector<Error> errors;
  static_cast<void>(read_fixtures(checked->site, errors));
  Texts out;
  for (const Error& error : errors) out.push_back(error.text());
  return out;
}

FixtureOutcome run(const std::string& tests) {
  const auto checked = check_site_text(std::string(kSite) + tests, "site.yaml");
  EXPECT_TRUE(checked->diagnosis.ok());
  std::vector<Error> errors;
  const auto fixtures = read_fixtures(checked->site, errors);
  EXPECT_TRUE(errors.empty()) << errors.front().text();
  auto outcome = run_fixture(checked->site, fixtures.at(0));
  EXPECT_TRUE(outcome.has_value());
  return outcome.value_or(FixtureOutcome{});
}

TEST(Fixtures, FaultsAreToldWithTheirPlace) {
  EXPECT_EQ(faults("  a: {given: [{set: {motor-1.curent: 1}}], never: [{event: limit}]}\n"),
            Texts{"site.yaml:8:22: given: there is no signal 'motor-1.curent' (did you mean 'motor-1.current'?)"});
  EXPECT_EQ(faults("  a: {given: [{set: {motor-1.current: much}}], never: [{event: limit}]}\n").size(), 1u);
  EXPECT_EQ(faults("  a: {given: [{set: {motor-1.current: 1}}], never: [{event: limt}]}\n"),
            Texts{"site.yaml:8:53: expect: there is no pipeline 'limt'"});
  EXPECT_EQ(faults("  a: {given: [{set: {motor-1.current: 1}}], never: [{command: plx/coil/1}]}\n"),
            Texts{"site.yaml:8:63: 'plx/coil/1': there is no connector 'plx' (did you mean 'plc'?)"});
  EXPECT_EQ(faults("  a: {given: [{set: {motor-1.current: 1}}], never: [{event: limit, command: plc/coil/1}]}\n"),
            Texts{"site.yaml:8:53: expect: exactly one of command, event and cleared is needed"});
  EXPECT_EQ(faults("  a: {given: [{set: {motor-1.current: 1}}]}\n"),
            Texts{"site.yaml:8:3: test 'a' expects nothing, so it can not fail"});
  EXPECT_EQ(faults("  a: {given: [{until: 3s, set: {motor-1.current: 1}}], never: [{event: limit}]}\n"),
            Texts{"site.yaml:8:15: given: 'until' needs 'every'"});
  EXPECT_EQ(faults("  a: {given: [{set: 3}], never: [{event: limit}]}\n"),
            Texts{"site.yaml:8:21: given: set is a map, as in {cnc-01.spindle_current: 41}"});
  EXPECT_EQ(faults("  a: {given: [{shift: back, set: {motor-1.current: 1}}], never: [{event: limit}]}\n").size(), 1u);
  EXPECT_EQ(faults("  a: {givn: []}\n").size(), 2u);  // the unknown option, and that 'given' is missing
}

TEST(Fixtures, ATraceThatWouldFillTheMemoryIsRefused) {
  const auto told =
      faults("  a: {given: [{every: 1ns, until: 1d, set: {motor-1.current: 1}}], never: [{event: limit}]}\n");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_NE(told[0].find("more than 10000000 samples"), std::string::npos) << told[0];
}

TEST(Fixtures, RepetitionsStepThroughAListAndShiftMovesTheSamplesOwnTime) {
  const auto checked = check_site_text(std::string(kSite) +
                                           "  a: {given: [{at: 1s, every: 1s, until: 4s, shift: -2h, set: "
                                           "{motor-1.current: [1, bad, true]}}], never: [{event: limit}]}\n",
                                       "site.yaml");
  std::vector<Error> errors;
  const auto fixtures = read_fixtures(checked->site, errors);
  ASSERT_EQ(fixtures.size(), 1u);
  ASSERT_EQ(fixtures[0].trace.size(), 4u);
  EXPECT_EQ(fixtures[0].trace[3].at, 4 * kSecond);
  EXPECT_EQ(fixtures[0].trace[3].shift, -2 * kHour);
  EXPECT_EQ(fixtures[0].trace[3].value, 1);
  EXPECT_TRUE(fixtures[0].trace[1].missing);
  EXPECT_EQ(fixtures[0].lasts, 5 * kSecond);
}

TEST(Fixtures, WhatIsExpectedMustHappenInTimeWithItsValueAndText) {
  const std::string given = "  a: {given: [{at: 1s, set: {motor-1.current: 35}}], expect: [";
  EXPECT_TRUE(
      run(given + "{at: 1s, command: plc/coil/1, value: 1}, {by: 1s, event: limit, asset: motor-1, text: 35 A}]}\n")
          .passed());
  EXPECT_FALSE(run(given + "{at: 1s, command: plc/coil/1, value: 2}]}\n").passed());
  EXPECT_FALSE(run(given + "{at: 1500ms, command: plc/coil/1}]}\n").passed());
  EXPECT_FALSE(run(given + "{by: 900ms, event: limit}]}\n").passed());
  EXPECT_FALSE(run(given + "{event: limit, asset: motor-2}]}\n").passed());
  EXPECT_FALSE(run(given + "{event: limit, text: 36 A}]}\n").passed());
  EXPECT_FALSE(run(given + "{cleared: limit}]}\n").passed());
}

TEST(Fixtures, WhatMustNeverHappenFailsWhenItDoesAndSaysWhen) {
  const auto outcome = run("  a: {given: [{at: 1s, set: {motor-1.current: 35}}], never: [{event: limit}]}\n");
  ASSERT_EQ(outcome.failures.size(), 1u);
  EXPECT_EQ(outcome.failures[0], "site.yaml:8:62: must never happen: event of 'limit', but at 1s it did");
  EXPECT_EQ(outcome.log.size(), 2u);
}

TEST(Fixtures, TheSameFixtureGivesTheSameLog) {
  const std::string tests =
      "  a: {given: [{every: 10ms, until: 5s, set: {motor-1.current: [20, 35, nan, 10]}}], expect: [{event: limit}]}\n";
  EXPECT_EQ(run(tests).log, run(tests).log);
}

}  // namespace
}  // namespace alara::node
