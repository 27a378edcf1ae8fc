// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/join.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

namespace alara::flow {
namespace {

// A producer's rows with one column.
struct Made {
  std::vector<std::uint32_t> slot;
  std::vector<Nanos> time;
  std::vector<double> value;
  std::vector<Quality> quality;
  std::vector<std::span<const double>> columns;

  Made& row(std::uint32_t s, Nanos t, double v) {
    slot.push_back(s);
    time.push_back(t);
    value.push_back(v);
    return *this;
  }
  Frame frame() {
    columns = {value};
    Frame frame;
    frame.slot = slot;
    frame.time = time;
    frame.quality = quality;
    frame.columns = columns;
    return frame;
  }
};

TEST(Join, SelectsColumnsOfOneProducerWithoutCopying) {
  Made made;
  made.row(0, 1, 10).row(1, 1, 20);
  std::vector<double> second{7, 8};
  Frame frame = made.frame();
  const std::vector<std::span<const double>> columns{made.value, second};
  frame.columns = columns;
  Join join({{0, 1}, {0, 0}, {0, 1}}, 2);
  const std::vector<Frame> produced{frame};
  const Frame joined = join.join(produced, 5);
  ASSERT_EQ(joined.columns.size(), 3u);
  EXPECT_EQ(joined.column(0).data(), second.data());
  EXPECT_EQ(joined.column(1).data(), made.value.data());
  EXPECT_EQ(joined.time.data(), made.time.data());
}

TEST(Join, MakesOneRowOfEqualSlotsAndTimes) {
  Made a, b;
  a.row(0, 1, 10).row(1, 1, 20);
  b.row(0, 1, 1).row(1, 1, 2);
  Join join({{0, 0}, {1, 0}}, 2);
  const std::vector<Frame> produced{a.frame(), b.frame()};
  const Frame joined = join.join(produced, 5);
  ASSERT_EQ(joined.size(), 2u);
  EXPECT_EQ(joined.column(0).data(), a.value.data()) << "aligned frames are not copied";
  EXPECT_EQ(joined.column(1)[1], 2);
  EXPECT_TRUE(joined.quality.empty());
}

TEST(Join, HoldsNanOfBadQualityUntilAnInputIsSeenAndTheLatestValueAfterwards) {
  Made a, b, none;
  a.row(0, 1, 10);
  b.row(0, 2, 5);
  Join join({{0, 0}, {1, 0}}, 2);
  std::vector<Frame> produced{a.frame(), none.frame()};
  Frame joined = join.join(produced, 0);
  ASSERT_EQ(joined.size(), 1u);
  EXPECT_EQ(joined.column(0)[0], 10);
  EXPECT_TRUE(std::isnan(joined.column(1)[0]));
  EXPECT_EQ(joined.quality_at(0), Quality::bad);

  produced = {none.frame(), b.frame()};
  joined = join.join(produced, 0);
  ASSERT_EQ(joined.size(), 1u);
  EXPECT_EQ(joined.column(0)[0], 10);
  EXPECT_EQ(joined.column(1)[0], 5);
  EXPECT_TRUE(joined.quality.empty());
}

TEST(Join, RemembersTheLastRowOfAnAlignedRound) {
  Made a, b, later, none;
  a.row(0, 1, 10).row(0, 2, 11);
  b.row(0, 1, 1).row(0, 2, 2);
  later.row(0, 3, 12);
  Join join({{0, 0}, {1, 0}}, 1);
  std::vector<Frame> produced{a.frame(), b.frame()};
  ASSERT_EQ(join.join(produced, 0).size(), 2u);
  produced = {later.frame(), none.frame()};
  const Frame joined = join.join(produced, 0);
  ASSERT_EQ(joined.size(), 1u);
  EXPECT_EQ(joined.column(1)[0], 2);
}

TEST(Join, TakesTheWorstQuality) {
  Made a, b;
  a.row(0, 1, 10).row(0, 2, 11);
  b.row(0, 1, 1).row(0, 2, 2);
  a.quality = {Quality::uncertain, Quality::good};
  b.quality = {Quality::good, Quality::bad};
  Join join({{0, 0}, {1, 0}}, 1);
  const std::vector<Frame> produced{a.frame(), b.frame()};
  const Frame joined = join.join(produced, 0);
  EXPECT_EQ(joined.quality_at(0), Quality::uncertain);
  EXPECT_EQ(joined.quality_at(1), Quality::bad);
}

TEST(Join, AgreesWithAPlainReferenceOnRandomRounds) {
  std::mt19937 random(7);
  constexpr std::size_t kSlots = 4, kProducers = 3;
  Join join({{0, 0}, {1, 0}, {2, 0}}, kSlots);
  std::vector<std::vector<double>> latest(kSlots, std::vector<double>(kProducers, NAN));
  for (int round = 0; round < 300; ++round) {
    std::vector<Made> made(kProducers);
    // The reference: moments in order, each producer at most once per moment.
    std::map<std::pair<std::uint32_t, Nanos>, std::map<std::size_t, double>> moments;
    for (std::size_t p = 0; p < kProducers; ++p)
      for (Nanos t = 0; t < 6; ++t)
        for (std::uint32_t s = 0; s < kSlots; ++s) {
          if (random() % 3 != 0) continue;
          const double value = static_cast<double>(random() % 1000);
          made[p].row(s, round * 10 + t, value);
          moments[{s, round * 10 + t}][p] = value;
        }
    std::vector<Frame> produced;
    std::size_t with_rows = 0;
    for (Made& m : made) {
      produced.push_back(m.frame());
      with_rows += m.value.empty() ? 0 : 1;
    }
    const Frame joined = join.join(produced, 0);
    ASSERT_EQ(joined.size(), moments.size());
    if (with_rows < 2) continue;
    std::size_t row = 0;
    for (const auto& [moment, values] : moments) {
      for (const auto& [p, value] : values) latest[moment.first][p] = value;
      ASSERT_EQ(joined.slot_at(row), moment.first);
      ASSERT_EQ(joined.time[row], moment.second);
      bool complete = true;
      for (std::size_t p = 0; p < kProducers; ++p) {
        const double expected = latest[moment.first][p];
        complete = complete && !std::isnan(expected);
        if (std::isnan(expected))
          ASSERT_TRUE(std::isnan(joined.column(p)[row]));
        else
          ASSERT_EQ(joined.column(p)[row], expected);
      }
      ASSERT_EQ(joined.quality_at(row), complete ? Quality::good : Quality::bad);
      ++row;
    }
  }
}

TEST(Join, KeepsEveryRowOfAMomentThatComesTwice) {
  Made a, b;
  a.row(0, 1, 10).row(0, 1, 11);
  b.row(0, 1, 1);
  Join join({{0, 0}, {1, 0}}, 1);
  const std::vector<Frame> produced{a.frame(), b.frame()};
  const Frame joined = join.join(produced, 0);
  ASSERT_EQ(joined.size(), 2u);
  EXPECT_EQ(joined.column(0)[0], 10);
  EXPECT_EQ(joined.column(0)[1], 11);
  EXPECT_EQ(joined.column(1)[1], 1);
}

}  // namespace
TEST(Join, TellsTheAgeOfTheOldestValueInARow) {
  Join join({{0, 0}, {1, 0}}, 1);
  Made first, second;
  first.row(0, 10, 1.0);
  second.row(0, 10, 2.0);
  std::vector<Frame> produced{first.frame(), second.frame()};
  produced[0].arrival = produced[1].arrival = 100;
  EXPECT_EQ(join.join(produced, 100).oldest_at(0), 100);

  // Only the second goes on: the first's value stays from 100.
  Made later;
  later.row(0, 20, 3.0);
  Made silent;
  produced = {silent.frame(), later.frame()};
  produced[1].arrival = 200;
  const Frame joined = join.join(produced, 200);
  ASSERT_EQ(joined.size(), 1u);
  EXPECT_EQ(joined.arrival, 200);
  EXPECT_EQ(joined.oldest_at(0), 100);
}

TEST(Join, MakesRowsOfTheFirstInputOnlyWhereItDrives) {
  Join join({{0, 0}, {1, 0}}, 2, true);
  Made set, door;
  door.row(0, 1, 1);
  std::vector<Frame> produced{Frame{}, door.frame()};
  EXPECT_EQ(join.join(produced, 5).size(), 0u);
  set.row(0, 2, 40).row(1, 2, 50);
  produced = {set.frame(), Frame{}};
  const Frame joined = join.join(produced, 6);
  ASSERT_EQ(joined.size(), 2u);
  EXPECT_EQ(joined.column(0)[0], 40);
  EXPECT_EQ(joined.column(1)[0], 1);
  EXPECT_TRUE(std::isnan(joined.column(1)[1]));
  Made later, open;
  later.row(0, 4, 41);
  open.row(0, 3, 0).row(0, 5, 1);
  produced = {later.frame(), open.frame()};
  const Frame merged = join.join(produced, 7);
  ASSERT_EQ(merged.size(), 1u);
  EXPECT_EQ(merged.time[0], 4);
  EXPECT_EQ(merged.column(1)[0], 0);
}

}  // namespace alara::flow
