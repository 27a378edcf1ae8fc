// SPDX-License-Identifier: Apache-2.0
#include "graph/nhwc/dims.hpp"

#include <gtest/gtest.h>

#include "graph/nhwc/arrange.hpp"

namespace alara::graph::nhwc {
namespace {

const Dim kBatch{-1, "batch"};

std::string shape_text(const Result<Dims>& dims) { return dims ? text_of(*dims) : dims.error().message; }
Dims known(std::initializer_list<std::int64_t> sizes) { return dims_of(std::vector<std::int64_t>(sizes)); }

TEST(Dims, NegativeAxesCountFromTheEnd) {
  EXPECT_EQ(*axis_of(-1, 4), 3u);
  EXPECT_EQ(*axis_of(2, 4), 2u);
  EXPECT_FALSE(axis_of(4, 4));
  EXPECT_FALSE(axis_of(-5, 4));
  EXPECT_EQ(*axes_of(std::vector<std::int64_t>{-1, 1, 3}, 4), (std::vector<std::size_t>{1, 3}));
}

TEST(Dims, BroadcastAsNumPyDoes) {
  EXPECT_EQ(shape_text(broadcast(known({2, 1, 4}), known({3, 1}))), "[2, 3, 4]");
  EXPECT_EQ(shape_text(broadcast({}, known({3}))), "[3]");
  EXPECT_EQ(shape_text(broadcast({kBatch, {4, {}}}, known({1, 4}))), "[batch, 4]");
  EXPECT_EQ(shape_text(broadcast(known({1, 4}), {kBatch, {4, {}}})), "[batch, 4]");
  EXPECT_EQ(shape_text(broadcast({kBatch, {4, {}}}, known({7, 4}))), "[7, 4]");
  EXPECT_EQ(shape_text(broadcast(known({2, 3}), known({2, 4}))), "shapes [2, 3] and [2, 4] do not fit each other");
}

TEST(Dims, AReshapeKeepsTheNumberOfElements) {
  const auto to = [](const Dims& from, std::vector<std::int64_t> target) { return shape_text(reshaped(from, target)); };
  EXPECT_EQ(to(known({2, 3, 4}), {6, -1}), "[6, 4]");
  EXPECT_EQ(to(known({2, 3}), {7}), "[2, 3] can not be reshaped to [7]");
  EXPECT_EQ(to(known({2, 3}), {-1, -1}), "[2, 3] can not be reshaped to [-1, -1]");
  EXPECT_EQ(to({kBatch, {3, {}}, {4, {}}}, {-1, 12}), "[batch, 12]");
  EXPECT_EQ(to({kBatch, {3, {}}}, {-1, 12}), "[?, 12]");
}

TEST(Dims, TwoSidesMustAgree) {
  EXPECT_EQ(shape_text(agreed({kBatch, {3, {}}}, known({1, 3}))), "[1, 3]");
  EXPECT_EQ(shape_text(agreed(known({1, 3}), {kBatch, {3, {}}})), "[1, 3]");
  EXPECT_EQ(shape_text(agreed(known({1, 3}), known({1, 4}))), "its output has shape [1, 3], but is declared as [1, 4]");
}

TEST(Arrange, MovesEveryNumberToItsPlace) {
  const Tensor tensor = Tensor::of(Shape{2, 3}, std::vector<std::int32_t>{1, 2, 3, 4, 5, 6});
  const Tensor turned = permuted(tensor, std::vector<std::int64_t>{1, 0});
  EXPECT_EQ(turned, Tensor::of(Shape{3, 2}, std::vector<std::int32_t>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(permuted(turned, std::vector<std::int64_t>{1, 0}), tensor);
  EXPECT_EQ(permuted(Tensor::zeros(DataType::int8, {0, 3}), std::vector<std::int64_t>{1, 0}).shape, (Shape{3, 0}));
}

}  // namespace
}  // namespace alara::graph::nhwc
