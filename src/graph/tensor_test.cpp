// SPDX-License-Identifier: Apache-2.0
#include "graph/tensor.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace alara::graph {
namespace {

TEST(Half, KeepsEveryHalf) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = from_half(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(from_half(to_half(value))));
    } else {
      ASSERT_EQ(to_half(value), half) << value;
    }
  }
}

TEST(Half, RoundsToTheNearestAndTiesToEven) {
  EXPECT_EQ(from_half(to_half(1.0F + 0.25F / 1024)), 1.0F);
  EXPECT_EQ(from_half(to_half(1.0F + 0.5F / 1024)), 1.0F);
  EXPECT_EQ(from_half(to_half(1.0F + 1.5F / 1024)), 1.0F + 2.0F / 1024);
  EXPECT_EQ(from_half(to_half(1e6F)), std::numeric_limits<float>::infinity());
  EXPECT_EQ(from_half(to_half(65519.0F)), 65504.0F);
  EXPECT_EQ(from_half(to_half(1e-10F)), 0.0F);
}

TEST(Tensor, RefusesShapesThatOverflow) {
  EXPECT_EQ(*elements_of(Shape{2, 3, 4}), 24);
  EXPECT_EQ(*elements_of(Shape{}), 1);
  EXPECT_EQ(*elements_of(Shape{0, std::int64_t{1} << 40}), 0);
  const auto large = elements_of(Shape{std::int64_t{1} << 40, std::int64_t{1} << 40});
  ASSERT_FALSE(large);
  EXPECT_NE(large.error().message.find("more than"), std::string::npos) << large.error().message;
  EXPECT_FALSE(elements_of(Shape{2, -1}));
}

TEST(Tensor, ConvertsItsNumbers) {
  const Tensor bytes = Tensor::of(Shape{2}, std::vector<std::int8_t>{-3, 5});
  EXPECT_EQ(*bytes.to_floats(), (std::vector<float>{-3, 5}));
  EXPECT_EQ(*bytes.to_integers(), (std::vector<std::int64_t>{-3, 5}));
  EXPECT_FALSE(Tensor::scalar(1.5F).to_integers());
  EXPECT_EQ(Tensor::scalar(1.5F).text(), "float32[]");
  Tensor half = Tensor::zeros(DataType::float16, {1});
  const std::uint16_t one = to_half(1.0F);
  std::memcpy(half.bytes.data(), &one, 2);
  EXPECT_EQ(*half.to_floats(), std::vector<float>{1});
  EXPECT_FALSE(Tensor::zeros(DataType::text, {1}).to_floats());
}

}  // namespace
}  // namespace alara::graph
