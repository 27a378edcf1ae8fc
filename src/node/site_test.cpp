// SPDX-License-Identifier: Apache-2.0
// What a person is told about a bad site file: the place, what is wrong, and the nearest right name.
#include "node/site.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "node/compile.hpp"

namespace alara::node {
namespace {

// A good site; each test breaks one line of it.
constexpr std::string_view kGood =
    "node: line-1\n"                                                                                     // 1
    "settings: {shards: 1, memory: 64MB}\n"                                                              // 2
    "connectors:\n"                                                                                      // 3
    "  plc: {modbus: {endpoint: \"tcp://127.0.0.1:5020\", poll: 10ms}}\n"                                // 4
    "asset_types:\n"                                                                                     // 5
    "  press:\n"                                                                                         // 6
    "    signals:\n"                                                                                     // 7
    "      motor_current: {unit: A, type: float32, rate: 100Hz}\n"                                       // 8
    "      guard_open: {type: bool}\n"                                                                   // 9
    "assets:\n"                                                                                          // 10
    "  press-{1..3}:\n"                                                                                  // 11
    "    type: press\n"                                                                                  // 12
    "    from: {motor_current: \"plc/holding/{100+2*n}:float32be\", guard_open: \"plc/discrete/{n}\"}\n" // 13
    "pipelines:\n"                                                                                       // 14
    "  overload:\n"                                                                                      // 15
    "    for: press\n"                                                                                   // 16
    "    lane: fast\n"                                                                                   // 17
    "    steps:\n"                                                                                       // 18
    "      load: {window: {of: motor_current, kind: tumbling, size: 1s, use: [mean]}}\n"                 // 19
    "      high: {rule: {when: \"load.mean > 30[A]\", unless: guard_open, do: {write: \"plc/coil/{n}\", value: 1}}}\n";  // 20

std::string with(std::string_view old_text, std::string_view new_text) {
  std::string text(kGood);
  const std::size_t at = text.find(old_text);
  if (at == std::string::npos) {
    ADD_FAILURE() << "the good site has no '" << old_text << "'";
    return text;
  }
  return text.replace(at, old_text.size(), new_text);
}

std::vector<std::string> texts(const std::vector<Error>& errors) {
  std::vector<std::string> out;
  for (const Error& error : errors) out.push_back(error.text());
  return out;
}
std::vector<std::string> errors_of(const std::string& text) { return texts(check_site_text(text, "site.yaml")->diagnosis.errors); }
std::vector<std::string> warnings_of(const std::string& text) { return texts(check_site_text(text, "site.yaml")->diagnosis.warnings); }

using Texts = std::vector<std::string>;

TEST(Site, AGoodFileHasNothingToSay) {
  const auto checked = check_site_text(kGood, "site.yaml");
  EXPECT_EQ(texts(checked->diagnosis.errors), Texts{});
  EXPECT_EQ(texts(checked->diagnosis.warnings), Texts{});
  EXPECT_EQ(checked->site.assets.size(), 3u);
  EXPECT_EQ(checked->compiled.signals.size(), 6u);
  EXPECT_EQ(checked->compiled.connectors[0].actuators.size(), 3u);
}

struct Bad {
  const char* what;
  std::string text;
  std::string error;  // the whole line
};

class BadSite : public ::testing::TestWithParam<Bad> {};

TEST_P(BadSite, GivesOneClearError) { EXPECT_EQ(errors_of(GetParam().text), Texts{GetParam().error}); }

INSTANTIATE_TEST_SUITE_P(
    Of, BadSite,
    ::testing::Values(
        Bad{"UnknownSection", with("pipelines:", "pipeline:"), "site.yaml:14:1: unknown section 'pipeline' (did you mean 'pipelines'?)"},
        Bad{"MissingName", with("node: line-1\n", "\n"), "site.yaml:1:1: node: the node's name is missing (as in 'node: line-1')"},
        Bad{"UnknownSetting", with("memory: 64MB", "memry: 64MB"), "site.yaml:2:23: unknown option 'memry' (did you mean 'memory'?)"},
        Bad{"TooManyShards", with("shards: 1", "shards: 8"), "site.yaml:2:20: shards '8' is above 7"},
        Bad{"BadSize", with("memory: 64MB", "memory: 64 parsecs"), "?"},
        Bad{"UnknownProtocol", with("{modbus:", "{modbuss:"), "site.yaml:4:9: connector 'plc': unknown protocol 'modbuss' (did you mean 'modbus'?)"},
        Bad{"TwoProtocols", with("poll: 10ms}}", "poll: 10ms}, mqtt: {}}"), "?"},
        Bad{"UnknownConnectorOption", with("poll: 10ms", "pol: 10ms"), "?"},
        Bad{"BadDuration", with("poll: 10ms", "poll: 10 parsecs"), "?"},
        Bad{"MissingEndpoint", with("endpoint: \"tcp://127.0.0.1:5020\", ", ""), "?"},
        Bad{"BadEndpoint", with("tcp://127.0.0.1:5020", "udp://127.0.0.1"), "?"},
        Bad{"UnknownUnit", with("unit: A,", "unit: Amper,"), "?"},
        Bad{"UnknownSignalType", with("type: float32", "type: flaot32"), "?"},
        Bad{"UnknownSignalOption", with("rate: 100Hz", "rat: 100Hz"), "?"},
        Bad{"BadFrequency", with("rate: 100Hz", "rate: 100"), "?"},
        Bad{"DuplicateKey", with("      guard_open: {type: bool}\n", "      motor_current: {type: bool}\n"), "?"},
        Bad{"UnknownAssetType", with("type: press\n", "type: pres\n"), "site.yaml:12:11: asset 'press-{1..3}': there is no asset type 'pres' (did you mean 'press'?)"},
        Bad{"UnknownAssetOption", with("    from:", "    form:"), "?"},
        Bad{"UnknownSignalOfAsset", with("guard_open: \"plc", "gaurd_open: \"plc"), "?"},
        Bad{"UnknownConnector", with("\"plc/discrete", "\"plx/discrete"), "?"},
        Bad{"ConnectorWithoutAddress", with("\"plc/discrete/{n}\"", "plc"), "?"},
        Bad{"WrongAddress", with("plc/discrete/{n}", "plc/discreet/7"), "?"},
        Bad{"WrongValueType", with("float32be", "float23be"), "?"},
        Bad{"BadFormula", with("{100+2*n}", "{100+2*q}"), "?"},
        Bad{"UnknownFor", with("for: press", "for: presss"), "?"},
        Bad{"MissingFor", with("    for: press\n", ""), "?"},
        Bad{"UnknownLane", with("lane: fast", "lane: medium"), "?"},
        Bad{"UnknownPipelineOption", with("    lane: fast", "    lan: fast"), "?"},
        Bad{"UnknownKind", with("{window:", "{windwo:"), "?"},
        Bad{"UnknownStepOption", with("use: [mean]", "ues: [mean]"), "?"},
        Bad{"UnknownChoice", with("kind: tumbling", "kind: tumblin"), "?"},
        Bad{"UnknownAggregate", with("use: [mean]", "use: [maen]"), "?"},
        Bad{"UnknownSignal", with("of: motor_current", "of: motor_curent"), "?"},
        Bad{"UnknownOutput", with("load.mean >", "load.max >"), "?"},
        Bad{"WrongUnit", with("30[A]", "30[V]"), "?"},
        Bad{"BrokenFormula", with("load.mean > 30[A]", "load.mean > > 30[A]"), "?"},
        Bad{"NotACondition", with("load.mean > 30[A]", "load.mean + 30[A]"), "?"},
        Bad{"StepNamedAsASignal", with("      load: {", "      guard_open: {"), "?"},
        Bad{"Cycle", with("of: motor_current", "of: high"), "?"},
        Bad{"WrongActuator", with("plc/coil/{n}", "plc/discrete/{n}"), "?"},
        Bad{"UnknownConnectorOfActuator", with("plc/coil/{n}", "pcl/coil/{n}"), "?"},
        Bad{"SignalWithoutSource", with(", guard_open: \"plc/discrete/{n}\"}", "}"), "?"},
        Bad{"WindowTooLarge", with("kind: tumbling, size: 1s", "kind: sliding, size: 1d"), "?"},
        Bad{"TheSameAssetTwice", with("pipelines:\n", "  press-2: {type: press}\npipelines:\n"), "site.yaml:14:3: asset 'press-2' is defined twice"},
        Bad{"TheSameConnectorTwice", with("asset_types:\n", "  pl{1..1}: {mqtt: {endpoint: \"mqtt://127.0.0.1\"}}\n  pl1: {mqtt: {endpoint: \"mqtt://127.0.0.1\"}}\nasset_types:\n"), "?"},
        Bad{"NotYaml", with("  press:\n", "  press: [\n"), "?"},
        Bad{"ATab", with("  overload:\n", "\toverload:\n"), "?"},
        Bad{"Empty", "", "?"},
        Bad{"AList", "- a\n- b\n", "?"},
        Bad{"UplinkToNobody", std::string(kGood) + "uplink: {to: cloud/line-1}\n", "?"},
        Bad{"UplinkThatCanNotCarry", std::string(kGood) + "uplink: {to: plc/holding/1}\n", "?"}),
    [](const auto& each) { return std::string(each.param.what); });

TEST(Site, EveryFaultIsToldAtOnce) {
  std::string text = with("poll: 10ms", "poll: fast");
  text.replace(text.find("unit: A,"), 8, "unit: Q,");
  text.replace(text.find("lane: fast"), 10, "lane: rapid");
  EXPECT_EQ(errors_of(text).size(), 3u);
}

TEST(Site, APipelineThatNeverRunsIsWarnedOf) {
  const auto warnings = warnings_of(with("for: press", "for: spare") .replace(0, 0, ""));
  EXPECT_EQ(warnings, Texts{});
}

}  // namespace
}  // namespace alara::node
