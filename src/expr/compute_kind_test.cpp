// SPDX-License-Identifier: Apache-2.0
#include "expr/compute_kind.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace alara::expr {
namespace {

Node formula(std::string_view text) {
  return parse_document("compute: " + std::string(text), "site.yaml")->entries[0].value;
}

const std::vector<ValueInfo> kValues = {{"current", *Unit::parse("A"), 100, false}, {"ratio", {}, 10, false}};

TEST(Compute, ReadsItsInputsFromTheFormula) {
  EXPECT_EQ(*compute_kind().inputs(formula("current * ratio + current")),
            (std::vector<std::string>{"current", "ratio"}));
  const auto constant = compute_kind().inputs(formula("1 + 2"));
  ASSERT_FALSE(constant);
  EXPECT_EQ(constant.error().text(), "site.yaml:1:10: compute reads no value: '1 + 2' is a constant");
}

TEST(Compute, GivesOneRowForEachRow) {
  auto made = compute_kind().make(formula("current * 400[V] + ratio * 0[W]"), kValues, {});
  ASSERT_TRUE(made) << made.error().text();
  ASSERT_EQ(made->outputs.size(), 1u);
  EXPECT_EQ(made->outputs[0].name, "");
  EXPECT_EQ(made->outputs[0].unit.text(), "W");
  EXPECT_EQ(made->outputs[0].rate_hz, 100);
  const std::vector<double> current = {1, 2, 3}, ratio = {0, 0, 0};
  const std::vector<Nanos> time = {10, 20, 30};
  const std::vector<std::uint32_t> slot = {4, 0, 4};
  const std::vector<std::span<const double>> columns = {current, ratio};
  Frame in;
  in.slot = slot;
  in.time = time;
  in.columns = columns;
  FrameBuilder out(1);
  made->code->process(in, out);
  const Frame result = out.view(5);
  ASSERT_EQ(result.size(), 3u);
  EXPECT_EQ(result.column(0)[1], 800);
  EXPECT_EQ(result.slot_at(2), 4u);
  EXPECT_EQ(result.time[2], 30);
}

TEST(Compute, CallsAnUndefinedResultBad) {
  auto made = compute_kind().make(formula("log(current / 1A * ratio)"), kValues, {});
  ASSERT_TRUE(made);
  const std::vector<double> current = {1, 1}, ratio = {1, -1};
  const std::vector<Nanos> time = {10, 20};
  const std::vector<std::span<const double>> columns = {current, ratio};
  Frame in;
  in.time = time;
  in.columns = columns;
  FrameBuilder out(1);
  made->code->process(in, out);
  const Frame result = out.view(0);
  EXPECT_EQ(result.quality_at(0), Quality::good);
  EXPECT_EQ(result.quality_at(1), Quality::bad);
  std::vector<Operator::Counter> counters;
  made->code->counters(counters);
  EXPECT_EQ(counters[0].value, 1u);
}

TEST(Compute, ConvertsToAWishedUnit) {
  const auto made = compute_kind().make(formula("(current * 400[V] * (ratio + 1))[kW]"), kValues, {});
  ASSERT_TRUE(made) << made.error().text();
  EXPECT_EQ(made->outputs[0].unit.text(), "kW");
}

TEST(Compute, RefusesAMap) {
  const auto refused = compute_kind().inputs(formula("{value: current}"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().where.line, 1);
}

}  // namespace
}  // namespace alara::expr
