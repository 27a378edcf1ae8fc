// SPDX-License-Identifier: Apache-2.0
// Windows of event time against plain recomputation on disordered streams, and what happens to broken clocks.
#include <algorithm>
#include <random>
#include <set>

#include "flow/window/testing.hpp"

namespace alara::flow::testing {
namespace {

constexpr Nanos kStart = 1'600'000'000 * kSecond;

Nanos ms(std::int64_t n) { return kStart + n * kMillisecond; }

// A stream of one slot with samples out of place by less than `disorder`; times are distinct.
std::vector<Input> disordered(std::mt19937_64& random, std::size_t n, Nanos disorder) {
  std::vector<std::pair<Nanos, Input>> keyed;
  Nanos time = kStart;
  double counter = 0;
  for (std::size_t i = 0; i < n; ++i) {
    time += 1 + static_cast<Nanos>(random() % (30 * kMillisecond));
    counter = random() % 40 == 0 ? 0 : counter + static_cast<double>(random() % 100);
    const Nanos delay = disorder == 0 ? 0 : static_cast<Nanos>(random() % static_cast<std::uint64_t>(disorder));
    keyed.push_back({time + delay, Input{time, counter}});
  }
  std::sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Input> samples;
  for (const auto& [key, sample] : keyed) samples.push_back(sample);
  return samples;
}

std::vector<Input> sorted(std::vector<Input> samples) {
  std::stable_sort(samples.begin(), samples.end(), [](const Input& a, const Input& b) { return a.time < b.time; });
  return samples;
}

// Interleaves the same stream on three slots, so that states of slots can not be confused.
std::vector<Input> on_three_slots(const std::vector<Input>& samples) {
  std::vector<Input> all;
  for (const Input& sample : samples)
    for (std::uint32_t slot = 0; slot < 3; ++slot)
      all.push_back({sample.time, sample.value, slot, sample.quality, sample.by});
  return all;
}

// The rows of one slot, those still open closed by the engine's clock a day later.
std::vector<Row> rows_of(Harness& window, const std::vector<Input>& samples, std::uint32_t slot) {
  auto rows = window.process(on_three_slots(samples));
  for (Row& row : window.advance(kStart + 24 * kHour)) rows.push_back(std::move(row));
  std::erase_if(rows, [&](const Row& row) { return row.slot != slot; });
  return rows;
}

void expect_windows(Harness& window, const std::vector<Row>& rows,
                    const std::vector<std::pair<Nanos, std::vector<Input>>>& expected, double tolerance = 1e-8) {
  ASSERT_EQ(rows.size(), expected.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].time, expected[i].first) << i;
    expect_plain(window.made(), rows[i], expected[i].second, tolerance, "window " + std::to_string(i));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

std::vector<std::pair<Nanos, std::vector<Input>>> plain_hopping(const std::vector<Input>& samples, Nanos size,
                                                                Nanos every) {
  std::map<Nanos, std::vector<Input>> windows;
  for (const Input& s : sorted(samples))
    for (Nanos start = s.time / every * every; start > s.time - size; start -= every)
      windows[start + size].push_back(s);
  return {windows.begin(), windows.end()};
}

std::string aligned(const char* kind, Nanos size, Nanos every, Nanos lateness) {
  return fmt::format("{{of: a, kind: {}, size: {}us, {}lateness: {}us, use: {}}}", kind, size / 1000,
                     every > 0 ? fmt::format("every: {}us, ", every / 1000) : "", lateness / 1000,
                     "[count, mean, variance, std, min, max, range, sum, rms, slope, first, last, duration, p90]");
}

TEST(TumblingWindow, EqualsThePlainRecomputationOnDisorderedStreams) {
  std::mt19937_64 random(1);
  for (const Nanos disorder : {Nanos{0}, 100 * kMillisecond, kSecond}) {
    const Nanos size = static_cast<Nanos>(50 + random() % 500) * kMillisecond;
    Harness window(aligned("tumbling", size, 0, disorder), 3);
    const auto samples = disordered(random, 700, disorder);
    expect_windows(window, rows_of(window, samples, 1), plain_hopping(samples, size, size));
    EXPECT_EQ(window.counter("late"), 0u);
  }
}

TEST(HoppingWindow, EqualsThePlainRecomputationOnDisorderedStreams) {
  std::mt19937_64 random(2);
  for (const auto& [size, every] : {std::pair{300, 100}, {250, 100}, {1000, 10}, {200, 200}, {210, 140}}) {
    for (const Nanos disorder : {Nanos{0}, 150 * kMillisecond}) {
      Harness window(aligned("hopping", size * kMillisecond, every * kMillisecond, disorder), 3);
      const auto samples = disordered(random, 400, disorder);
      expect_windows(window, rows_of(window, samples, 2),
                     plain_hopping(samples, size * kMillisecond, every * kMillisecond));
    }
  }
}

TEST(TumblingWindow, ReadsACounterAcrossRestarts) {
  std::mt19937_64 random(3);
  Harness window("{of: a, kind: tumbling, size: 1s, use: [rate, duration, last]}", 3);
  const auto samples = disordered(random, 500, 0);
  expect_windows(window, rows_of(window, samples, 0), plain_hopping(samples, kSecond, kSecond));
}

TEST(SessionWindow, EqualsThePlainRecomputationOnDisorderedStreams) {
  std::mt19937_64 random(4);
  for (const Nanos disorder : {Nanos{0}, 60 * kMillisecond}) {
    Harness window(fmt::format("{{of: a, kind: session, gap: 26ms, lateness: {}us, capacity: 200, use: {}}}",
                               disorder / 1000, kEverything),
                   3);
    const auto samples = disordered(random, 500, disorder);
    std::vector<std::pair<Nanos, std::vector<Input>>> expected;
    for (const Input& s : sorted(samples)) {
      if (expected.empty() || s.time - expected.back().first >= 26 * kMillisecond) expected.push_back({s.time, {}});
      expected.back().first = s.time;
      expected.back().second.push_back(s);
    }
    expect_windows(window, rows_of(window, samples, 1), expected);
  }
}

TEST(SessionWindow, IsCutAtItsLongest) {
  Harness window("{of: a, kind: session, gap: 1s, max: 2s, use: [count]}");
  std::vector<Input> samples;
  for (int i = 0; i < 50; ++i) samples.push_back({ms(i * 100), 1});
  const auto rows = window.process(samples);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].values[0], 20);
  EXPECT_EQ(rows[1].values[0], 20);
}

TEST(CountWindow, EqualsThePlainRecomputation) {
  std::mt19937_64 random(5);
  Harness window(fmt::format("{{of: a, kind: count, count: 17, use: {}}}", kEverything), 3);
  const auto samples = disordered(random, 400, 0);
  std::vector<std::pair<Nanos, std::vector<Input>>> expected;
  for (std::size_t i = 0; i + 17 <= samples.size(); i += 17)
    expected.push_back(
        {samples[i + 16].time, {samples.begin() + static_cast<long>(i), samples.begin() + static_cast<long>(i) + 17}});
  expect_windows(window, rows_of(window, samples, 1), expected);
}

TEST(StateWindow, OpensAndClosesWithHysteresis) {
  Harness window("{of: a, by: b, kind: state, open: 5, close: 2, use: [count, sum, first]}", 1, {}, 2);
  std::vector<Input> samples;
  const double by[] = {0, 4, 5, 3, 2, 1.9, 4, 6, 1};
  for (int i = 0; i < 9; ++i) samples.push_back({ms(i), static_cast<double>(i), 0, Quality::good, by[i]});
  const auto rows = window.process(samples);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].time, ms(5));
  EXPECT_EQ(rows[0].values, (std::vector<double>{3, 9, 2}));
  EXPECT_EQ(rows[1].values, (std::vector<double>{1, 7, 7}));
}

TEST(StateWindow, OpensBelowWhereCloseIsAboveOpen) {
  Harness window("{of: a, kind: state, open: 2, close: 5, use: [count, max]}");
  const auto rows = window.process({{ms(0), 6}, {ms(1), 2}, {ms(2), 4}, {ms(3), 5}, {ms(4), 5.5}, {ms(5), 3}});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].values, (std::vector<double>{3, 5}));
}

TEST(StateWindow, BeginsANewWindowWhenTheValueChanges) {
  Harness window("{of: a, kind: state, use: [count, last, duration]}");
  const auto rows = window.process({{ms(0), 1}, {ms(10), 1}, {ms(20), 2}, {ms(30), 2}, {ms(50), 2}, {ms(60), 1}});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].values[0], 2);
  EXPECT_EQ(rows[0].values[1], 1);
  EXPECT_EQ(rows[1].values[0], 3);
  EXPECT_EQ(rows[1].values[1], 2);
  EXPECT_NEAR(rows[1].values[2], 0.03, 1e-12);
}

TEST(Window, ClosesWhenTheWatermarkPasses) {
  Harness window("{of: a, kind: tumbling, size: 1s, lateness: 200ms, use: [count]}");
  EXPECT_TRUE(window.process({{ms(100), 1}, {ms(900), 1}, {ms(1199), 1}}).empty());
  EXPECT_TRUE(window.process({{ms(950), 1}}).empty());
  const auto rows = window.process({{ms(1200), 1}});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].time, ms(1000));
  EXPECT_EQ(rows[0].values[0], 3);
}

TEST(Window, ClosesByTheEnginesClockWhenASlotFallsSilent) {
  Harness window("{of: a, kind: tumbling, size: 1s, idle: 5s, use: [count]}", 2);
  window.advance(ms(0));
  EXPECT_EQ(window.code().next_due(), kNever);
  window.process({{ms(100), 1, 0}, {ms(200), 1, 1}});
  EXPECT_EQ(window.code().next_due(), ms(5000));
  EXPECT_TRUE(window.advance(ms(4999)).empty());
  window.process({{ms(4999), 1, 1}});  // closes the first window of slot 1, which is alive
  const auto rows = window.advance(ms(5000));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].slot, 0u);
  EXPECT_EQ(window.code().next_due(), ms(9999));
}

// The engine calls advance() only when something is due, so rows must bring its time along.
TEST(Window, AStreamWhoseClockIsBehindIsNotSilent) {
  for (const Nanos behind : {kMinute, 3650 * 24 * kHour}) {
    Harness window("{of: a, kind: tumbling, size: 1s, idle: 10s, use: [count]}");
    const Nanos wall = 1'700'000'000 * kSecond;
    std::size_t closed = 0;
    for (int i = 0; i <= 300; ++i) {
      window.now = wall + ms(i * 100);
      closed += window.process({{window.now - behind, 1}}).size();
      if (window.code().next_due() <= window.now) closed += window.advance(window.now).size();
    }
    EXPECT_EQ(window.counter("late"), 0u) << behind;
    EXPECT_GE(closed, 29u) << behind;
    EXPECT_LE(closed, 30u) << behind;
    EXPECT_LE(window.counter("far_off"), 3u) << behind;
  }
}

TEST(Window, WithoutSamplesGivesNothing) {
  Harness window("{of: a, kind: tumbling, size: 10ms, use: [count]}");
  window.process({{ms(1), 1}});
  const auto rows = window.process({{ms(3600 * 1000), 1}});
  EXPECT_EQ(rows.size(), 1u);
}

TEST(Window, CountsLateSamplesAndEmitsThemWhereAskedFor) {
  Harness window("{of: a, kind: tumbling, size: 1s, late: emit, use: [count, mean]}");
  ASSERT_EQ(window.made().outputs.size(), 3u);
  EXPECT_EQ(window.made().outputs[2].name, "late");
  const auto rows = window.process({{ms(500), 1}, {ms(1500), 2}, {ms(700), 7}});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].values[0], 1);
  EXPECT_TRUE(std::isnan(rows[0].values[2]));
  EXPECT_EQ(rows[1].time, ms(700));
  EXPECT_TRUE(std::isnan(rows[1].values[0]));
  EXPECT_EQ(rows[1].values[2], 7);
  EXPECT_EQ(window.counter("late"), 1u);
}

TEST(Window, ATimeTenYearsOffNeitherClosesNorFreezesAStream) {
  constexpr Nanos kTenYears = 3650 * 24 * kHour;
  Harness window("{of: a, kind: tumbling, size: 1s, use: [count]}");
  window.advance(ms(0));
  std::size_t closed = 0;
  for (int i = 0; i < 50; ++i) {
    const Nanos off = i % 10 == 0 ? kTenYears : i % 10 == 5 ? -kTenYears : 0;  // the very first sample, too
    closed += window.process({{ms(i * 100) + off, 1}}).size();
  }
  EXPECT_EQ(window.counter("far_off"), 10u);
  EXPECT_EQ(closed, 4u);
}

TEST(Window, FollowsAClockThatWasReallySet) {
  for (const Nanos off : {3650 * 24 * kHour, -3650 * 24 * kHour}) {
    Harness window("{of: a, kind: tumbling, size: 1s, use: [count]}");
    window.process({{ms(0), 1}, {ms(100), 1}});
    std::size_t closed = 0;
    for (int i = 0; i < 30; ++i) closed += window.process({{ms(200 + i * 100) + off, 1}}).size();
    EXPECT_EQ(window.counter("far_off"), 3u);
    EXPECT_EQ(window.counter("clock_jumps"), 1u);
    EXPECT_EQ(closed, 4u);  // the one open at the jump, and three after it
  }
}

TEST(Window, TakesRepeatedTimesAndRefusesUnusableOnes) {
  Harness window("{of: a, kind: tumbling, size: 1s, use: [count, slope]}");
  window.process({{ms(0), 1}, {ms(0), 2}, {ms(0), NAN}, {INT64_MAX, 1}, {INT64_MIN, 1}, {ms(0), 3, 0, Quality::bad}});
  const auto rows = window.process({{ms(1000), 1}});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].values[0], 2);
  EXPECT_TRUE(std::isnan(rows[0].values[1]));
  EXPECT_EQ(window.counter("unusable"), 4u);
}

TEST(Window, IsUncertainWhenASampleIs) {
  Harness window("{of: a, kind: tumbling, size: 1s, use: [count]}");
  const auto rows = window.process({{ms(0), 1}, {ms(1), 1, 0, Quality::uncertain}, {ms(1000), 1}, {ms(2000), 1}});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].quality, Quality::uncertain);
  EXPECT_EQ(rows[1].quality, Quality::good);
}

TEST(Window, HoldsNoMorePendingSamplesThanItsCapacity) {
  Harness window("{of: a, kind: count, count: 5, lateness: 10s, capacity: 8, use: [count, first]}");
  std::vector<Input> samples;
  for (int i = 0; i < 40; ++i) samples.push_back({ms(i), static_cast<double>(i)});
  const auto rows = window.process(samples);
  EXPECT_EQ(window.counter("overflow"), 32u);
  ASSERT_EQ(rows.size(), 6u);
  EXPECT_EQ(rows[5].values[1], 25);
}

TEST(TumblingWindow, TenMillionSamplesInOneWindowOnALargeOffset) {
  Harness window("{of: a, kind: tumbling, size: 1d, use: [mean, variance, count]}");
  constexpr std::size_t kFrame = 10'000;
  std::mt19937_64 random(9);
  std::vector<double> values(kFrame);
  std::vector<Nanos> times(kFrame);
  FrameBuilder out(3, 16);
  long double sum = 0, squares = 0;
  const Nanos midnight = kStart / (24 * kHour) * 24 * kHour;
  for (std::size_t frame = 0; frame < 1000; ++frame) {
    for (std::size_t i = 0; i < kFrame; ++i) {
      const double noise = static_cast<double>(random() >> 44) * 0x1p-20;  // exact beside 1e9
      values[i] = 1e9 + noise;
      times[i] = midnight + static_cast<Nanos>(frame * kFrame + i) * 1000;
      sum += noise;
      squares += static_cast<long double>(noise) * noise;
    }
    const std::span<const double> column(values);
    window.code().process(Frame{{}, 0, times, {}, {&column, 1}, 0}, out);
  }
  const auto rows = window.process({{midnight + 24 * kHour, 0}});
  ASSERT_EQ(rows.size(), 1u);
  const long double mean = sum / 1e7L;
  EXPECT_NEAR(rows[0].values[0], static_cast<double>(1e9L + mean), 2.5e-7);
  EXPECT_NEAR(rows[0].values[1], static_cast<double>(squares / 1e7L - mean * mean), 1e-10);
  EXPECT_EQ(rows[0].values[2], 1e7);
}

}  // namespace
}  // namespace alara::flow::testing
