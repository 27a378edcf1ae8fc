// SPDX-License-Identifier: Apache-2.0
// Reload by difference: what keeps its fingerprint goes on, what changes does not.
#include "node/compile.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

namespace alara::node {
namespace {

constexpr std::string_view kSite = R"(node: x
settings: {shards: 2}
connectors:
  plc: {modbus: {endpoint: "tcp://127.0.0.1:5020", poll: 10ms}}
  broker: {mqtt: {endpoint: "mqtt://127.0.0.1:1883"}}
asset_types:
  press: {signals: {current: {unit: A, rate: 100Hz}, vibration: {unit: mm/s2}}}
assets:
  press-{1..4}: {type: press, from: {current: "plc/input/{n}", vibration: "broker/p/{n}"}, with: {coil: lamp}}
pipelines:
  limit: {for: press, rule: {when: "current > 30[A]", do: {write: "plc/coil/{n}", value: 1}}}
  load: {for: press, lane: slow, steps: {w: {window: {of: vibration, kind: count, count: 9, use: [mean]}}, r: {rule: {when: "w > 3[mm/s2]", raise: {severity: low}}}}}
)";

std::string with(std::string_view old_text, std::string_view new_text) {
  std::string text(kSite);
  const std::size_t at = text.find(old_text);
  EXPECT_NE(at, std::string::npos) << old_text;
  return at == std::string::npos ? text : text.replace(at, old_text.size(), new_text);
}

// A site that was compiled, and then again after its text has changed.
class Reloaded {
 public:
  explicit Reloaded(const std::string& changed) {
    before_ = compile_text(std::string(kSite), nullptr);
    after_ = compile_text(changed, &before_);
  }
  [[nodiscard]] bool keeps_pipeline(const std::string& part) const {
    const PipelineId id = identities_.pipelines.id_of(part);
    const auto found = std::ranges::find(after_.engine.pipelines, id, &flow::PipelinePlan::id);
    return found != after_.engine.pipelines.end() && found->keep;
  }
  [[nodiscard]] bool keeps_connector(const std::string& name) const {
    const auto fingerprint = [&](const Compiled& compiled) {
      const auto found = std::ranges::find(compiled.connectors, name, &CompiledConnector::name);
      return found == compiled.connectors.end() ? std::string{} : found->fingerprint;
    };
    return !fingerprint(after_).empty() && fingerprint(after_) == fingerprint(before_);
  }
  [[nodiscard]] std::string errors() const {
    std::string text;
    for (const Error& error : diagnosis_.errors) text += error.text() + "\n";
    return text;
  }

 private:
  Compiled compile_text(const std::string& text, const Compiled* before) {
    Site& site = sites_.emplace_back();
    diagnosis_ = read_site(parse_document(text, "site.yaml").value(), "site.yaml", site);
    if (!diagnosis_.ok()) return {};
    return compile(site, identities_, {}, before, diagnosis_);
  }
  mutable Identities identities_;
  std::deque<Site> sites_;
  Diagnosis diagnosis_;
  Compiled before_, after_;
};

TEST(Reload, AnEqualFileKeepsEverything) {
  const Reloaded site{std::string(kSite)};
  EXPECT_EQ(site.errors(), "");
  for (const char* part : {"limit#0", "limit#1", "load"}) EXPECT_TRUE(site.keeps_pipeline(part)) << part;
  EXPECT_TRUE(site.keeps_connector("plc"));
  EXPECT_TRUE(site.keeps_connector("broker"));
}

TEST(Reload, CommentsOrderAndWritingDoNotMatter) {
  const Reloaded site(with("node: x\n", "# a comment\nnode: \"x\"\n\n"));
  EXPECT_TRUE(site.keeps_pipeline("limit#0"));
  EXPECT_TRUE(site.keeps_connector("plc"));
}

TEST(Reload, AChangedRuleChangesItsPipelineOnly) {
  const Reloaded site(with("current > 30[A]", "current > 31[A]"));
  EXPECT_FALSE(site.keeps_pipeline("limit#0"));
  EXPECT_FALSE(site.keeps_pipeline("limit#1"));
  EXPECT_TRUE(site.keeps_pipeline("load"));
  EXPECT_TRUE(site.keeps_connector("plc"));
  EXPECT_TRUE(site.keeps_connector("broker"));
}

TEST(Reload, AnotherPipelineLeavesTheRest) {
  const Reloaded site(std::string(kSite) +
                      "  more: {for: press, rule: {when: \"current > 1[A]\", raise: {severity: low}}}\n");
  EXPECT_EQ(site.errors(), "");
  EXPECT_TRUE(site.keeps_pipeline("limit#0"));
  EXPECT_TRUE(site.keeps_pipeline("load"));
  EXPECT_FALSE(site.keeps_pipeline("more#0"));
  EXPECT_TRUE(site.keeps_connector("plc"));
}

TEST(Reload, AnotherAssetChangesItsShardOnly) {
  const Reloaded site(with("press-{1..4}", "press-{1..5}"));
  EXPECT_FALSE(site.keeps_pipeline("limit#0"));
  EXPECT_TRUE(site.keeps_pipeline("limit#1"));
  EXPECT_FALSE(site.keeps_connector("plc"));
}

TEST(Reload, AnotherUnitOrRateChangesThePipelinesOfTheType) {
  EXPECT_FALSE(Reloaded(with("unit: A, rate: 100Hz", "unit: A, rate: 50Hz")).keeps_pipeline("limit#0"));
  EXPECT_FALSE(Reloaded(with("unit: mm/s2", "unit: m/s2")).keeps_pipeline("load"));
}

TEST(Reload, AnotherEndpointChangesItsConnectorAndKeepsThePipelines) {
  const Reloaded site(with("127.0.0.1:5020", "127.0.0.1:5021"));
  EXPECT_FALSE(site.keeps_connector("plc"));
  EXPECT_TRUE(site.keeps_connector("broker"));
  EXPECT_TRUE(site.keeps_pipeline("limit#0"));
}

TEST(Reload, AnotherVariableOfAnAssetChangesWhatMayUseIt) {
  EXPECT_FALSE(Reloaded(with("coil: lamp", "coil: horn")).keeps_pipeline("limit#0"));
}

TEST(Reload, AKeptPipelineWhoseConnectorHasGoneIsAnErrorWithItsPlace) {
  std::string text = with("  plc: {modbus", "  plx: {modbus");
  text.replace(text.find("plc/input"), 9, "plx/input");
  const Reloaded site(text);
  EXPECT_NE(site.errors().find("site.yaml:11:"), std::string::npos) << site.errors();
  EXPECT_NE(site.errors().find("there is no connector 'plc'"), std::string::npos) << site.errors();
}

TEST(Compile, DealsAssetsOutAmongShardsAndPutsTheSlowLaneBehind) {
  const auto checked = check_site_text(kSite, "site.yaml");
  ASSERT_TRUE(checked->diagnosis.ok());
  ASSERT_EQ(checked->compiled.parts.size(), 3u);
  EXPECT_EQ(checked->compiled.parts[0].assets, (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(checked->compiled.parts[1].assets, (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(checked->compiled.parts[2].shard, 2u);
  EXPECT_EQ(checked->compiled.parts[2].assets.size(), 4u);
}

std::string published(std::string_view step) {
  return std::string(kSite) + fmt::format("  up: {{for: press, publish: {}}}\n", step);
}

std::string errors_of(const std::string& site) {
  const auto checked = check_site_text(site, "site.yaml");
  std::string text;
  for (const Error& error : checked->diagnosis.errors) text += error.text() + "\n";
  return text;
}

// The addresses at which a site shows its values.
std::vector<std::string> outlets_of(const std::string& site) {
  const auto checked = check_site_text(site, "site.yaml");
  std::vector<std::string> all;
  for (const CompiledConnector& connector : checked->compiled.connectors)
    for (const OutletBinding& outlet : connector.outlets)
      all.push_back(fmt::format("{}/{}={} {}", connector.name, outlet.address, outlet.name, outlet.unit.text()));
  std::ranges::sort(all);
  return all;
}

TEST(Publish, GivesEachAssetAndValueAPlaceWithItsUnit) {
  const auto outlets = outlets_of(published(R"({values: "*", to: "broker/up/{asset}/{value}"})"));
  ASSERT_EQ(outlets.size(), 8u);
  EXPECT_EQ(outlets[0], "broker/up/press-1/current=press-1.current A");
  EXPECT_EQ(outlets[7], "broker/up/press-4/vibration=press-4.vibration mm/s2");
}

TEST(Publish, TwoValuesAtOneAddressAreAnErrorWithItsPlace) {
  const std::string errors = errors_of(published(R"({values: [current, vibration], to: "broker/up/{asset}"})"));
  EXPECT_NE(errors.find("both 'press-1.current' and 'press-1.vibration' are published at 'broker/up/press-1'"),
            std::string::npos)
      << errors;
  EXPECT_NE(errors.find("site.yaml:13:"), std::string::npos) << errors;
}

TEST(Publish, AConnectorThatShowsNothingToOthersSaysSo) {
  const std::string errors = errors_of(published(R"({values: current, to: "plc/coil/{n}"})"));
  EXPECT_NE(errors.find("press-1.current"), std::string::npos) << errors;
}

TEST(Publish, NewValuesChangeTheConnectorThatShowsThem) {
  const Reloaded site(published(R"({values: current, to: "broker/up/{asset}/{value}"})"));
  EXPECT_FALSE(site.keeps_connector("broker"));
  EXPECT_TRUE(site.keeps_connector("plc"));
}

TEST(Admission, IsReadFromThePipelineAndNeedsAPlaceForDeadLetters) {
  const std::string door = std::string(kSite) +
                           "  door: {for: press, admit: {quality: uncertain, max_age: 5s, otherwise: dead_letter}, "
                           "rule: {when: \"current > 1[A]\", raise: {severity: low}}}\n";
  EXPECT_NE(errors_of(door).find("pipeline 'door': dead letters have no place to go"), std::string::npos)
      << errors_of(door);
  std::string kept = door;
  kept.replace(kept.find("shards: 2"), 9, "shards: 1, dead_letters: dead.jsonl");
  const auto checked = check_site_text(kept, "site.yaml");
  ASSERT_TRUE(checked->diagnosis.ok()) << errors_of(kept);
  const flow::AdmissionPlan admission = checked->compiled.engine.pipelines.back().admission;
  EXPECT_EQ(admission.worst, Quality::uncertain);
  EXPECT_EQ(admission.max_age, 5 * kSecond);
  EXPECT_TRUE(admission.keep);
}

}  // namespace
}  // namespace alara::node
