// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/plan.hpp"

#include <algorithm>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

namespace alara::modbus {
namespace {

class PlanTest : public testing::Test {
 protected:
  void add(std::string_view text, Nanos poll = 10 * kMillisecond) {
    const auto address = parse_address(text, {});
    ASSERT_TRUE(address) << text;
    tags_.push_back({SignalId{static_cast<std::uint32_t>(tags_.size())}, *address});
    if (tags_.back().address.poll == 0) tags_.back().address.poll = poll;
  }

  std::vector<ReadPlan> plan(const Limits& limits = {}, std::span<const Barrier> barriers = {}) {
    std::vector<std::uint32_t> all(tags_.size());
    std::iota(all.begin(), all.end(), 0u);
    auto plans = plan_reads(tags_, all, limits, barriers);
    check(plans, limits);
    return plans;
  }

  // Whatever the plan: every tag is read exactly once, whole, by a request within the limits.
  void check(const std::vector<ReadPlan>& plans, const Limits& limits) {
    std::vector<int> read(tags_.size());
    for (const ReadPlan& request : plans) {
      EXPECT_LE(request.count, is_of_bits(request.table) ? limits.max_bits : limits.max_registers);
      for (const std::uint32_t tag : request.tags) {
        ++read[tag];
        const Address& address = tags_[tag].address;
        EXPECT_EQ(address.unit, request.unit);
        EXPECT_EQ(address.table, request.table);
        EXPECT_EQ(address.poll, request.period);
        EXPECT_GE(address.first, request.first);
        EXPECT_LE(address.first + address.count, request.first + request.count);
      }
    }
    EXPECT_TRUE(std::ranges::all_of(read, [](int times) { return times == 1; }));
  }

  std::vector<Tag> tags_;
};

TEST_F(PlanTest, Reads1300FloatsIn21RequestsWithoutSplittingAny) {
  for (int i = 0; i < 1300; ++i) add(fmt::format("holding/{}:float32", 2 * i));
  const auto plans = plan();
  EXPECT_EQ(plans.size(), 21u);
  EXPECT_EQ(plans.front().count, 124) << "a 125th register would be half a value";
}

TEST_F(PlanTest, MergesOverSmallGapsOnly) {
  for (const char* text : {"holding/0", "holding/17", "holding/35"}) add(text);
  EXPECT_EQ(plan({.max_gap = 16}).size(), 2u) << "16 unwanted registers are read, 17 are not";
  EXPECT_EQ(plan({.max_gap = 17}).size(), 1u);
  EXPECT_EQ(plan({.max_gap = 0}).size(), 3u);
}

TEST_F(PlanTest, KeepsUnitsTablesAndRatesApart) {
  for (const char* text : {"holding/0", "2@holding/1", "input/2", "coil/3", "discrete/4", "holding/5?poll=1s"})
    add(text);
  EXPECT_EQ(plan().size(), 6u);
}

TEST_F(PlanTest, ReadsOverlappingTagsOnce) {
  for (const char* text : {"holding/10.3", "holding/10.4", "holding/10", "holding/10:float32", "holding/11:int16"})
    add(text);
  const auto plans = plan();
  ASSERT_EQ(plans.size(), 1u);
  EXPECT_EQ(plans[0].count, 2);
}

TEST_F(PlanTest, HonoursADevicesOwnLimit) {
  for (int i = 0; i < 64; ++i) add(fmt::format("input/{}", i));
  EXPECT_EQ(plan({.max_registers = 10}).size(), 7u);
  tags_.clear();
  for (int i = 0; i < 4000; ++i) add(fmt::format("coil/{}", i));
  EXPECT_EQ(plan().size(), 2u);
}

TEST_F(PlanTest, NeverCrossesABarrier) {
  for (int i = 0; i < 10; ++i) add(fmt::format("holding/{}", i));
  const std::vector<Barrier> barriers{{1, Table::holding, 4}, {1, Table::input, 6}, {2, Table::holding, 8}};
  const auto plans = plan({}, barriers);
  ASSERT_EQ(plans.size(), 2u);
  EXPECT_EQ(plans[0].count, 4);
  EXPECT_EQ(plans[1].first, 4);
}

TEST_F(PlanTest, ReadsTheLastRegister) {
  add("holding/65535");
  add("holding/65534");
  EXPECT_EQ(plan()[0].count, 2);
}

// The greedy choice against the least number of requests found by dynamic programming over the sorted tags.
TEST_F(PlanTest, NeedsNoMoreRequestsThanTheBestPlan) {
  std::mt19937 random(7);
  const Limits limits{.max_registers = 12, .max_gap = 3};
  for (int round = 0; round < 200; ++round) {
    tags_.clear();
    for (int i = 0; i < 30; ++i) {
      constexpr std::string_view kTypes[] = {"uint16", "float32", "float64"};
      add(fmt::format("holding/{}:{}", random() % 100, kTypes[random() % 3]));
    }
    std::vector<std::pair<int, int>> spans;
    for (const Tag& tag : tags_) spans.emplace_back(tag.address.first, tag.address.first + tag.address.count);
    std::ranges::sort(spans);
    std::vector<std::size_t> best(spans.size() + 1, 1000);
    best[0] = 0;
    for (std::size_t i = 0; i < spans.size(); ++i) {
      int end = spans[i].second;
      for (std::size_t j = i; j < spans.size(); ++j) {
        if (spans[j].first > end + limits.max_gap) break;
        end = std::max(end, spans[j].second);
        if (end - spans[i].first > limits.max_registers) break;
        best[j + 1] = std::min(best[j + 1], best[i] + 1);
      }
    }
    EXPECT_EQ(plan(limits).size(), best.back());
  }
}

TEST_F(PlanTest, ExplainsItself) {
  for (int i = 0; i < 100; ++i) add(fmt::format("holding/{}:float32", 100 + 2 * i));
  add("3@coil/7", kSecond);
  const auto lines = explain_reads(plan());
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0], "101 signals in 3 requests, 201 requests/s");
  EXPECT_EQ(lines[1], "every 10ms  unit 1  holding 100..223 (124 registers, 62 signals)");
  EXPECT_EQ(lines[3], "every 1s  unit 3  coil 7..7 (1 bits, 1 signals)");
}

}  // namespace
}  // namespace alara::modbus
