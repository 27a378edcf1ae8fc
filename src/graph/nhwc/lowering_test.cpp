// SPDX-License-Identifier: Apache-2.0
#include "graph/nhwc/lowering.hpp"

#include <gtest/gtest.h>

#include "graph/nhwc/axis_ops.hpp"
#include "graph/nhwc/element_ops.hpp"
#include "graph/nhwc/reduce_ops.hpp"
#include "graph/nhwc/window_ops.hpp"

namespace alara::graph::nhwc {
namespace {

Dims known(std::initializer_list<std::int64_t> sizes) { return dims_of(std::vector<std::int64_t>(sizes)); }

class Layouts : public testing::Test {
 protected:
  // A picture that the graph has with channels first, and not otherwise.
  ValueId turned(const std::string& name, const Dims& dims) {
    const ValueId x = lowering_.input(name, DataType::float32, dims);
    return *pool(lowering_, name + "/pooled", x, Pool::max, {1, 1}, {});
  }
  std::string ops(ValueId result) {
    const auto model = std::move(lowering_).finish({{"y", result}});
    if (!model) return model.error().message;
    std::string out;
    for (const Node& node : model->graph.nodes) out += (out.empty() ? "" : " ") + node.op;
    return out;
  }

  Lowering lowering_{"test", {"y"}, {1 << 20, 1000}};
};

TEST_F(Layouts, ATransposeIsMadeOnceForAllWhoNeedIt) {
  const ValueId x = lowering_.input("x", DataType::float32, known({1, 4, 4, 2}));
  const ValueId a = *pool(lowering_, "a", x, Pool::max, {2, 2}, {});
  const ValueId b = *pool(lowering_, "b", x, Pool::average, {2, 2}, {});
  EXPECT_EQ(ops(*broadcasting(lowering_, "y", "Add", {a, b})), "Transpose MaxPool AveragePool Add Transpose");
}

TEST_F(Layouts, NumberByNumberTheOrderStays) {
  const ValueId x = lowering_.input("x", DataType::float32, known({1, 4, 4, 2}));
  EXPECT_EQ(ops(activation(lowering_, "y", Activation::relu6, x)), "Clip");
}

TEST_F(Layouts, AxesAreThoseOfTheOrder) {
  const ValueId x = turned("x", known({2, 4, 4, 3}));
  const ValueId softmaxed = *softmax(lowering_, "s", x, 1, SoftmaxForm::linear);
  const ValueId cut = *slice(lowering_, "cut", softmaxed, {0, 1, 0, 1}, {2, 2, 4, 2});
  const ValueId padded = *pad(lowering_, "padded", cut, {.before = {0, 1, 2, 3}, .after = {0, 0, 0, 4}});
  EXPECT_EQ(text_of(lowering_.at(padded).dims), "[2, 3, 6, 9]");
  const auto model = std::move(lowering_).finish({{"y", padded}});
  ASSERT_TRUE(model) << model.error().text();
  const Graph& graph = model->graph;
  EXPECT_EQ(graph.nodes[2].integer("axis", 0), 1);
  EXPECT_EQ(*graph.constant(graph.nodes[3].input(3))->to_integers(), (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(*graph.constant(graph.nodes[4].input(1))->to_integers(),
            (std::vector<std::int64_t>{0, 3, 1, 2, 0, 4, 0, 0}));
}

TEST_F(Layouts, AReshapeOfOnePixelNeedsNoTranspose) {
  const ValueId x = turned("x", known({1, 1, 1, 6}));
  EXPECT_EQ(ops(*reshape(lowering_, "y", x, std::vector<std::int64_t>{1, 6})), "Transpose MaxPool Reshape");
}

TEST_F(Layouts, AReshapeOfAPictureDoes) {
  const ValueId x = turned("x", known({1, 2, 2, 6}));
  EXPECT_EQ(ops(*reshape(lowering_, "y", x, std::vector<std::int64_t>{1, 24})), "Transpose MaxPool Transpose Reshape");
}

TEST_F(Layouts, ATransposeOfTheSourceToChannelsFirstIsFree) {
  const ValueId x = turned("x", known({1, 2, 3, 6}));
  const ValueId first = *transpose(lowering_, "first", x, {0, 3, 1, 2});
  EXPECT_EQ(text_of(lowering_.at(first).dims), "[1, 6, 2, 3]");
  EXPECT_EQ(ops(first), "Transpose MaxPool Identity");
}

TEST_F(Layouts, SumsOverThePictureTakeItAsItIs) {
  const ValueId x = turned("x", known({1, 2, 3, 6}));
  EXPECT_EQ(ops(*reduce(lowering_, "y", "ReduceMean", x, {1, 2}, Reduced::kept)),
            "Transpose MaxPool GlobalAveragePool Transpose");
}

TEST_F(Layouts, SumsOverRowsAloneNeedTheSourcesOrder) {
  const ValueId x = turned("x", known({1, 2, 3, 6}));
  EXPECT_EQ(ops(*reduce(lowering_, "y", "ReduceMax", x, {1}, Reduced::dropped)),
            "Transpose MaxPool Transpose ReduceMax");
}

TEST_F(Layouts, ConstantsOfFewerAxesFollow) {
  const ValueId x = turned("x", known({1, 2, 2, 3}));
  const ValueId c = lowering_.constant("c", Tensor::of(Shape{2, 1}, std::vector<float>{1, 2}));
  const auto model = std::move(lowering_).finish({{"y", *broadcasting(lowering_, "y", "Add", {x, c})}});
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_EQ(model->graph.constants.begin()->second->shape, (Shape{1, 1, 1, 2}));  // along the width
}

TEST_F(Layouts, AModelsResultHasItsNameInTheSourcesOrder) {
  const ValueId y = turned("y", known({1, 2, 2, 3}));
  const auto model = std::move(lowering_).finish({{"result", y}, {"again", y}});
  ASSERT_TRUE(model) << model.error().text();
  EXPECT_EQ(model->graph.outputs[0].text(), "result: float32[1, 2, 2, 3]");
  EXPECT_EQ(model->graph.outputs[1].text(), "again: float32[1, 2, 2, 3]");
}

TEST_F(Layouts, ConstantsThatWouldTakeTooMuchMemoryAreRefused) {
  const ValueId big = lowering_.constant("big", Tensor::zeros(DataType::float32, {1 << 19}));
  EXPECT_EQ(ops(activation(lowering_, "y", Activation::relu, big)),
            "constants need more memory than a file of this size may ask for, at 'big'");
}

TEST_F(Layouts, ValuesWithoutEndAreRefused) {
  ValueId x = lowering_.input("x", DataType::float32, known({1, 4}));
  for (int i = 0; i < 1000; ++i) x = activation(lowering_, "a", Activation::relu, x);
  EXPECT_NE(ops(x).find("more values than a file of this size"), std::string::npos);
}

TEST_F(Layouts, ValuesOfTooManyElementsAreRefused) {
  const ValueId x = lowering_.input("x", DataType::float32, known({1, 100'000}));
  EXPECT_NE(ops(*tile(lowering_, "y", x, {100'000, 1})).find("'y' would be [100000, 100000]"), std::string::npos);
}

TEST(Slices, CountAsTensorFlowDoes) {
  const auto shape = [](const StridedSlice& options) {
    Lowering lowering("test", {}, {1 << 20, 1000});
    const auto y = strided_slice(lowering, "y", lowering.input("x", DataType::float32, known({4, 5, 6})), options);
    return y ? text_of(lowering.at(*y).dims) : y.error().message;
  };
  EXPECT_EQ(shape({.begin = {1, 0}, .end = {3, 5}, .strides = {1, 2}}), "[2, 3, 6]");
  EXPECT_EQ(shape({.begin = {-1}, .end = {-10}, .strides = {-1}}), "[4, 5, 6]");
  EXPECT_EQ(shape({.begin = {0}, .end = {0}, .strides = {-2}, .begin_mask = 1, .end_mask = 1}), "[2, 5, 6]");
  EXPECT_EQ(shape({.begin = {2}, .end = {3}, .strides = {1}, .shrink_mask = 1}), "[5, 6]");
  EXPECT_EQ(shape({.begin = {0, 1}, .end = {0, 3}, .strides = {1, 1}, .ellipsis_mask = 1}), "[4, 5, 2]");
  EXPECT_EQ(shape({.begin = {0}, .end = {0}, .strides = {1}, .new_axis_mask = 1}), "[1, 4, 5, 6]");
  EXPECT_EQ(shape({.begin = {9}, .end = {10}, .strides = {1}, .shrink_mask = 1}), "index 9 of axis 0 of [4, 5, 6]");
  EXPECT_EQ(shape({.begin = {0}, .end = {1}, .strides = {0}}), "a stride of 0");
  EXPECT_EQ(shape({.begin = {0, 0, 0, 0}, .end = {1, 1, 1, 1}, .strides = {1, 1, 1, 1}}), "4 ranges for 3 axes");
}

TEST(Windows, FitOrAreRefused) {
  const auto shape = [](const Extent& size, const Window& window) {
    Lowering lowering("test", {}, {1 << 20, 1000});
    const ValueId x = lowering.input("x", DataType::float32, {{-1, "batch"}, {7, {}}, {8, {}}, {3, {}}});
    const auto y = pool(lowering, "y", x, Pool::max, size, window);
    return y ? text_of(lowering.at(*y).dims) : y.error().message;
  };
  EXPECT_EQ(shape({3, 3}, {.stride = {2, 2}, .padding = Padding::same}), "[batch, 4, 4, 3]");
  EXPECT_EQ(shape({3, 3}, {.stride = {2, 2}}), "[batch, 3, 3, 3]");
  EXPECT_EQ(shape({9, 1}, {}), "a window of 9 does not fit into 7");
  EXPECT_EQ(shape({0, 1}, {}), "window 0 x 1 is not between 1 and 16777216");
  EXPECT_EQ(shape({3, 3}, {.stride = {0, 1}}), "stride 0 x 1 is not between 1 and 16777216");
}

}  // namespace
}  // namespace alara::graph::nhwc
