// SPDX-License-Identifier: Apache-2.0
#include "infer/tensor_session.hpp"

#include <gtest/gtest.h>

#include "infer/model_fixture.hpp"

namespace alara::infer {
namespace {

class TensorSessions : public ::testing::Test {
 protected:
  void SetUp() override { ALARA_NEEDS_ONNXRUNTIME(); }

  static Result<std::unique_ptr<TensorSession>> open(const std::string& bytes,
                                                     const TensorSessionOptions& options = {}) {
    return open_tensor_session(std::as_bytes(std::span(bytes)), options);
  }
  template <typename T>
  static NamedTensor named(const std::string& name, ElementType type, std::span<const std::int64_t> shape,
                           const std::vector<T>& numbers) {
    return {name, {type, shape, std::as_bytes(std::span(numbers))}};
  }
  template <typename T>
  static std::vector<T> numbers(const TensorSpan& tensor) {
    const auto* first = reinterpret_cast<const T*>(tensor.bytes.data());
    return {first, first + tensor.bytes.size() / sizeof(T)};
  }
};

// sum = a + b; product = a * sum; larger = ArgMax(sum); count is int64 in, int64 out.
std::string two_paths() {
  SmallModel model;
  model.input("a", {-1, -2});
  model.input("b", {-1, -2});
  model.input("count", {-1}, ElementType::int64);
  model.output("product", {-1, -2});
  model.output("larger", {-1}, ElementType::int64);
  model.output("twice", {-1}, ElementType::int64);
  model.node("Add", {"a", "b"}, {"sum"});
  model.node("Mul", {"a", "sum"}, {"product"});
  model.node("ArgMax", {"sum"}, {"larger"}, {{"axis", {1}}, {"keepdims", {0}}});
  model.node("Add", {"count", "count"}, {"twice"});
  return model.bytes();
}

TEST_F(TensorSessions, RunAnyShapeAndTypeAndGiveTheOutputsAskedFor) {
  const auto session = open(two_paths());
  ASSERT_TRUE(session) << session.error().text();
  EXPECT_EQ((*session)->inputs().at(2).name, "count");
  EXPECT_EQ((*session)->inputs().at(2).type, ElementType::int64);
  EXPECT_EQ((*session)->inputs().at(0).shape.size(), 2u);
  EXPECT_EQ((*session)->outputs().size(), 3u);

  const std::vector<std::string> wanted{"twice", "product"};
  const std::vector<std::int64_t> count{21};
  for (const std::int64_t columns : {2, 3}) {
    const std::vector<std::int64_t> shape{1, columns}, row{1};
    const std::vector<float> a(static_cast<std::size_t>(columns), 3), b(static_cast<std::size_t>(columns), 4);
    const std::vector<NamedTensor> in{named("count", ElementType::int64, row, count),
                                      named("a", ElementType::float32, shape, a),
                                      named("b", ElementType::float32, shape, b)};
    const auto out = (*session)->run(in, wanted);
    ASSERT_TRUE(out) << out.error().text();
    EXPECT_EQ(numbers<std::int64_t>(out->at(0)), std::vector<std::int64_t>{42});
    EXPECT_EQ(numbers<float>(out->at(1)), std::vector<float>(static_cast<std::size_t>(columns), 21.0F));
    EXPECT_EQ(std::vector<std::int64_t>(out->at(1).shape.begin(), out->at(1).shape.end()), shape);
  }
}

TEST_F(TensorSessions, KeepResultsUntilTheNextRun) {
  const SmallMlp mlp = SmallMlp::random({8, 16, 2}, 3);
  for (const auto level : {GraphOptimisation::none, GraphOptimisation::all}) {
    TensorSessionOptions options;
    options.optimisation = level;
    const auto session = open(mlp.onnx(), options);
    ASSERT_TRUE(session) << session.error().text();
    const std::vector<float> row{1, 2, 3, 4, 5, 6, 7, 8};
    const std::vector<std::int64_t> shape{1, 8};
    const std::vector<NamedTensor> in{named((*session)->inputs().at(0).name, ElementType::float32, shape, row)};
    const auto out = (*session)->run(in, std::vector<std::string>{(*session)->outputs().at(0).name});
    ASSERT_TRUE(out) << out.error().text();
    const std::vector<float> got = numbers<float>(out->at(0));
    const std::vector<double> expected = mlp.compute(std::vector<double>(row.begin(), row.end()));
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-4);
  }
}

TEST_F(TensorSessions, NameTheInputThatDoesNotFit) {
  const auto session = open(two_paths());
  ASSERT_TRUE(session) << session.error().text();
  const std::vector<std::int64_t> shape{1, 2}, row{1};
  const std::vector<float> pair{1, 2};
  const std::vector<std::string> wanted{"product"};
  const std::vector<std::int64_t> one{1};
  const auto count = named("count", ElementType::int64, row, one);
  const auto refusal = [&](const std::vector<NamedTensor>& in) {
    const auto out = (*session)->run(in, wanted);
    return out ? Error{ErrorKind::internal, "accepted", {}, {}} : out.error();
  };
  const auto a = named("a", ElementType::float32, shape, pair);
  EXPECT_EQ(refusal({a, count}).kind, ErrorKind::bad_input);
  EXPECT_NE(refusal({a, count}).message.find("'b'"), std::string::npos);
  const auto wrong = refusal({a, named("b", ElementType::float32, row, pair), count});
  EXPECT_EQ(wrong.kind, ErrorKind::bad_input) << wrong.message;
  EXPECT_EQ(refusal({a, {"b", {ElementType::text, shape, {}}}, count}).kind, ErrorKind::bad_input);
  const std::vector<std::int64_t> large{1, 200};  // more than there are bytes
  EXPECT_EQ(refusal({a, named("b", ElementType::float32, large, pair), count}).kind, ErrorKind::bad_input);
}

TEST_F(TensorSessions, RefuseWhatIsNoModel) {
  EXPECT_EQ(open("not a model").error().kind, ErrorKind::corrupt);
  SmallModel strange;
  strange.input("x", {1});
  strange.output("y", {1});
  strange.node("NoSuchOperator", {"x"}, {"y"});
  const auto session = open(strange.bytes(), {"strange", {}, 1, GraphOptimisation::all});
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().kind, ErrorKind::bad_input);
  EXPECT_NE(session.error().message.find("NoSuchOperator"), std::string::npos);
  EXPECT_NE(session.error().message.find("strange"), std::string::npos);
}

}  // namespace
}  // namespace alara::infer
