// SPDX-License-Identifier: Apache-2.0
#include "learn/ort_executor.hpp"

#include <gtest/gtest.h>

#include "graph/builder.hpp"
#include "infer/session.hpp"

namespace alara::learn {
namespace {

using graph::Tensor;

// y = relu(2 x + shift), with the values in between called "scaled" and "shifted".
graph::Model small_model() {
  graph::Builder builder("small");
  builder.input("x", graph::DataType::float32, {{-1, "batch"}, {3, {}}});
  builder.constant("two", Tensor::of<float>({1}, std::vector<float>{2}));
  builder.constant("shift", Tensor::of<float>({3}, std::vector<float>{-3, 0, 1}));
  builder.node("Mul", "scaled", {"x", "two"});
  builder.node("Add", "shifted", {"scaled", "shift"});
  builder.node("Relu", "y", {"shifted"});
  builder.output("y", graph::DataType::float32, graph::Dims{{-1, "batch"}, {3, {}}});
  return std::move(builder).finish();
}

std::vector<float> floats(const graph::TensorView& tensor) {
  const auto values = tensor.values<float>();
  return {values.begin(), values.end()};
}

class OrtExecutor : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (const auto runtime = infer::runtime_info(); !runtime) GTEST_SKIP() << runtime.error().text();
  }
};

TEST_P(OrtExecutor, GivesOutputsAndWhatLiesBetween) {
  const std::vector<std::string> wanted{"shifted", "y", "x", "scaled"};
  const auto executor = make_ort_executor()(small_model(), wanted, {1, GetParam()});
  ASSERT_TRUE(executor) << executor.error().text();
  for (const std::int64_t rows : {1, 2}) {
    const Tensor x = Tensor::of<float>({rows, 3}, std::vector<float>(static_cast<std::size_t>(rows) * 3, 1.0F));
    const std::vector<graph::TensorView> in{graph::view(x)};
    const auto out = (*executor)->run(in);
    ASSERT_TRUE(out) << out.error().text();
    ASSERT_EQ(out->size(), 4u);
    EXPECT_EQ(out->at(0).shape[0], rows);
    const auto row = [](std::vector<float> all) { return std::vector<float>(all.end() - 3, all.end()); };
    EXPECT_EQ(row(floats(out->at(0))), (std::vector<float>{-1, 2, 3}));
    EXPECT_EQ(row(floats(out->at(1))), (std::vector<float>{0, 2, 3}));
    EXPECT_EQ(row(floats(out->at(2))), (std::vector<float>{1, 1, 1}));
    EXPECT_EQ(row(floats(out->at(3))), (std::vector<float>{2, 2, 2}));
  }
}
INSTANTIATE_TEST_SUITE_P(Optimised, OrtExecutor, ::testing::Bool());

TEST_P(OrtExecutor, SaysWhatIsMissing) {
  const auto unknown = make_ort_executor()(small_model(), std::vector<std::string>{"nowhere"}, {1, GetParam()});
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("nowhere"), std::string::npos);

  const auto executor = make_ort_executor()(small_model(), {}, {1, GetParam()});
  ASSERT_TRUE(executor) << executor.error().text();
  EXPECT_EQ((*executor)->run({}).error().kind, ErrorKind::bad_input);
}

}  // namespace
}  // namespace alara::learn
