// SPDX-License-Identifier: Apache-2.0
// Sliding windows against a recomputation from scratch.
#include <algorithm>
#include <cstring>
#include <random>

#include "flow/window/testing.hpp"

namespace alara::flow::testing {
namespace {

std::vector<Input> noise(std::mt19937_64& random, std::size_t n, std::uint32_t slots, double level = 10) {
  std::normal_distribution<double> value(level, 3);
  std::uniform_int_distribution<Nanos> step(1, 20 * kMillisecond);
  std::uniform_int_distribution<std::uint32_t> slot(0, slots - 1);
  std::vector<Input> samples;
  Nanos time = 1'600'000'000 * kSecond;
  for (std::size_t i = 0; i < n; ++i) samples.push_back({time += step(random), value(random), slot(random)});
  return samples;
}

// What each slot's window of the last `count` samples should say, row by row.
void expect_sliding(Harness& window, const std::vector<Row>& rows, const std::vector<Input>& samples, std::size_t count,
                    std::map<std::uint32_t, std::vector<Input>>& past, double tolerance, const std::string& where) {
  ASSERT_EQ(rows.size(), samples.size()) << where;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto& mine = past[samples[i].slot];
    mine.push_back(samples[i]);
    if (mine.size() > count) mine.erase(mine.begin());
    ASSERT_EQ(rows[i].slot, samples[i].slot);
    ASSERT_EQ(rows[i].time, samples[i].time);
    expect_plain(window.made(), rows[i], mine, tolerance, where + ", row " + std::to_string(i));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

std::string by_count(std::size_t count, const char* use, const char* more = "") {
  return fmt::format("{{of: a, kind: sliding, count: {}, use: {}{}}}", count, use, more);
}

TEST(SlidingCount, EqualsThePlainRecomputationForRandomSizesInRows) {
  std::mt19937_64 random(1);
  for (int trial = 0; trial < 25; ++trial) {
    const std::size_t count = trial < 4 ? static_cast<std::size_t>(trial + 1) : 1 + random() % 70;
    Harness window(by_count(count, kWithoutTimes), 7);
    std::map<std::uint32_t, std::vector<Input>> past;
    for (int frame = 0; frame < 6; ++frame) {
      const auto samples = noise(random, 1 + random() % 200, 7);
      expect_sliding(window, window.process(samples), samples, count, past, 1e-11, fmt::format("window {}", count));
    }
  }
}

TEST(SlidingCount, EqualsThePlainRecomputationForRandomMixesOfRowsAndBlocks) {
  std::mt19937_64 random(2);
  for (int trial = 0; trial < 25; ++trial) {
    const std::size_t count = 1 + random() % 150;
    Harness window(by_count(count, kWithoutTimes), 3);
    std::map<std::uint32_t, std::vector<Input>> past;
    for (int frame = 0; frame < 8; ++frame) {
      auto samples = noise(random, 1 + random() % 300, 3);
      if (frame % 3 != 0)
        for (Input& s : samples) s.slot = static_cast<std::uint32_t>(frame % 3);
      expect_sliding(window, window.process(samples), samples, count, past, 1e-11, fmt::format("window {}", count));
    }
  }
}

TEST(SlidingCount, GivesInBlocksWhateverIsAskedForAlsoWhereASpikeIsInTheBlock) {
  for (const char* use : {"[std]", "[rms]", "[rms, std]", "[max]", "[variance, mean]", "[range, sum, first]"}) {
    for (const std::size_t count : {1, 2, 3, 7, 8, 9, 31, 32, 33, 128}) {
      std::mt19937_64 random(count);
      Harness window(by_count(count, use));
      std::map<std::uint32_t, std::vector<Input>> past;
      for (int frame = 0; frame < 6; ++frame) {
        auto samples = noise(random, 200 + static_cast<std::size_t>(frame), 1);
        if (frame == 3) samples[20].value = 1e7;  // takes all digits of running sums
        expect_sliding(window, window.process(samples), samples, count, past, 1e-10,
                       fmt::format("{} of {}, frame {}", use, count, frame));
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(SlidingCount, KeepsFloatSignalsExactlyInHalfTheMemory) {
  std::mt19937_64 random(3);
  ValueInfo narrow;
  narrow.type = SignalType::float32;
  Harness window(by_count(50, kWithoutTimes), 2, narrow);
  Harness wide(by_count(50, kWithoutTimes), 2);
  std::map<std::uint32_t, std::vector<Input>> past;
  for (int frame = 0; frame < 6; ++frame) {
    auto samples = noise(random, 200, 2);
    for (Input& s : samples) s.value = static_cast<float>(s.value);
    if (frame == 3)
      for (Input& s : samples) s.slot = 1;
    expect_sliding(window, window.process(samples), samples, 50, past, 1e-11, "float");
  }
  EXPECT_LT(window.made().memory_bound, wide.made().memory_bound);
}

TEST(SlidingCount, LeavesBadSamplesOutAndCountsThem) {
  Harness window(by_count(3, "[mean, count]"));
  const auto rows =
      window.process({{1, 1}, {2, NAN}, {3, 2, 0, Quality::bad}, {4, 3}, {5, INFINITY}, {6, -1e200}, {7, 5}});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[2].time, 7);
  EXPECT_DOUBLE_EQ(rows[2].values[0], 3);
  EXPECT_EQ(rows[2].values[1], 3);
  EXPECT_EQ(window.counter("unusable"), 4u);
}

TEST(SlidingCount, GivesNothingForAFrameOfBadSamples) {
  Harness window(by_count(3, "[mean]"));
  EXPECT_TRUE(window.process({{1, NAN}, {2, NAN}}).empty());
  EXPECT_TRUE(window.process({}).empty());
}

TEST(SlidingCount, IsUncertainWhileAnUncertainSampleIsInTheWindow) {
  Harness window(by_count(3, "[mean]"));
  const auto rows = window.process({{1, 1}, {2, 1, 0, Quality::uncertain}, {3, 1}, {4, 1}, {5, 1}});
  std::vector<Quality> quality;
  for (const Row& row : rows) quality.push_back(row.quality);
  EXPECT_EQ(quality,
            (std::vector{Quality::good, Quality::uncertain, Quality::uncertain, Quality::uncertain, Quality::good}));
}

TEST(SlidingCount, RecoversFromAJumpOfTheLevelAtOnce) {
  for (const bool blocks : {false, true}) {
    Harness window(by_count(20, "[mean, variance]"));
    std::map<std::uint32_t, std::vector<Input>> past;
    std::mt19937_64 random(4);
    for (const double level : {0.0, 1e9, 1.0, -1e12, 5.0, 1e-6}) {
      std::vector<Input> samples;
      for (int i = 0; i < 67; ++i) samples.push_back({i, level + static_cast<double>(random() % 1000) * 1e-3});
      const auto rows = blocks ? window.process(samples) : window.one_by_one(samples);
      for (std::size_t i = 20; i < samples.size(); ++i) {  // only the new level is in the window
        const auto expected =
            plain({samples.begin() + static_cast<long>(i) - 19, samples.begin() + static_cast<long>(i) + 1});
        const double rounding = std::abs(level) * 1e-16 + 1e-9;
        EXPECT_NEAR(rows[i].values[0], expected.at("mean"), std::abs(level) * 1e-15 + 1e-9) << level << " at " << i;
        EXPECT_NEAR(rows[i].values[1], expected.at("variance"), 0.1 * rounding + 1e-6 * expected.at("variance"))
            << level << " at " << i;
      }
    }
  }
}

TEST(SlidingCount, TenMillionSamplesOnALargeOffsetDoNotWearTheSumsOut) {
  constexpr std::size_t kWindow = 100;
  constexpr std::size_t kFrame = 1000;
  for (const bool block : {false, true}) {
    Harness window(by_count(kWindow, "[mean, variance]"));
    std::mt19937_64 random(5);
    std::vector<double> values(kFrame);
    std::vector<Nanos> times(kFrame);
    std::vector<std::uint32_t> slots(kFrame, 0);
    FrameBuilder out(2, kFrame);
    std::vector<double> tail;
    for (int frame = 0; frame < (block ? 9'000 : 1'000); ++frame) {
      for (double& v : values) v = 1e9 + static_cast<double>(random() >> 11) * 0x1p-53;
      const std::span<const double> column(values);
      const Frame in{block ? std::span<const std::uint32_t>{} : slots, 0, times, {}, {&column, 1}, 0};
      out.clear();
      window.code().process(in, out);
      long double mean = 0, m2 = 0;
      for (std::size_t i = kFrame - kWindow; i < kFrame; ++i) mean += values[i];
      mean /= kWindow;
      for (std::size_t i = kFrame - kWindow; i < kFrame; ++i) m2 += (values[i] - mean) * (values[i] - mean);
      ASSERT_NEAR(out.column(0)[kFrame - 1], static_cast<double>(mean), 2.5e-7);  // two units in the last place at 1e9
      ASSERT_NEAR(out.column(1)[kFrame - 1], static_cast<double>(m2 / kWindow), 1e-12);
    }
  }
}

TEST(SlidingCount, AConstantSignalHasNoSpread) {
  Harness window(by_count(10, "[std, mean, min, max]"));
  std::vector<Input> samples;
  for (int i = 0; i < 100; ++i) samples.push_back({i, i < 37 ? 5e8 : 0.1});
  const auto rows = window.one_by_one(samples);
  for (std::size_t i = 46; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].values[0], 0) << i;
    EXPECT_EQ(rows[i].values[1], 0.1) << i;
  }
}

TEST(SlidingRing, ByTimeEqualsThePlainRecomputation) {
  std::mt19937_64 random(6);
  for (int trial = 0; trial < 10; ++trial) {
    const Nanos size = static_cast<Nanos>(1 + random() % 300) * kMillisecond;
    Harness window(
        fmt::format("{{of: a, kind: sliding, size: {}us, capacity: 5000, use: {}}}", size / 1000, kEverything), 3);
    const auto samples = noise(random, 600, 3);
    const auto rows = window.process(samples);
    ASSERT_EQ(rows.size(), samples.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::vector<Input> inside;
      for (std::size_t j = 0; j <= i; ++j)
        if (samples[j].slot == samples[i].slot && samples[j].time > samples[i].time - size)
          inside.push_back(samples[j]);
      expect_plain(window.made(), rows[i], inside, 1e-8, fmt::format("size {}, row {}", size, i));
      if (HasFatalFailure()) return;
    }
    EXPECT_EQ(window.counter("overflow"), 0u);
  }
}

TEST(SlidingRing, ByCountWithTimesEqualsThePlainRecomputation) {
  std::mt19937_64 random(7);
  for (int trial = 0; trial < 10; ++trial) {
    const std::size_t count = 1 + random() % 60;
    Harness window(by_count(count, kEverything), 3);
    std::map<std::uint32_t, std::vector<Input>> past;
    const auto samples = noise(random, 500, 3);
    expect_sliding(window, window.process(samples), samples, count, past, 1e-8, fmt::format("window {}", count));
  }
}

TEST(SlidingRing, WaitsForLateSamplesAndPutsThemInOrder) {
  Harness window("{of: a, kind: sliding, size: 10s, lateness: 5s, capacity: 100, use: [first, last, count]}");
  EXPECT_TRUE(window.process({{100 * kSecond, 1}, {103 * kSecond, 3}, {102 * kSecond, 2}}).empty());
  const auto rows = window.process({{108 * kSecond, 4}});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1].time, 102 * kSecond);
  EXPECT_EQ(rows[1].values, (std::vector<double>{1, 2, 2}));
  EXPECT_EQ(rows[2].values, (std::vector<double>{1, 3, 3}));
}

TEST(SlidingRing, HoldsNoMoreThanItsCapacityAndCountsTheOverflow) {
  Harness window("{of: a, kind: sliding, size: 10s, capacity: 4, use: [count, min]}");
  std::vector<Input> samples;
  for (int i = 0; i < 10; ++i) samples.push_back({kSecond + i * kMillisecond, static_cast<double>(i)});
  const auto rows = window.process(samples);
  EXPECT_EQ(rows.back().values, (std::vector<double>{4, 6}));
  EXPECT_EQ(window.counter("overflow"), 6u);
  EXPECT_EQ(window.code().memory_bytes(), window.made().memory_bound);
}

TEST(SlidingRing, ReadsARestartedCounter) {
  Harness window("{of: a, kind: sliding, size: 10s, capacity: 100, use: [rate]}");
  const auto rows = window.process({{1 * kSecond, 100}, {2 * kSecond, 110}, {3 * kSecond, 5}, {4 * kSecond, 7}});
  EXPECT_TRUE(std::isnan(rows[0].values[0]));
  EXPECT_DOUBLE_EQ(rows[3].values[0], (10 + 5 + 2) / 3.0);
}

TEST(Sliding, ReplayedTwiceGivesTheSameBits) {
  for (const char* options :
       {"{of: a, kind: sliding, count: 33, use: [mean, std, rms]}",
        "{of: a, kind: sliding, size: 200ms, lateness: 50ms, capacity: 500, use: [mean, std, slope, p95]}",
        "{of: a, kind: hopping, size: 300ms, every: 100ms, lateness: 50ms, use: [mean, std, slope, p95]}"}) {
    std::vector<std::vector<Row>> runs;
    for (int run = 0; run < 2; ++run) {
      Harness window(options, 5);
      std::mt19937_64 random(8);
      runs.push_back(window.process(noise(random, 3000, 5)));
    }
    ASSERT_FALSE(runs[0].empty());
    ASSERT_EQ(runs[0].size(), runs[1].size());
    for (std::size_t i = 0; i < runs[0].size(); ++i) {
      EXPECT_EQ(runs[0][i].time, runs[1][i].time);
      EXPECT_EQ(
          std::memcmp(runs[0][i].values.data(), runs[1][i].values.data(), runs[0][i].values.size() * sizeof(double)),
          0);
    }
  }
}

}  // namespace
}  // namespace alara::flow::testing
