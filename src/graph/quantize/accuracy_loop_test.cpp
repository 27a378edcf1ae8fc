// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/accuracy_loop.hpp"

#include <gtest/gtest.h>

#include <map>

namespace alara::graph {
namespace {

// Layers whose losses add up.
struct Model {
  std::map<std::size_t, double> losses;
  std::size_t scored = 0;

  Score score() {
    return [this](const std::set<std::size_t>& in_float) -> Result<double> {
      ++scored;
      double out = 100;
      for (const auto& [node, loss] : losses) out -= in_float.contains(node) ? 0 : loss;
      return out;
    };
  }
};

std::vector<Candidate> candidates(const std::map<std::size_t, double>& sensitivities) {
  std::vector<Candidate> out;
  for (const auto& [node, sensitivity] : sensitivities) out.push_back({node, sensitivity});
  return out;
}

TEST(AccuracyLoop, LeavesAGoodModelAlone) {
  Model model{{{1, 0.1}, {2, 0.1}}};
  Silent silent;
  const auto found = find_fewest(candidates(model.losses), 99.5, model.score(), silent);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->in_float.empty());
  EXPECT_EQ(found->tried, 1u);
}

TEST(AccuracyLoop, PutsTheFewestLayersBack) {
  Model model;
  for (std::size_t i = 0; i < 40; ++i) model.losses[i] = 0.01;
  model.losses[7] = 3;
  model.losses[31] = 2;
  Silent silent;
  const auto found = find_fewest(candidates(model.losses), 99.5, model.score(), silent);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->in_float, (std::set<std::size_t>{7, 31}));
  EXPECT_GE(found->score, 99.5);
  EXPECT_LT(model.scored, 15u);
}

TEST(AccuracyLoop, TakesBackWhatTheMeasureOfSensitivityGotWrong) {
  Model model{{{1, 0.0}, {2, 0.0}, {3, 5.0}, {4, 0.1}}};
  Silent silent;
  const auto found = find_fewest(candidates({{1, 9.0}, {2, 8.0}, {3, 7.0}, {4, 1.0}}), 99.5, model.score(), silent);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->in_float, (std::set<std::size_t>{3}));
}

TEST(AccuracyLoop, SaysSoWhenNothingIsEnough) {
  Model model{{{1, 1.0}, {2, 1.0}, {99, 4.0}}};  // 99 is no layer that can be put back
  Silent silent;
  const auto found = find_fewest(candidates({{1, 1.0}, {2, 1.0}}), 99.5, model.score(), silent);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->in_float.size(), 2u);
  EXPECT_EQ(found->score, 96);
}

TEST(AccuracyLoop, StopsWhenAskedTo) {
  class Stopping final : public Progress {
   public:
    void begin(std::string_view, std::size_t) override {}
    void step(std::size_t, std::string_view) override {}
    [[nodiscard]] bool stopped() const override { return true; }
  } stopping;
  Model model{{{1, 1.0}}};
  const auto found = find_fewest(candidates(model.losses), 99.5, model.score(), stopping);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::refused);
}

}  // namespace
}  // namespace alara::graph
