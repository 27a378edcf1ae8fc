// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/compare.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace alara::graph {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

Agreement agreement_of(std::vector<float> original, std::vector<float> changed) {
  Agreement out;
  const Tensor a = Tensor::of<float>({3}, original), b = Tensor::of<float>({3}, changed);
  EXPECT_TRUE(out.add(view(a), view(b)));
  return out;
}

TEST(Agreement, IsTheRatioOfSignalAndNoise) {
  const Agreement one = agreement_of({3, 0, 4}, {3, 0.5, 4});
  EXPECT_NEAR(one.sqnr_db(), 20, 1e-9);
  EXPECT_EQ(one.largest_error(), 0.5);
  EXPECT_EQ(agreement_of({1, 2, 3}, {1, 2, 3}).sqnr_db(), kExactDb);
}

TEST(Agreement, IsNoneWhereADifferenceIsNoNumber) {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    const Agreement one = agreement_of({1, 2, 3}, {1, bad, 3});
    EXPECT_EQ(one.not_finite(), 1u);
    EXPECT_EQ(one.sqnr_db(), -kExactDb);
    EXPECT_EQ(one.cosine(), 0);
    const OutputQuality worst = worst_of({{"good", agreement_of({1, 2, 3}, {1, 2, 3})}, {"bad", one}});
    EXPECT_EQ(worst.sqnr_db, -kExactDb);
    EXPECT_EQ(worst.cosine, 0);
  }
  EXPECT_EQ(agreement_of({1, kNan, 3}, {1, kNan, 3}).not_finite(), 1u);
  EXPECT_EQ(agreement_of({1, -kInfinity, 3}, {1, -kInfinity, 3}).sqnr_db(), kExactDb);
}

}  // namespace
}  // namespace alara::graph
