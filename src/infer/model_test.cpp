// SPDX-License-Identifier: Apache-2.0
#include "infer/model.hpp"

#include <gtest/gtest.h>

#include "infer/model_fixture.hpp"

namespace alara::infer {
namespace {

using test::Folder;
using test::inputs;
using test::make_step;
using test::Rows;
using test::Step;

class ModelSteps : public ::testing::Test {
 protected:
  void SetUp() override {
    ALARA_NEEDS_ONNXRUNTIME();
    folder_.write("mlp.onnx", mlp_.onnx());
  }
  Step make(const std::string& yaml, std::size_t width = 3, std::size_t slots = 1) {
    return make_step(yaml, folder_.path(), inputs(width), slots);
  }
  void expect_refusal(const std::string& yaml, const std::string& part, std::size_t width = 3) {
    const Step step = make(yaml, width);
    ASSERT_FALSE(step.error.empty()) << "accepted: " << yaml;
    EXPECT_NE(step.error.find(part), std::string::npos) << step.error << "\nlacks: " << part;
    EXPECT_EQ(step.error.find("site.yaml:1:"), 0u) << step.error;
  }

  Folder folder_;
  SmallMlp mlp_ = SmallMlp::random({3, 8, 2}, 5);
};

TEST_F(ModelSteps, ComputeTheModelForEveryAsset) {
  const Step step = make("{file: mlp.onnx, inputs: [a, b, c], outputs: [health, days], units: {days: d}}", 3, 40);
  ASSERT_EQ(step.error, "");
  ASSERT_EQ(step.made.outputs.size(), 2u);
  EXPECT_EQ(step.made.outputs[0].name, "health");
  EXPECT_EQ(step.made.outputs[1].unit.text(), "d");
  EXPECT_GT(step.made.memory_bound, 0u);
  Rows rows(3);
  for (std::uint32_t i = 0; i < 40; ++i) rows.add(i, i, {0.1 * i, 1, -0.1 * i});
  FrameBuilder out(2);
  step.code().process(rows.frame(), out);
  ASSERT_EQ(out.size(), 40u);
  for (std::uint32_t i = 0; i < 40; ++i) {
    const auto wanted = mlp_.compute(std::vector<double>{0.1 * i, 1, -0.1 * i});
    EXPECT_NEAR(out.column(0)[i], wanted[0], 1e-5);
    EXPECT_NEAR(out.column(1)[i], wanted[1], 1e-5);
  }
  EXPECT_EQ(test::counter(step.code(), "runs"), 1u);
}

TEST_F(ModelSteps, OutputsHaveTheModelsNamesWithoutOthers) {
  const Step step = make("{file: mlp.onnx, inputs: [a, b, c]}");
  ASSERT_EQ(step.error, "");
  ASSERT_EQ(step.made.outputs.size(), 2u);
  EXPECT_EQ(step.made.outputs[0].name, "prediction_0");
  EXPECT_EQ(step.made.outputs[1].name, "prediction_1");
}

TEST_F(ModelSteps, OutputsMayBeChosenByName) {
  SmallModel model;
  model.input("x", {-1, 1});
  model.output("minus", {-1, 1});
  model.output("double/it", {-1, 1});
  model.node("Neg", {"x"}, {"minus"});
  model.node("Add", {"x", "x"}, {"double/it"});
  folder_.write("two.onnx", model.bytes());
  const Step step = make("{file: two.onnx, inputs: [a], outputs: ['double/it', minus]}", 1);
  ASSERT_EQ(step.error, "");
  EXPECT_EQ(step.made.outputs[0].name, "double_it");
  Rows rows(1);
  rows.add(0, 0, {4});
  FrameBuilder out(2);
  step.code().process(rows.frame(), out);
  EXPECT_EQ(out.column(0)[0], 8);
  EXPECT_EQ(out.column(1)[0], -4);
}

TEST_F(ModelSteps, MistakesAreNamedWithTheirPlace) {
  expect_refusal("{file: none.onnx, inputs: [a, b, c]}", "can not open model");
  expect_refusal("{file: mlp.onnx, inputs: [a, b]}",
                 "takes 3 numbers per row (features: float32[batch, 3]), the step gives 2", 2);
  expect_refusal("{file: mlp.onnx, inputs: [a, b, c], outputs: [health]}", "the model gives 2 numbers per row");
  expect_refusal("{file: mlp.onnx, inputs: [a, b, c], outputs: [health, health]}",
                 "two outputs would be called 'health'");
  expect_refusal("{file: mlp.onnx, inputs: [a, b, c], outputs: [health, days], fallback: {helth: 1, days: 2}}",
                 "did you mean 'health'?");
  expect_refusal("{file: mlp.onnx, inputs: [a, b, c], outputs: [health, days], fallback: {health: 1}}",
                 "no value for output 'days'");
  expect_refusal("{file: mlp.onnx, inputs: [a, b, c], outputs: [health, days], fallback: {health: much, days: 2}}",
                 "much");
  expect_refusal("{file: mlp.onnx, inputs: [a, b, c], fallback: zero}", "neither bad, hold_last nor");
  expect_refusal("{file: mlp.onnx, inputs: [a, b, c], normalise: {mean: [1, 2], std: [1, 2]}}",
                 "2 means and 2 deviations for 3 inputs");
  expect_refusal("{file: mlp.onnx, inputs: [a, b, c], normalise: {mean: [1, 2, 3], std: [1, 0, 1]}}", "above 0, not 0");
  expect_refusal("{file: mlp.onnx, inputs: [a, b, c], digest: 'sha256:00'}", "not the sha256:00 that is asked for");
  expect_refusal("{file: mlp.onnx, inputs: [a, b, c], provider: abacus}", "no provider 'abacus'");
  expect_refusal("{file: mlp.onnx, inputs: [a, b, c], batch: {max: 0}}", "below the least allowed");
  expect_refusal("{file: mlp.onnx, inputs: [a, b, c], batch: {wait: soon}}", "soon");
  expect_refusal("{file: mlp.onnx, inputs: [a, b, c], units: {daze: d}}", "no output 'daze'");
}

TEST_F(ModelSteps, FilesThatAreNotModelsAreRefused) {
  folder_.write("cut.onnx", mlp_.onnx().substr(0, 100));
  expect_refusal("{file: cut.onnx, inputs: [a, b, c]}", "cut.onnx");
  SmallModel odd;
  odd.input("x", {-1, 1});
  odd.output("y", {-1, 1});
  odd.node("Frobnicate", {"x"}, {"y"});
  folder_.write("odd.onnx", odd.bytes());
  expect_refusal("{file: odd.onnx, inputs: [a]}", "Frobnicate", 1);
}

TEST_F(ModelSteps, AModelThatGivesNaNTakesTheFallback) {
  SmallModel root;
  root.input("x", {-1, 1});
  root.output("y", {-1, 1});
  root.node("Sqrt", {"x"}, {"y"});
  folder_.write("root.onnx", root.bytes());
  const Step step = make("{file: root.onnx, inputs: [a], outputs: [y], fallback: {y: 100}}", 1);
  ASSERT_EQ(step.error, "");
  Rows rows(1);
  rows.add(0, 0, {9});
  rows.add(0, 1, {-9});
  FrameBuilder out(1);
  step.code().process(rows.frame(), out);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out.column(0)[0], 3);
  EXPECT_EQ(out.column(0)[1], 100);
  EXPECT_EQ(out.view(0).quality_at(1), Quality::uncertain);
}

TEST_F(ModelSteps, ShardsOfAStepShareOneModelAndItsReplacement) {
  std::map<std::string, std::shared_ptr<void>> shared;
  const std::string yaml = "{file: mlp.onnx, inputs: [a, b, c]}";
  const Step one = make_step(yaml, folder_.path(), inputs(3), 1, &shared);
  const Step two = make_step(yaml, folder_.path(), inputs(3), 1, &shared);
  ASSERT_EQ(one.error + two.error, "");
  const auto slot = model_slot(one.code());
  ASSERT_NE(slot, nullptr);
  EXPECT_EQ(slot, model_slot(two.code()));

  const SmallMlp fresh = SmallMlp::random({3, 4, 2}, 99);
  ASSERT_TRUE(slot->replace(folder_.write("fresh.onnx", fresh.onnx())));
  const SmallMlp wide = SmallMlp::random({3, 4, 5}, 99);
  EXPECT_FALSE(slot->replace(folder_.write("wide.onnx", wide.onnx())));
  EXPECT_FALSE(slot->replace(folder_.write("cut.onnx", fresh.onnx().substr(0, 60))));
  const std::vector<double> row{1, 2, 3};
  for (const Step* step : {&one, &two}) {
    Rows rows(3);
    rows.add(0, 0, row);
    FrameBuilder out(2);
    step->code().process(rows.frame(), out);
    EXPECT_NEAR(out.column(0)[0], fresh.compute(row)[0], 1e-5);
    EXPECT_EQ(test::counter(step->code(), "replaced"), 1u);
  }
}

TEST(ModelKind, DeclaresWhatItReads) {
  const auto node = parse_document("{file: m.onnx, inputs: [vib.rms, vib.crest]}", "site.yaml");
  EXPECT_EQ(model_kind().inputs(*node).value(), (std::vector<std::string>{"vib.rms", "vib.crest"}));
  EXPECT_FALSE(model_kind().inputs(*parse_document("{file: m.onnx, inputs: []}", "site.yaml")));
  EXPECT_EQ(model_kind().key(), "model");
}

}  // namespace
}  // namespace alara::infer
