// SPDX-License-Identifier: Apache-2.0
#include "learn/autograd/schedule.hpp"

#include <gtest/gtest.h>

#include "graph/builder.hpp"

namespace alara::learn {
namespace {

// x, a = Relu(x), b = Abs(a), c = Add(a, b), d = Neg(x)
graph::Graph diamond() {
  graph::Builder builder;
  const std::string x = builder.input("x", graph::Shape{2});
  const std::string a = builder.node("Relu", "a", {x});
  const std::string b = builder.node("Abs", "b", {a});
  builder.output(builder.node("Add", "c", {a, b}));
  builder.output(builder.node("Neg", "d", {x}));
  return std::move(builder).finish().graph;
}

TEST(Schedule, RunsOnlyWhatIsNeeded) {
  const Slots slots(diamond());
  const Schedule schedule = make_schedule(slots, {slots.slot("b")});
  ASSERT_EQ(schedule.entries.size(), 2U);
  EXPECT_EQ(schedule.entries[0].step, 0U);
  EXPECT_EQ(schedule.entries[1].step, 1U);
}

TEST(Schedule, FreesEachValueAfterItsLastUseAndNeverAWantedOne) {
  const Slots slots(diamond());
  const Schedule schedule = make_schedule(slots, {slots.slot("c"), slots.slot("a")});
  ASSERT_EQ(schedule.entries.size(), 3U);
  EXPECT_EQ(schedule.entries[0].finished, std::vector<std::size_t>{slots.slot("x")});
  EXPECT_TRUE(schedule.entries[1].finished.empty()) << "a is wanted, b is still to be used";
  EXPECT_EQ(schedule.entries[2].finished, std::vector<std::size_t>{slots.slot("b")});
}

TEST(Schedule, HasNoSlotForWhatIsNotThere) {
  const Slots slots(diamond());
  EXPECT_EQ(slots.slot("nowhere"), kNoSlot);
  EXPECT_EQ(slots.count, 5U);
}

}  // namespace
}  // namespace alara::learn
