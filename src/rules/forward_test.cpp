// SPDX-License-Identifier: Apache-2.0
#include "rules/forward.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "rules/rule_harness.hpp"

namespace alara::rules {
namespace {

class ForwardTest : public ::testing::Test {
 protected:
  void make(const std::string& options) {
    node = parse_document(options, "site.yaml").value();
    std::vector<Error> errors;
    forward_kind().schema().check(node, errors);
    ASSERT_TRUE(errors.empty()) << errors.front().text();
    names = forward_kind().inputs(node).value();
    std::vector<ValueInfo> inputs;
    for (const std::string& name : names)
      inputs.push_back({.name = name, .unit = {}, .rate_hz = 1, .boolean = name == "open"});
    OperatorContext context;
    context.assets = assets;
    context.decisions = &decisions;
    context.actuators = &book;
    auto made = forward_kind().make(node, inputs, context);
    error = made ? "" : made.error().text();
    if (made) code = std::move(made->code);
  }
  void row(std::map<std::string, double> values, Quality quality = Quality::good, Nanos time = 50) {
    std::vector<double> row;
    for (const std::string& name : names) row.push_back(values.contains(name) ? values[name] : 0);
    std::vector<std::span<const double>> columns;
    for (const double& value : row) columns.emplace_back(&value, 1);
    Frame frame;
    frame.only_slot = 1;
    frame.time = {&time, 1};
    frame.quality = {&quality, 1};
    frame.columns = columns;
    frame.arrival = 1000;
    code->process(frame, out);
  }
  // The rows given so far: "done outcome value".
  std::string results() {
    std::string all;
    const Frame frame = out.view(0);
    for (std::size_t i = 0; i < frame.size(); ++i)
      all += fmt::format("{} {} {};", frame.column(0)[i], frame.column(1)[i], frame.column(2)[i]);
    return all;
  }
  void answer(std::size_t command, Outcome outcome) {
    code->acknowledged({decisions.sent[command].id, decisions.sent[command].actuator, outcome, 0, 0});
  }

  const std::vector<AssetId> assets{AssetId{3}, AssetId{4}};
  Node node;
  std::vector<std::string> names;
  Recorder decisions;
  Book book;
  std::unique_ptr<Operator> code;
  std::string error;
  FrameBuilder out{3};
};

TEST_F(ForwardTest, WritesTheSetPointAndTellsWhatBecameOfIt) {
  make(R"({of: wanted, to: "drive/{n}", deadline: 100ns, verify: true})");
  row({{"wanted", 40}});
  ASSERT_EQ(decisions.sent.size(), 1u);
  EXPECT_EQ(decisions.sent[0].actuator, ActuatorId{1});
  EXPECT_EQ(decisions.sent[0].value, 40);
  EXPECT_EQ(decisions.sent[0].deadline, 1100);
  EXPECT_TRUE(decisions.sent[0].verify);
  EXPECT_EQ(results(), "");
  EXPECT_EQ(code->next_due(), kNever);
  answer(0, Outcome::done);
  EXPECT_LE(code->next_due(), 0);
  code->advance(60, 60, out);
  EXPECT_EQ(results(), "1 0 40;");
  EXPECT_EQ(out.view(0).time[0], 50);
  EXPECT_EQ(out.view(0).slot_at(0), 1u);
  EXPECT_EQ(code->next_due(), kNever);
}

TEST_F(ForwardTest, EachAnswerFindsItsSetPoint) {
  make(R"({of: wanted, to: "drive/{n}"})");
  row({{"wanted", 1}});
  row({{"wanted", 2}});
  answer(1, Outcome::refused_device);
  answer(0, Outcome::timed_out);
  answer(0, Outcome::done);  // a second answer to the same is nobody's
  code->advance(60, 60, out);
  EXPECT_EQ(results(), "0 1 2;0 4 1;");
}

TEST_F(ForwardTest, RefusesWhatIsOutsideItsLimits) {
  make(R"({of: wanted, to: "drive/{n}", least: 0, most: 100})");
  for (const double value : {-0.1, 100.1, std::numeric_limits<double>::quiet_NaN(), HUGE_VAL}) row({{"wanted", value}});
  EXPECT_TRUE(decisions.sent.empty());
  EXPECT_EQ(decisions.audits.size(), 4u);
  EXPECT_NE(decisions.audits[0].find("below the least"), std::string::npos) << decisions.audits[0];
  EXPECT_NE(decisions.audits[1].find("above the greatest"), std::string::npos) << decisions.audits[1];
  EXPECT_EQ(results().substr(0, 20), "0 2 -0.1;0 2 100.1;0");
  row({{"wanted", 0}});
  row({{"wanted", 100}});
  EXPECT_EQ(decisions.sent.size(), 2u);
}

TEST_F(ForwardTest, AnInterlockThatIsTrueOrNotKnownRefuses) {
  make(R"({of: wanted, to: "drive/{n}", unless: open})");
  row({{"wanted", 5}, {"open", 1}});
  row({{"wanted", 5}, {"open", std::nan("")}});
  row({{"wanted", 5}, {"open", 0}}, Quality::bad);
  EXPECT_TRUE(decisions.sent.empty());
  EXPECT_EQ(decisions.audits.size(), 3u);
  row({{"wanted", 5}, {"open", 0}});
  EXPECT_EQ(decisions.sent.size(), 1u);
}

TEST_F(ForwardTest, ComputesWhatItWritesAndHoldsToTheRate) {
  make(R"({of: wanted, to: "drive/{n}", value: "wanted * 10", rate_limit: 1 per 1min})");
  row({{"wanted", 5}}, Quality::good, kMinute);
  row({{"wanted", 6}}, Quality::good, kMinute + 1);
  row({{"wanted", 7}}, Quality::good, 3 * kMinute);
  ASSERT_EQ(decisions.sent.size(), 2u);
  EXPECT_EQ(decisions.sent[0].value, 50);
  EXPECT_EQ(decisions.sent[1].value, 70);
}

TEST_F(ForwardTest, AFullQueueIsARefusal) {
  make(R"({of: wanted, to: "drive/{n}"})");
  decisions.full = true;
  row({{"wanted", 5}});
  EXPECT_EQ(results(), "0 2 5;");
}

TEST_F(ForwardTest, SetPointsWithoutAnAnswerDoNotPileUp) {
  make(R"({of: wanted, to: "drive/{n}"})");
  for (int i = 0; i < 300; ++i) row({{"wanted", i}});
  answer(0, Outcome::done);  // forgotten
  answer(299, Outcome::done);
  code->advance(60, 60, out);
  EXPECT_EQ(results(), "1 0 299;");
}

TEST_F(ForwardTest, LimitsThatNothingCouldPassAreRefusedAtLoad) {
  make(R"({of: wanted, to: "drive/{n}", least: 5, most: 4})");
  EXPECT_NE(error.find("least (5) is above most (4)"), std::string::npos) << error;
}

}  // namespace
}  // namespace alara::rules
