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
    "node: line-1\n"                                                                                      // 1
    "settings: {shards: 1, memory: 64MB}\n"                                                               // 2
    "connectors:\n"                                                                                       // 3
    "  plc: {modbus: {endpoint: \"tcp://127.0.0.1:5020\", poll: 10ms}}\n"                                 // 4
    "asset_types:\n"                                                                                      // 5
    "  press:\n"                                                                                          // 6
    "    signals:\n"                                                                                      // 7
    "      motor_current: {unit: A, type: float32, rate: 100Hz}\n"                                        // 8
    "      guard_open: {type: bool}\n"                                                                    // 9
    "assets:\n"                                                                                           // 10
    "  press-{1..3}:\n"                                                                                   // 11
    "    type: press\n"                                                                                   // 12
    "    from: {motor_current: \"plc/holding/{100+2*n}:float32be\", guard_open: \"plc/discrete/{n}\"}\n"  // 13
    "pipelines:\n"                                                                                        // 14
    "  overload:\n"                                                                                       // 15
    "    for: press\n"                                                                                    // 16
    "    lane: fast\n"                                                                                    // 17
    "    steps:\n"                                                                                        // 18
    "      load: {window: {of: motor_current, kind: tumbling, size: 1s, use: [mean]}}\n"                  // 19
    "      high: {rule: {when: \"load.mean > 30[A]\", unless: guard_open, do: {write: \"plc/coil/{n}\", value: "
    "1}}}\n";  // 20

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
std::vector<std::string> errors_of(const std::string& text) {
  return texts(check_site_text(text, "site.yaml")->diagnosis.errors);
}
std::vector<std::string> warnings_of(const std::string& text) {
  return texts(check_site_text(text, "site.yaml")->diagnosis.warnings);
}

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
  friend void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.what; }
};

class BadSite : public ::testing::TestWithParam<Bad> {};

TEST_P(BadSite, GivesOneClearError) { EXPECT_EQ(errors_of(GetParam().text), Texts{GetParam().error}); }

INSTANTIATE_TEST_SUITE_P(
    Of, BadSite,
    ::testing::Values(
        Bad{"UnknownSection", with("pipelines:", "pipeline:"),
            "site.yaml:14:1: unknown section 'pipeline' (did you mean 'pipelines'?)"},
        Bad{"MissingName", with("node: line-1\n", "\n"),
            "site.yaml:1:1: node: the node's name is missing (as in 'node: line-1')"},
        Bad{"UnknownSetting", with("memory: 64MB", "memry: 64MB"),
            "site.yaml:2:23: settings: unknown option 'memry' (did you mean 'memory'?)"},
        Bad{"TooManyShards", with("shards: 1", "shards: 8"), "site.yaml:2:20: shards: 8 is above the most allowed, 7"},
        Bad{"BadSize", with("memory: 64MB", "memory: 64 parsecs"),
            "site.yaml:2:31: memory: '64 parsecs' is not a size (write a number and B, KB, MB, GB, KiB, MiB or GiB, as "
            "in 64MB)"},
        Bad{"UnknownProtocol", with("{modbus:", "{modbuss:"),
            "site.yaml:4:9: connector 'plc': unknown protocol 'modbuss' (did you mean 'modbus'?)"},
        Bad{"TwoProtocols", with("poll: 10ms}}", "poll: 10ms}, mqtt: {}}"),
            "site.yaml:4:8: connector 'plc': exactly one protocol is expected (as in plc: {modbus: {endpoint: "
            "tcp://10.0.0.5:502}})"},
        Bad{"UnknownConnectorOption", with("poll: 10ms", "pol: 10ms"),
            "site.yaml:4:52: modbus connector: unknown option 'pol' (did you mean 'poll'?)"},
        Bad{"BadDuration", with("poll: 10ms", "poll: 10 parsecs"),
            "site.yaml:4:58: poll: '10 parsecs' is not a duration (write a number and ns, us, ms, s, min, h or d, as "
            "in 10ms)"},
        Bad{"MissingEndpoint", with("endpoint: \"tcp://127.0.0.1:5020\", ", ""),
            "site.yaml:4:17: a modbus connector has either an endpoint (tcp://host:port) or a serial line (serial: "
            "/dev/…)"},
        Bad{"BadEndpoint", with("tcp://127.0.0.1:5020", "udp://127.0.0.1"),
            "site.yaml:4:28: endpoint 'udp://127.0.0.1' does not begin with tcp:// (write tcp://host:port, e.g. "
            "tcp://10.0.0.5:502)"},
        Bad{"UnknownUnit", with("unit: A,", "unit: Amper,"),
            "site.yaml:8:29: unit: unknown unit 'Amper' (units are written as mm/s2, degC, rpm, kW, l/min)"},
        Bad{"UnknownSignalType", with("type: float32", "type: flaot32"),
            "site.yaml:8:38: type: 'flaot32' is not one of bool, int16, uint16, int32, uint32, int64, uint64, float32, "
            "float64 (did you mean 'float32'?)"},
        Bad{"UnknownSignalOption", with("rate: 100Hz", "rat: 100Hz"),
            "site.yaml:8:47: signal: unknown option 'rat' (did you mean 'rate'?)"},
        Bad{"BadFrequency", with("rate: 100Hz", "rate: 100"),
            "site.yaml:8:53: rate: '100' is not a frequency (write a number and Hz, kHz or MHz, as in 6400Hz)"},
        Bad{"DuplicateKey", with("      guard_open: {type: bool}\n", "      motor_current: {type: bool}\n"),
            "site.yaml:9:7: key 'motor_current' is given twice; the first is at line 8"},
        Bad{"UnknownAssetType", with("type: press\n", "type: pres\n"),
            "site.yaml:12:11: asset 'press-{1..3}': there is no asset type 'pres' (did you mean 'press'?)"},
        Bad{"UnknownAssetOption", with("    from:", "    form:"),
            "site.yaml:13:5: asset 'press-{1..3}': unknown option 'form' (allowed are type, from and with)"},
        Bad{"UnknownSignalOfAsset", with("guard_open: \"plc", "gaurd_open: \"plc"),
            "site.yaml:13:62: asset 'press-1': type 'press' has no signal 'gaurd_open' (did you mean 'guard_open'?)"},
        Bad{"UnknownConnector", with("\"plc/discrete", "\"plx/discrete"),
            "site.yaml:13:74: 'plx/discrete/1': there is no connector 'plx' (did you mean 'plc'?)"},
        Bad{"ConnectorWithoutAddress", with("\"plc/discrete/{n}\"", "plc"),
            "site.yaml:13:74: 'plc' names a connector but no address behind it; `alara connectors describe modbus` "
            "shows how one is written"},
        Bad{"WrongAddress", with("plc/discrete/{n}", "plc/discreet/7"),
            "site.yaml:13:74: press-1.guard_open: address 'discreet/7': there is no table 'discreet'; did you mean "
            "'discrete'?; and 2 more of this pattern (write table/number, e.g. holding/102:float32be, "
            "input/7:int16*0.1+5, coil/3 or 2@holding/10.3)"},
        Bad{"WrongValueType", with("float32be", "float23be"),
            "site.yaml:13:27: press-1.motor_current: address 'holding/102:float23be': there is no type 'float23'; did "
            "you mean 'float32'?; and 2 more of this pattern (write table/number, e.g. holding/102:float32be, "
            "input/7:int16*0.1+5, coil/3 or 2@holding/10.3)"},
        Bad{"BadFormula", with("{100+2*n}", "{100+2*q}"),
            "site.yaml:13:27: '{100+2*q}': 'q' has no number here; a name with a range, as in cnc-{01..40}, gives n"},
        Bad{"UnknownFor", with("for: press", "for: presss"),
            "site.yaml:16:10: pipeline 'overload': there is no asset type or asset 'presss' (did you mean 'press'?)"},
        Bad{"MissingFor", with("    for: press\n", ""),
            "site.yaml:16:5: pipeline 'overload': 'for' is missing; it names an asset type or an asset"},
        Bad{"UnknownLane", with("lane: fast", "lane: medium"),
            "site.yaml:17:11: pipeline 'overload': lane 'medium' is neither fast nor slow"},
        Bad{"UnknownPipelineOption", with("    lane: fast", "    lan: fast"),
            "site.yaml:17:5: pipeline 'overload': unknown option 'lan' (did you mean 'lane'?)"},
        Bad{"UnknownKind", with("{window:", "{windwo:"),
            "site.yaml:19:14: step 'load': unknown kind 'windwo' (did you mean 'window'?)"},
        Bad{"UnknownStepOption", with("size: 1s, use", "size: 1s, latness: 2s, use"),
            "site.yaml:19:68: window: unknown option 'latness' (did you mean 'lateness'?)"},
        Bad{"UnknownChoice", with("kind: tumbling", "kind: tumblin"),
            "site.yaml:19:48: kind: 'tumblin' is not one of tumbling, hopping, sliding, session, count, state (did you "
            "mean 'tumbling'?)"},
        Bad{"UnknownAggregate", with("use: [mean]", "use: [maen]"),
            "site.yaml:19:73: pipeline 'overload': unknown aggregate 'maen' (did you mean 'mean'?)"},
        Bad{"UnknownSignal", with("of: motor_current", "of: motor_curent"),
            "site.yaml:19:7: pipeline 'overload': step 'load' reads 'motor_curent', which is no signal of 'press' and "
            "no step's output (did you mean 'motor_current'?)"},
        Bad{"UnknownOutput", with("load.mean >", "load.max >"),
            "site.yaml:20:7: pipeline 'overload': step 'high' reads 'load.max', which is no signal of 'press' and no "
            "step's output (did you mean 'load.mean'?)"},
        Bad{"WrongUnit", with("30[A]", "30[V]"),
            "site.yaml:20:28: pipeline 'overload': step 'high': can not compare 'load.mean' (A) and '30[V]' (V)"},
        Bad{"BrokenFormula", with("load.mean > 30[A]", "load.mean > > 30[A]"),
            "site.yaml:20:40: pipeline 'overload': '>' stands where a value was expected"},
        Bad{"NotACondition", with("load.mean > 30[A]", "load.mean + 30[A]"),
            "site.yaml:20:28: pipeline 'overload': step 'high': 'load.mean + 30[A]' is a number in A, not a condition "
            "(compare it, as in load.mean + 30[A] > 1)"},
        Bad{"StepNamedAsASignal", with("      load: {", "      guard_open: {"),
            "site.yaml:19:7: pipeline 'overload': step 'guard_open' has the name of a signal"},
        Bad{"Cycle", with("of: motor_current", "of: high"),
            "site.yaml:19:7: pipeline 'overload': its steps go in a circle: load reads high reads load (a step can "
            "only read steps that do not read it)"},
        Bad{"WrongActuator", with("plc/coil/{n}", "plc/discrete/{n}"),
            "site.yaml:20:80: plc/discrete/1: a discrete can not be written; write to a coil or a holding register; "
            "and 2 more of this pattern"},
        Bad{"UnknownConnectorOfActuator", with("plc/coil/{n}", "pcl/coil/{n}"),
            "site.yaml:20:80: pipeline 'overload': step 'high': 'pcl/coil/1': there is no connector 'pcl' (did you "
            "mean 'plc'?)"},
        Bad{"SignalWithoutSource", with(", guard_open: \"plc/discrete/{n}\"}", "}"),
            "site.yaml:11:3: pipeline 'overload' reads 'guard_open' of asset 'press-1', which has no source (add "
            "'guard_open: <connector>/<address>' to its 'from')"},
        Bad{"WindowTooLarge", with("kind: tumbling, size: 1s", "kind: sliding, size: 1d"),
            "site.yaml:15:3: the pipelines may come to hold 480.0 MB, more than settings.memory allows (64.0 MB); "
            "'overload' needs 480.0 MB (shorten its windows, lower its rates, or raise settings.memory)"},
        Bad{"TheSameAssetTwice", with("pipelines:\n", "  press-2: {type: press}\npipelines:\n"),
            "site.yaml:14:3: asset 'press-2' is defined twice"},
        Bad{"TheSameConnectorTwice",
            with("asset_types:\n",
                 "  pl{1..1}: {mqtt: {endpoint: \"mqtt://127.0.0.1\"}}\n  pl1: {mqtt: {endpoint: "
                 "\"mqtt://127.0.0.1\"}}\nasset_types:\n"),
            "site.yaml:6:3: connector 'pl1' is defined twice"},
        Bad{"NotYaml", with("  press:\n", "  press: [\n"),
            "site.yaml:8:20: not well-formed YAML: end of sequence flow not found (texts with [ ] { } # or ': ' stand "
            "in quotes; indent with spaces)"},
        Bad{"ATab", with("  overload:\n", "\toverload:\n"),
            "site.yaml:15:10: not well-formed YAML: illegal map value (texts with [ ] { } # or ': ' stand in quotes; "
            "indent with spaces)"},
        Bad{"Empty", "", "site.yaml:1:1: a site file is a map with node, connectors, assets and pipelines"},
        Bad{"AList", "- a\n- b\n", "site.yaml:1:1: a site file is a map with node, connectors, assets and pipelines"},
        Bad{"UplinkToNobody", std::string(kGood) + "uplink: {to: cloud/line-1}\n",
            "site.yaml:21:14: 'cloud/line-1': there is no connector 'cloud' (an address is written "
            "<connector>/<address>)"},
        Bad{"UplinkThatCanNotCarry", std::string(kGood) + "uplink: {to: plc/holding/1}\n",
            "site.yaml:21:14: uplink: connector 'plc' can not carry messages (an mqtt connector can, and a file "
            "connector that appends JSON Lines)"}),
    [](const auto& each) { return std::string(each.param.what); });

TEST(Site, EveryFaultIsToldAtOnce) {
  std::string text = with("poll: 10ms", "poll: 10");
  text.replace(text.find("type: bool"), 10, "type: bol");
  text.replace(text.find("lane: fast"), 10, "lane: rapid");
  EXPECT_EQ(errors_of(text).size(), 3u);
}

TEST(Site, UnreachablePartsAreWarnedOf) {
  EXPECT_EQ(warnings_of(with("  press:\n", "  spare: {signals: {x: {}}}\n  press:\n") +
                        "  idle: {for: spare, rule: {when: x > 1}}\n"),
            Texts{"site.yaml:22:15: pipeline 'idle' never runs: there is no asset of type 'spare'"});
  EXPECT_EQ(warnings_of(with("when: \"load.mean", "when: \"motor_current")),
            Texts{"site.yaml:19:7: pipeline 'overload': nothing reads the results of step 'load'"});
  EXPECT_EQ(warnings_of(with("unless: guard_open, ", "")),
            Texts{"site.yaml:6:3: 1 signal of 'press' is read but no pipeline uses it: guard_open"});
}

TEST(Site, AMissingFileSaysSo) {
  const auto diagnosis = check_site("/nowhere/site.yaml")->diagnosis;
  ASSERT_EQ(diagnosis.errors.size(), 1u);
  EXPECT_NE(diagnosis.errors[0].text().find("/nowhere/site.yaml"), std::string::npos) << diagnosis.errors[0].text();
}

}  // namespace
}  // namespace alara::node
