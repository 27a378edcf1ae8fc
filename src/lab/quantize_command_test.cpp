// SPDX-License-Identifier: Apache-2.0
// `alara-lab quantize` and the data it is given, as a user calls it.
#include <gtest/gtest.h>

#include "graph/builder.hpp"
#include "graph/onnx_file.hpp"
#include "infer/session.hpp"
#include "lab/evaluation_data.hpp"
#include "lab/test_command.hpp"
#include "learn/data/test_files.hpp"

namespace alara::lab {
namespace {

using graph::Tensor;

// Four classes: the largest of four inputs.
graph::Model classifier() {
  graph::Builder builder;
  const std::string x = builder.input("x", graph::DataType::float32, {{-1, "batch"}, {4, {}}});
  Tensor weights = Tensor::zeros(graph::DataType::float32, {4, 4});
  for (std::size_t i = 0; i < 4; ++i) weights.mutable_values<float>()[5 * i] = 1;
  const std::string hidden = builder.node("MatMul", "hidden", {x, builder.constant("w", weights)});
  const std::string scores = builder.node("MatMul", "scores", {hidden, builder.constant("v", weights)});
  builder.output(builder.node("Softmax", "y", {scores}), graph::DataType::float32, graph::Dims{{-1, "batch"}, {4, {}}});
  return std::move(builder).finish();
}

class QuantizeCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto runtime = infer::runtime_info(); !runtime) GTEST_SKIP() << runtime.error().text();
    ASSERT_TRUE(graph::write_onnx(classifier(), at("a.onnx")));
    write_rows("data", 8, 8);
  }
  [[nodiscard]] std::string at(const std::string& name) const { return (folder_.path() / name).string(); }
  void write_rows(const std::string& name, std::size_t rows, std::size_t labels) const {
    Tensor inputs = Tensor::zeros(graph::DataType::float32, {static_cast<std::int64_t>(rows), 4});
    for (std::size_t i = 0; i < rows; ++i) inputs.mutable_values<float>()[4 * i + i % 4] = 2;
    std::vector<std::int64_t> classes(labels);
    for (std::size_t i = 0; i < labels; ++i) classes[i] = static_cast<std::int64_t>(i % 4);
    folder_.write(name + "/inputs.npy", inputs);
    folder_.write(name + "/labels.npy", Tensor::of(graph::Shape{static_cast<std::int64_t>(labels)}, classes));
  }
  learn::TestFolder folder_;
};

TEST_F(QuantizeCommand, MeasuresAFolderWithoutPartsAsItIs) {
  const Said said = say({"quantize", at("a.onnx"), at("b.onnx"), "--calib", at("data"), "--eval", at("data")});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_NE(said.out.find("100.00 % before, 100.00 % now"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("accuracy on 8 samples"), std::string::npos) << said.out;
}

TEST_F(QuantizeCommand, TakesOneNodeFromEachExclude) {
  const Said said = say(
      {"quantize", "--exclude", "hidden", "--exclude", "Softmax", at("a.onnx"), at("b.onnx"), "--calib", at("data")});
  EXPECT_EQ(said.code, 0) << said.err;
  const auto model = graph::read_onnx(at("b.onnx"));
  ASSERT_TRUE(model);
  EXPECT_TRUE(model->graph.constants.contains("w")) << "a float constant as before";
  EXPECT_FALSE(model->graph.constants.contains("v"));
}

TEST_F(QuantizeCommand, RefusesOptionsThatWouldDoNothing) {
  for (const char* plain : {"--fp16", "--weight-only"}) {
    for (const char* option : {"--calib", "--checkpoint"}) {
      const Said said = say({"quantize", at("a.onnx"), at("b.onnx"), plain, option, at("data")});
      EXPECT_EQ(said.code, 2);
      EXPECT_NE(said.err.find("excludes"), std::string::npos) << said.err;
    }
  }
  EXPECT_EQ(say({"quantize", at("a.onnx"), at("b.onnx"), "--fp16"}).code, 0);
  EXPECT_EQ(say({"quantize", at("a.onnx"), at("b.onnx"), "--calib", at("data"), "--samples", "-3"}).code, 2);
  EXPECT_EQ(say({"report", "--float", at("a.onnx"), "--data", at("data"), "--value-samples", "-3"}).code, 2);
}

TEST_F(QuantizeCommand, FindsItsWorkAgainAndScoresOtherDataAnew) {
  const auto run = [&] {
    return say({"quantize", at("a.onnx"), at("b.onnx"), "--calib", at("data"), "--eval", at("data"), "--max-drop", "0",
                "--checkpoint", at("work")});
  };
  const Said first = run();
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(first.out.find("parts of the work were found"), std::string::npos) << first.out;
  const Said second = run();
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_NE(second.out.find("parts of the work were found"), std::string::npos) << second.out;
  const std::vector<std::int64_t> wrong(8, 3);  // other classes at the same place
  folder_.write("data/labels.npy", Tensor::of(graph::Shape{8}, wrong));
  const Said other = run();
  EXPECT_EQ(other.code, 0) << other.err;
  EXPECT_NE(other.out.find("25.000 before, 25.000 now"), std::string::npos) << other.out;
}

TEST_F(QuantizeCommand, RefusesACheckpointThatIsNone) {
  const Said said = say({"quantize", at("a.onnx"), at("b.onnx"), "--calib", at("data"), "--checkpoint", at("a.onnx")});
  EXPECT_EQ(said.code, 1);
  EXPECT_NE(said.err.find("does not begin as a journal"), std::string::npos) << said.err;
  EXPECT_TRUE(graph::read_onnx(at("a.onnx"))) << "the file is as it was";
}

TEST_F(QuantizeCommand, SaysThatWeightsAreFloat16Already) {
  ASSERT_EQ(say({"quantize", at("a.onnx"), at("half.onnx"), "--fp16"}).code, 0);
  const Said said = say({"quantize", at("half.onnx"), at("b.onnx"), "--calib", at("data")});
  EXPECT_EQ(said.code, 2);
  EXPECT_NE(said.err.find("weights are float16"), std::string::npos) << said.err;
}

TEST_F(QuantizeCommand, SaysWhichPreprocessingIsUsed) {
  const Said without = say({"quantize", at("a.onnx"), at("b.onnx"), "--calib", at("data")});
  EXPECT_NE(without.err.find("preprocessing: order=rgb (bytes of pictures by 255"), std::string::npos) << without.err;
  const Said with =
      say({"quantize", at("a.onnx"), at("b.onnx"), "--calib", at("data"), "--preprocessing", "scale=0.5"});
  EXPECT_NE(with.err.find("preprocessing: scale=0.5"), std::string::npos) << with.err;
}

TEST_F(QuantizeCommand, RefusesAPlaceThatCanNotBeWrittenBeforeAnyWork) {
  for (const std::string& place : {at("none/b.onnx"), at("data")}) {
    const Said said = say({"quantize", at("no-such-model.onnx"), place, "--calib", at("data")});
    EXPECT_EQ(said.code, 2);
    EXPECT_NE(said.err.find(place == at("data") ? "is a folder" : "there is no folder"), std::string::npos) << said.err;
  }
  const Said report = say({"report", "--float", at("a.onnx"), "--data", at("data"), "--html", at("none/page.html")});
  EXPECT_NE(report.err.find("to write 'page.html' into"), std::string::npos) << report.err;
  const Said train = say({"finetune", at("a.onnx"), at("b.onnx"), "--data", at("data"), "--curve", at("none/c.json")});
  EXPECT_NE(train.err.find("to write 'c.json' into"), std::string::npos) << train.err;
}

TEST_F(QuantizeCommand, NeverTakesLabelsThatDoNotFitForNone) {
  write_rows("uneven", 8, 7);
  const auto data = EvaluationData::open(at("uneven"), classifier(), "");
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().message, "there are 8 rows, but 7 labels");
  std::filesystem::remove(at("uneven/labels.npy"));
  const auto unlabelled = EvaluationData::open(at("uneven"), classifier(), "");
  ASSERT_TRUE(unlabelled);
  EXPECT_FALSE(unlabelled->labelled());
  const Said said = say({"quantize", at("a.onnx"), at("b.onnx"), "--calib", at("data"), "--eval", at("uneven")});
  EXPECT_EQ(said.code, 2);
  EXPECT_NE(said.err.find("has no labels"), std::string::npos) << said.err;
  EXPECT_FALSE(std::filesystem::exists(at("b.onnx")));
}

}  // namespace
}  // namespace alara::lab
