// SPDX-License-Identifier: Apache-2.0
#include "infer/session.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "infer/model_fixture.hpp"

namespace alara::infer {
namespace {

using test::Folder;

class Sessions : public ::testing::Test {
 protected:
  void SetUp() override { ALARA_NEEDS_ONNXRUNTIME(); }

  Result<std::unique_ptr<Runner>> open(const std::string& bytes, const RunPlan& plan) {
    ALARA_TRY(const auto session, load_session(folder_.write("m.onnx", bytes), {}));
    return session->make_runner(plan);
  }
  std::string refusal(const std::string& bytes, const RunPlan& plan) {
    const auto runner = open(bytes, plan);
    return runner ? "accepted" : runner.error().text();
  }
  static std::vector<double> row_of(const Runner& runner, std::size_t row) {
    std::vector<double> out(runner.columns().size());
    runner.read(row, out);
    return out;
  }

  Folder folder_;
};

std::vector<double> sample_row(std::size_t width, std::size_t row) {
  std::vector<double> out(width);
  for (std::size_t k = 0; k < width; ++k) out[k] = std::sin(static_cast<double>(row * width + k));
  return out;
}

void expect_as_computed(Runner& runner, const SmallMlp& mlp, std::size_t rows) {
  const std::size_t width = mlp.layers.front().inputs;
  for (std::size_t row = 0; row < rows; ++row) runner.write(row, sample_row(width, row));
  const Status ran = runner.run(rows);
  ASSERT_TRUE(ran) << ran.error().text();
  for (std::size_t row = 0; row < rows; ++row) {
    const std::vector<double> wanted = mlp.compute(sample_row(width, row));
    std::vector<double> got(wanted.size());
    runner.read(row, got);
    for (std::size_t k = 0; k < wanted.size(); ++k)
      ASSERT_NEAR(got[k], wanted[k], 1e-5) << "row " << row << " of " << rows;
  }
}

TEST_F(Sessions, AgreeWithPlainCodeForEveryBatchSize) {
  const SmallMlp mlp = SmallMlp::random({8, 64, 64, 2}, 7);
  auto runner = open(mlp.onnx(), {8, 1, 100, {}});
  ASSERT_TRUE(runner) << runner.error().text();
  for (const std::size_t rows : {1, 2, 7, 99, 100, 1}) expect_as_computed(**runner, mlp, rows);
}

TEST_F(Sessions, FillUpABatchThatTheModelFixes) {
  const SmallMlp mlp = SmallMlp::random({3, 5, 2}, 7);
  auto runner = open(mlp.onnx(4), {3, 1, 10, {}});
  ASSERT_TRUE(runner) << runner.error().text();
  for (const std::size_t rows : {1, 4, 5, 10}) expect_as_computed(**runner, mlp, rows);
}

TEST_F(Sessions, ComputeInDoublePrecisionAndGiveWholeNumbers) {
  SmallModel model;
  const std::vector<double> third{1.0 / 3};
  model.input("x", {-1, 2}, ElementType::float64);
  model.output("scaled", {-1, 2}, ElementType::float64);
  model.output("larger", {-1}, ElementType::int64);
  model.constant64("third", {1}, third);
  model.node("Mul", {"x", "third"}, {"scaled"});
  model.node("ArgMax", {"x"}, {"larger"}, {{"axis", {1}}, {"keepdims", {0}}});
  auto runner = open(model.bytes(), {2, 1, 3, {}});
  ASSERT_TRUE(runner) << runner.error().text();
  (*runner)->write(0, std::vector<double>{1, 2});
  (*runner)->write(1, std::vector<double>{5, 4});
  ASSERT_TRUE((*runner)->run(2));
  EXPECT_EQ(row_of(**runner, 0), (std::vector<double>{1 * (1.0 / 3), 2 * (1.0 / 3), 1}));
  EXPECT_EQ(row_of(**runner, 1), (std::vector<double>{5 * (1.0 / 3), 4 * (1.0 / 3), 0}));
  ASSERT_EQ((*runner)->columns().size(), 3u);
  EXPECT_EQ((*runner)->columns()[1].tensor, "scaled");
  EXPECT_EQ((*runner)->columns()[1].element, 1u);
}

TEST_F(Sessions, GiveOnlyTheOutputsAskedFor) {
  SmallModel model;
  model.input("x", {-1, 2});
  model.output("negated", {-1, 2});
  model.output("root", {-1, 2});
  model.node("Neg", {"x"}, {"negated"});
  model.node("Sqrt", {"x"}, {"root"});
  auto runner = open(model.bytes(), {2, 1, 1, {"root"}});
  ASSERT_TRUE(runner) << runner.error().text();
  (*runner)->write(0, std::vector<double>{4, 9});
  ASSERT_TRUE((*runner)->run(1));
  EXPECT_EQ(row_of(**runner, 0), (std::vector<double>{2, 3}));
}

TEST_F(Sessions, SpreadARowOverSeveralInputs) {
  SmallModel model;
  model.input("a", {-1, 2});
  model.input("b", {-1, 1});
  model.output("sum", {-1, 2});
  model.node("Add", {"a", "b"}, {"sum"});
  auto runner = open(model.bytes(), {3, 1, 2, {}});
  ASSERT_TRUE(runner) << runner.error().text();
  (*runner)->write(0, std::vector<double>{1, 2, 10});
  (*runner)->write(1, std::vector<double>{3, 4, 20});
  ASSERT_TRUE((*runner)->run(2));
  EXPECT_EQ(row_of(**runner, 0), (std::vector<double>{11, 12}));
  EXPECT_EQ(row_of(**runner, 1), (std::vector<double>{23, 24}));
}

// A convolution over time wants [batch, channel, time]; rows come time by time.
std::string convolution() {
  SmallModel model;
  const std::vector<float> kernel{1, 0, 0, /* channel 1: */ 0, 0, 1};
  model.input("x", {-1, 2, 4});
  model.output("y", {-1, 1, 2});
  model.constant("kernel", {1, 2, 3}, kernel);
  model.node("Conv", {"x", "kernel"}, {"y"});
  return model.bytes();
}

TEST_F(Sessions, TurnHistoryForConvolutions) {
  auto runner = open(convolution(), {2, 4, 2, {}});
  ASSERT_TRUE(runner) << runner.error().text();
  (*runner)->write(0, std::vector<double>{1, 10, 2, 20, 3, 30, 4, 40});  // (1,10) at the oldest moment, (4,40) now
  ASSERT_TRUE((*runner)->run(1));
  EXPECT_EQ(row_of(**runner, 0), (std::vector<double>{1 + 30, 2 + 40}));
}

TEST_F(Sessions, SizeAFreeDimensionByTheRow) {
  SmallModel model;
  model.input("x", {-1, -2});
  model.output("twice", {-1, -2});
  model.node("Add", {"x", "x"}, {"twice"});
  auto runner = open(model.bytes(), {5, 1, 3, {}});
  ASSERT_TRUE(runner) << runner.error().text();
  EXPECT_EQ((*runner)->columns().size(), 5u);
}

TEST_F(Sessions, NameBothSidesWhenShapesDoNotFit) {
  const std::string mlp = SmallMlp::random({8, 4, 1}, 1).onnx();
  const std::string text = refusal(mlp, {3, 1, 1, {}});
  EXPECT_NE(text.find("takes 8 numbers per row (features: float32[batch, 8])"), std::string::npos) << text;
  EXPECT_NE(text.find("the step gives 3: 3 values"), std::string::npos) << text;
  EXPECT_NE(refusal(mlp, {3, 5, 1, {}}).find("3 values x 5 rows of history"), std::string::npos);
  EXPECT_EQ(refusal(mlp, {4, 2, 1, {}}), "accepted");  // 4 values, 2 rows: 8 numbers
}

TEST_F(Sessions, RefuseTypesAndShapesThatRowsCanNotFill) {
  SmallModel whole;
  whole.input("x", {-1, 2}, ElementType::int64);
  whole.output("y", {-1, 2}, ElementType::int64);
  whole.node("Neg", {"x"}, {"y"});
  EXPECT_NE(refusal(whole.bytes(), {2, 1, 1, {}}).find("int64[batch, 2] is not float32 or float64"), std::string::npos);

  SmallModel scalar;
  scalar.input("x", {}, ElementType::float32);
  scalar.output("y", {}, ElementType::float32);
  scalar.node("Neg", {"x"}, {"y"});
  EXPECT_NE(refusal(scalar.bytes(), {1, 1, 1, {}}).find("no dimensions"), std::string::npos);

  SmallModel summed;  // one number for the whole batch
  summed.input("x", {-1, 2});
  summed.output("y", {1, 1});
  summed.node("ReduceMean", {"x"}, {"y"});
  const std::string text = refusal(summed.bytes(), {2, 1, 4, {}});
  EXPECT_NE(text.find("output 'y' has the shape [1, 1] for a batch of 2"), std::string::npos) << text;

  SmallModel open_shape;
  open_shape.input("x", {-1, -2, -2});
  open_shape.output("y", {-1, -2, -2});
  open_shape.node("Neg", {"x"}, {"y"});
  EXPECT_NE(refusal(open_shape.bytes(), {2, 1, 1, {}}).find("more than the batch open"), std::string::npos);
}

TEST_F(Sessions, TellACutShortFileFromAnUnknownOperator) {
  const std::string whole = SmallMlp::random({8, 4, 1}, 1).onnx();
  const auto cut = load_session(folder_.write("cut.onnx", whole.substr(0, whole.size() / 2)), {});
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().kind, ErrorKind::corrupt) << cut.error().text();
  EXPECT_NE(cut.error().message.find("cut.onnx"), std::string::npos);

  SmallModel odd;
  odd.input("x", {-1, 1});
  odd.output("y", {-1, 1});
  odd.node("Frobnicate", {"x"}, {"y"});
  const auto unknown = load_session(folder_.write("odd.onnx", odd.bytes()), {});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::bad_input) << unknown.error().text();
  EXPECT_NE(unknown.error().message.find("Frobnicate"), std::string::npos) << unknown.error().text();
}

TEST_F(Sessions, ListTheProvidersWhenOneIsUnknown) {
  const auto session = load_session(folder_.write("m.onnx", SmallMlp::random({2, 1}, 1).onnx()), {1, "abacus"});
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().kind, ErrorKind::bad_input);
  EXPECT_NE(session.error().message.find("no provider 'abacus'"), std::string::npos) << session.error().text();
  EXPECT_NE(session.error().message.find("cpu"), std::string::npos) << session.error().text();
  EXPECT_TRUE(load_session(folder_.path() + "/m.onnx", {2, "CPUExecutionProvider"}));
}

TEST_F(Sessions, AnswerOutOfRangeNumbersWithInfinityAndGoOn) {
  auto runner = open(SmallMlp::random({2, 1}, 1).onnx(), {2, 1, 1, {}});
  ASSERT_TRUE(runner);
  (*runner)->write(0, std::vector<double>{1e300, 1});
  ASSERT_TRUE((*runner)->run(1));
  EXPECT_FALSE(std::isfinite(row_of(**runner, 0)[0]));
}

TEST_F(Sessions, SayWhatToDoWhenTheLibraryIsMissing) {
  const std::string model = folder_.write("m.onnx", SmallMlp::random({2, 1}, 1).onnx());
  setenv("ALARA_ONNXRUNTIME", (folder_.path() + "/nowhere.so").c_str(), 1);
  const auto session = load_session(model, {});
  setenv("ALARA_ONNXRUNTIME", folder_.write("text.so", "not a library").c_str(), 1);
  const auto text = load_session(model, {});
  unsetenv("ALARA_ONNXRUNTIME");
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().kind, ErrorKind::unavailable);
  EXPECT_NE(session.error().text().find("nowhere.so"), std::string::npos) << session.error().text();
  EXPECT_NE(session.error().hint.find("tools/setup"), std::string::npos);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().kind, ErrorKind::unavailable);
  EXPECT_TRUE(load_session(model, {}));
}

}  // namespace
}  // namespace alara::infer
