// SPDX-License-Identifier: Apache-2.0
#include "flow/feature/filter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>

#include "flow/feature/filter_design.hpp"
#include "flow/feature/step_fixture.hpp"

namespace alara::flow {
namespace {

using namespace test;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<double> tone(std::size_t n, double rate_hz, double hz) {
  std::vector<double> out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate_hz);
  return out;
}

// Amplitude of what a step lets through of a tone, after it has settled.
double gain(const std::string& yaml, double rate_hz, double hz) {
  auto made = make_step(filter_kind(), yaml, {signal("v", "A", rate_hz)});
  EXPECT_TRUE(made) << made.error().text();
  if (!made) return kNaN;
  Rows rows(tone(20'000, rate_hz, hz), 0, static_cast<Nanos>(1e9 / rate_hz));
  const auto out = run(*made, rows);
  double power = 0;
  for (std::size_t i = out.size() / 2; i < out.size(); ++i) power += 2 * out[i].values[0] * out[i].values[0];
  return std::sqrt(power / static_cast<double>(out.size() - out.size() / 2));
}

TEST(Filter, ButterworthOfEveryOrderIsItsClosedForm) {
  // |H|^2 = 1 / (1 + (tan(pi f / r) / tan(pi c / r))^2n), the bilinear transform's warping taken into account.
  for (int order = 1; order <= 8; ++order)
    for (const double hz : {5.0, 50.0, 100.0, 150.0, 400.0}) {
      const double ratio = std::tan(std::numbers::pi * hz / 1000) / std::tan(std::numbers::pi * 100 / 1000);
      const double expected = 1 / std::sqrt(1 + std::pow(ratio, 2 * order));
      EXPECT_NEAR(std::abs(response(butterworth_lowpass(order, 100, 1000), hz, 1000)), expected, 1e-12);
      EXPECT_NEAR(std::abs(response(butterworth_highpass(order, 100, 1000), hz, 1000)),
                  std::pow(ratio, order) * expected, 1e-12);
    }
}

TEST(Filter, PassesAndStopsWhatItsResponseSays) {
  EXPECT_NEAR(gain("{of: v, lowpass: 100Hz}", 1000, 100), std::sqrt(0.5), 2e-3);
  EXPECT_NEAR(gain("{of: v, lowpass: 100Hz, order: 8}", 1000, 10), 1, 1e-3);
  EXPECT_LT(gain("{of: v, lowpass: 100Hz, order: 8}", 1000, 300), 1e-4);
  EXPECT_NEAR(gain("{of: v, highpass: 100Hz, order: 5}", 1000, 100), std::sqrt(0.5), 2e-3);
  EXPECT_LT(gain("{of: v, highpass: 100Hz, order: 5}", 1000, 10), 1e-4);
  EXPECT_NEAR(gain("{of: v, bandpass: [20Hz, 200Hz], order: 4}", 1000, 60), 1, 5e-3);
  EXPECT_LT(gain("{of: v, bandpass: [20Hz, 200Hz], order: 4}", 1000, 2), 1e-3);
  EXPECT_LT(gain("{of: v, notch: 50Hz}", 1000, 50), 1e-3);
  EXPECT_NEAR(gain("{of: v, notch: 50Hz}", 1000, 80), 1, 1e-2);
  EXPECT_NEAR(gain("{of: v, notch: 50Hz, q: 10}", 1000, 52.5), std::sqrt(0.5), 0.02);  // half the width of 5 Hz
}

TEST(Filter, ALowPassBeginsAtTheSignalAndAHighPassAtZero) {
  auto low = make_step(filter_kind(), "{of: v, lowpass: 1Hz, order: 5}", {signal("v", "A", 1000)});
  auto high = make_step(filter_kind(), "{of: v, highpass: 1Hz, order: 5}", {signal("v", "A", 1000)});
  Rows rows(std::vector<double>(100, 42.0), 0, kMillisecond);
  for (const Emitted& row : run(*low, rows)) EXPECT_NEAR(row.values[0], 42, 1e-6);
  for (const Emitted& row : run(*high, rows)) EXPECT_NEAR(row.values[0], 0, 1e-9);
}

TEST(Filter, BlocksAndRowsOfManySlotsGiveTheSame) {
  for (const char* yaml :
       {"{of: v, bandpass: [20Hz, 200Hz], order: 3}", "{of: v, decimate: 4}", "{of: v, median: 5}"}) {
    auto blocks = make_step(filter_kind(), yaml, {signal("v", "A", 1000)}, 3);
    auto mixed = make_step(filter_kind(), yaml, {signal("v", "A", 1000)}, 3);
    std::vector<std::vector<double>> expected(3), got(3);
    FrameBuilder in(1), out(1);
    for (std::uint32_t slot = 0; slot < 3; ++slot) {
      Rows rows(tone(200, 1000, 30 + 50 * slot), 0, kMillisecond);
      rows.slot = slot;
      for (const Emitted& row : run(*blocks, rows)) expected[slot].push_back(row.values[0]);
    }
    for (std::size_t i = 0; i < 200; ++i)
      for (std::uint32_t slot = 0; slot < 3; ++slot) {
        const double value = tone(i + 1, 1000, 30 + 50 * slot)[i];
        in.append(slot, static_cast<Nanos>(i) * kMillisecond, Quality::good, {&value, 1});
      }
    mixed->code->process(in.view(0), out);
    for (const Emitted& row : rows_of(out)) got[row.slot].push_back(row.values[0]);
    EXPECT_EQ(got, expected) << yaml;
  }
}

TEST(Filter, ABadSampleIsBridgedAndItsRowIsBad) {
  for (const char* yaml : {"{of: v, lowpass: 100Hz}", "{of: v, median: 3}"}) {
    auto made = make_step(filter_kind(), yaml, {signal("v", "A", 1000)});
    std::vector<double> values(50, 5.0);
    values[0] = kNaN;
    values[20] = kNaN;
    values[21] = std::numeric_limits<double>::infinity();
    values[30] = 1e6;
    Rows rows(values, 0, kMillisecond);
    rows.quality.assign(50, Quality::good);
    rows.quality[30] = Quality::bad;
    const auto out = run(*made, rows);
    ASSERT_EQ(out.size(), 50u);
    for (std::size_t i = 0; i < 50; ++i) {
      const bool bad = i == 0 || i == 20 || i == 21 || i == 30;
      EXPECT_EQ(out[i].quality, bad ? Quality::bad : Quality::good) << yaml << i;
      if (i > 0) {
        EXPECT_NEAR(out[i].values[0], 5, 1e-9) << yaml << i;
      }
    }
    EXPECT_EQ(counter(*made->code, "bad_samples"), 4u);
  }
}

TEST(Filter, AGapBeginsAnew) {
  auto made = make_step(filter_kind(), "{of: v, lowpass: 1Hz}", {signal("v", "A", 1000)});
  Rows before(std::vector<double>(50, 5.0), 0, kMillisecond),
      after(std::vector<double>(50, 9.0), kSecond, kMillisecond);
  run(*made, before);
  EXPECT_NEAR(run(*made, after)[0].values[0], 9, 1e-9);
  EXPECT_EQ(counter(*made->code, "restarts"), 2u);
}

TEST(Filter, RecoversFromAnOverflow) {
  auto made = make_step(filter_kind(), "{of: v, highpass: 100Hz, order: 8}", {signal("v", "A", 1000)});
  Rows wild({1e308, -1e308, 1e308, -1e308, 1e308, -1e308}, 0, kMillisecond);
  static_cast<void>(run(*made, wild));
  Rows sane(std::vector<double>(10, 3.0), 6 * kMillisecond, kMillisecond);
  const auto out = run(*made, sane);
  EXPECT_TRUE(std::isfinite(out.back().values[0]));
  EXPECT_EQ(out.back().quality, Quality::good);
}

TEST(Filter, DecimationKeepsSlowTonesAndStopsWhatWouldFoldBack) {
  const std::string yaml = "{of: v, decimate: 8}";  // new half rate 500 Hz
  EXPECT_NEAR(gain(yaml, 8000, 100), 1, 1e-3);
  EXPECT_NEAR(gain(yaml, 8000, 395), 1, 2e-3);
  for (const double hz : {601.0, 700.0, 1000.0, 1900.0, 3990.0}) EXPECT_LT(gain(yaml, 8000, hz), 2e-4) << hz;
  auto made = make_step(filter_kind(), yaml, {signal("v", "A", 8000)});
  EXPECT_EQ(made->outputs[0].rate_hz, 1000);
  Rows rows(std::vector<double>(80, 1.0), 0, 125'000);
  const auto out = run(*made, rows);
  ASSERT_EQ(out.size(), 10u);
  EXPECT_EQ(out[1].time - out[0].time, kMillisecond);
  EXPECT_EQ(out[0].quality, Quality::uncertain);  // not filled yet
}

TEST(Filter, MedianTakesOutSpikesAndAgreesWithSorting) {
  std::mt19937 random(4);
  std::vector<double> values(500);
  for (double& v : values) v = static_cast<double>(random() % 20);
  for (const std::size_t size : {3u, 7u, 31u}) {
    auto made = make_step(filter_kind(), fmt::format("{{of: v, median: {}}}", size), {signal("v", "A")});
    Rows rows(values, 0, kMillisecond);
    const auto out = run(*made, rows);
    for (std::size_t i = size; i < values.size(); ++i) {
      std::vector<double> window(values.begin() + static_cast<std::ptrdiff_t>(i + 1 - size),
                                 values.begin() + static_cast<std::ptrdiff_t>(i + 1));
      std::sort(window.begin(), window.end());
      ASSERT_EQ(out[i].values[0], window[size / 2]) << i;
    }
  }
}

TEST(Filter, NeverAllocatesAfterWarmUp) {
  for (const char* yaml : {"{of: v, lowpass: 100Hz, order: 8}", "{of: v, decimate: 4}", "{of: v, median: 5}",
                           "{of: v, deadband: 0.1}", "{of: v, swinging_door: 0.1, max_interval: 1s}"}) {
    auto made = make_step(filter_kind(), yaml, {signal("v", "A", 1000)});
    Rows rows(tone(1000, 1000, 30), 0, kMillisecond);
    FrameBuilder out(1);
    made->code->process(rows.frame(), out);
    const Frame frame = rows.frame();
    out.clear();
    made->code->process(frame, out);
    const std::uint64_t before = allocations_so_far();
    for (int i = 0; i < 5; ++i) {
      out.clear();
      made->code->process(frame, out);
    }
    EXPECT_EQ(allocations_so_far(), before) << yaml;
  }
}

TEST(Filter, KeepsUnitAndRateOfItsSignal) {
  auto made = make_step(filter_kind(), "{of: v, lowpass: 10Hz}", {signal("v", "mm/s2", 1000)});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->outputs[0].name, "");
  EXPECT_EQ(made->outputs[0].unit.text(), "mm/s2");
  EXPECT_EQ(made->outputs[0].rate_hz, 1000);
}

TEST(Filter, RefusesWhatCanNotWorkAndSaysWhy) {
  const std::vector<ValueInfo> v{signal("v", "A", 1000)}, no_rate{signal("v", "A")};
  const auto& kind = filter_kind();
  EXPECT_NE(refusal(kind, "{of: v}", v).find("no filter"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, lowpass: 1Hz, median: 3}", v).find("in one step"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, lowpass: 1Hz}", no_rate).find("rate of 'v'"), std::string::npos);
  EXPECT_EQ(refusal(kind, "{of: v, lowpass: 1Hz, rate: 100Hz}", no_rate), "accepted");
  EXPECT_NE(refusal(kind, "{of: v, lowpass: 500Hz}", v).find("can not be filtered"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, bandpass: [200Hz, 100Hz]}", v).find("lower edge"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, bandpass: 100Hz}", v).find("two edges"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, median: 4}", v).find("even"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, median: 3, order: 4}", v).find("no meaning"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, deadband: -1}", v).find("not an amount"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, deadband: nan}", v).find("not an amount"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, lowpas: 1Hz}", v).find("did you mean 'lowpass'"), std::string::npos);
  EXPECT_NE(refusal(kind, "{of: v, lowpass: 1Hz, order: 9}", v).find("above the most"), std::string::npos);
}

}  // namespace
}  // namespace alara::flow
