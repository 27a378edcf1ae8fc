// SPDX-License-Identifier: Apache-2.0
// The step's options and units, the watermark, the sketch, and that running windows allocate nothing.
#include <algorithm>
#include <cstdlib>
#include <new>
#include <random>

#include "flow/window/sketch.hpp"
#include "flow/window/testing.hpp"
#include "flow/window/watermark.hpp"

namespace {
std::size_t allocations = 0;
}  // namespace

// Counts every allocation of this test program.
__attribute__((noinline)) void* operator new(std::size_t size) {
  ++allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
__attribute__((noinline)) void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return operator new(size);
}
__attribute__((noinline)) void operator delete(void* memory) noexcept { std::free(memory); }
__attribute__((noinline)) void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace alara::flow::testing {
namespace {

std::string refusal(const std::string& options, ValueInfo info = {}) {
  const auto made = make_window(options, 4, std::move(info));
  return made ? "accepted" : made.error().text();
}

TEST(WindowOptions, RefuseWhatContradictsItselfAndSayWhatIsAllowed) {
  const auto says = [](const std::string& options, const std::string& part) {
    EXPECT_NE(refusal(options).find(part), std::string::npos) << options << " -> " << refusal(options);
  };
  says("{of: a, kind: tumbling, use: [mean]}", "needs 'size'");
  says("{of: a, kind: tumbling, size: 1s, gap: 1s, use: [mean]}", "no 'gap'");
  says("{of: a, kind: hopping, size: 1s, use: [mean]}", "needs 'every'");
  says("{of: a, kind: hopping, size: 1s, every: 2s, use: [mean]}", "at most size");
  says("{of: a, kind: hopping, size: 1h, every: 1ms, use: [mean]}", "panes");
  says("{of: a, kind: sliding, use: [mean]}", "either 'size' or 'count'");
  says("{of: a, kind: sliding, size: 1s, count: 5, use: [mean]}", "either 'size' or 'count'");
  says("{of: a, kind: sliding, size: 1s, use: [mean]}", "declare the signal's rate");
  says("{of: a, kind: count, count: 5, lateness: 1s, use: [mean]}", "declare the signal's rate");
  says("{of: a, kind: session, use: [mean]}", "needs 'gap'");
  says("{of: a, kind: state, close: 1, use: [mean]}", "without 'open'");
  says("{of: a, kind: tumbling, size: 1s, use: [meen]}", "did you mean 'mean'");
  says("{of: a, kind: tumbling, size: 1s, use: [mean, mean]}", "twice");
  says("{of: a, kind: tumbling, size: 1s, use: []}", "names no aggregate");
  says("{of: a, kind: tumbling, size: 1s, use: [p100]}", "between 0 and 1");
  says("{of: a, kind: tumbling, size: 1s, use: [quantile(x)]}", "unknown aggregate");
  says("{of: a, kind: tumblin, size: 1s, use: [mean]}", "tumbling");
  says("{of: a, kind: tumbling, sise: 1s, use: [mean]}", "'size'");
  says("{of: a, kind: tumbling, size: 1s}", "'use' is missing");
  says("{of: a, kind: sliding, count: 0, use: [mean]}", "least");
  says("{of: a, kind: sliding, count: 10000001, use: [mean]}", "most");
}

TEST(WindowOptions, AnErrorNamesItsPlace) {
  const auto made = make_window("of: a\nkind: tumbling\nsize: 1s\nuse: [meen]\n");
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().where.line, 4);
}

TEST(WindowOptions, MoreMemoryThanAnyMachineHasIsRefused) {
  const auto made = make_window("{of: a, kind: sliding, count: 10000000, use: [mean]}", 100'000);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().kind, ErrorKind::exhausted);
}

TEST(WindowOptions, TheRateOfASignalBoundsItsWindow) {
  ValueInfo info;
  info.rate_hz = 100;
  const auto made = make_window("{of: a, kind: sliding, size: 10s, use: [mean]}", 4, info);
  ASSERT_TRUE(made.has_value()) << made.error().text();
  EXPECT_GE(made->memory_bound, 4u * 1000 * 16);
  EXPECT_LE(made->memory_bound, 4u * 1300 * 16 + 10'000);
  EXPECT_EQ(made->outputs[0].rate_hz, 100);
}

TEST(WindowKind, ResultsHaveTheirUnits) {
  ValueInfo info;
  info.unit = *Unit::parse("m");
  const auto made = make_window(fmt::format("{{of: a, kind: sliding, count: 5, use: {}}}", kEverything), 1, info);
  ASSERT_TRUE(made.has_value()) << made.error().text();
  std::map<std::string, std::string> units;
  for (const ValueInfo& output : made->outputs) units[output.name] = output.unit.text();
  EXPECT_EQ(units["mean"], "m");
  EXPECT_EQ(units["variance"], "m2");
  EXPECT_EQ(units["slope"], "m/s");
  EXPECT_EQ(units["rate"], "m/s");
  EXPECT_EQ(units["count"], "");
  EXPECT_EQ(units["duration"], "s");
  EXPECT_EQ(units["p90"], "m");
}

TEST(WindowKind, SpreadsOfATemperatureAreDifferences) {
  ValueInfo info;
  info.unit = *Unit::parse("degC");
  const auto made = make_window("{of: a, kind: sliding, count: 5, use: [mean, std, rms]}", 1, info);
  ASSERT_TRUE(made.has_value()) << made.error().text();
  EXPECT_TRUE(made->outputs[0].unit.affine());
  EXPECT_FALSE(made->outputs[1].unit.affine());
  EXPECT_EQ(made->warnings.size(), 1u);
}

TEST(WindowKind, ReadsItsInputsFromTheOptions) {
  const auto document = parse_document("{of: load, by: running, kind: state, use: [mean]}", "test");
  EXPECT_EQ(*window_kind().inputs(*document), (std::vector<std::string>{"load", "running"}));
  const auto same = parse_document("{of: load, by: load, kind: state, use: [mean]}", "test");
  EXPECT_EQ(*window_kind().inputs(*same), (std::vector<std::string>{"load"}));
}

TEST(Window, AllocatesNothingAfterTheFirstFrames) {
  for (const char* options :
       {"{of: a, kind: sliding, count: 50, use: [mean, min, max, std, rms]}",
        "{of: a, kind: sliding, size: 1s, lateness: 100ms, capacity: 300, use: [mean, slope, p95, rate]}",
        "{of: a, kind: tumbling, size: 100ms, lateness: 100ms, use: [mean, max, p95]}",
        "{of: a, kind: hopping, size: 300ms, every: 100ms, late: emit, use: [mean, slope]}",
        "{of: a, kind: session, gap: 30ms, use: [mean]}", "{of: a, kind: count, count: 7, use: [mean, median]}",
        "{of: a, kind: state, open: 11, close: 9, use: [mean]}"}) {
    auto made = make_window(options, 10);
    ASSERT_TRUE(made.has_value()) << made.error().text();
    FrameBuilder out(made->outputs.size(), 4096);
    std::mt19937_64 random(11);
    std::vector<std::uint32_t> slots(1000);
    std::vector<Nanos> times(1000);
    std::vector<double> values(1000);
    std::vector<Quality> quality(1000, Quality::good);
    Nanos now = kSecond;
    std::size_t before = 0;
    for (int frame = 0; frame < 40; ++frame) {
      if (frame == 4) before = allocations;
      for (std::size_t i = 0; i < slots.size(); ++i) {
        slots[i] = static_cast<std::uint32_t>(i % 10);
        times[i] = now += static_cast<Nanos>(random() % kMillisecond);
        values[i] = random() % 100 == 0 ? NAN : static_cast<double>(random() % 20);
        quality[i] = random() % 50 == 0 ? Quality::uncertain : Quality::good;
      }
      const std::span<const double> column(values);
      out.clear();
      const bool block = frame % 2 == 1;
      made->code->process(Frame{block ? std::span<const std::uint32_t>{} : slots, 3, times, quality, {&column, 1}, 0},
                          out);
      made->code->advance(now, now, out);
    }
    EXPECT_EQ(allocations, before) << options;
    EXPECT_EQ(made->code->memory_bytes(), made->memory_bound) << options;
  }
}

TEST(Watermark, FollowsTheNewestTimeLessTheLateness) {
  Watermark mark;
  const Watermark::Policy policy{.lateness = 10, .max_jump = 1000, .idle = 50};
  EXPECT_EQ(mark.observe(100, kLongAgo, policy), Watermark::Verdict::on_time);
  EXPECT_EQ(mark.mark(), 90);
  EXPECT_EQ(mark.observe(90, kLongAgo, policy), Watermark::Verdict::on_time);
  EXPECT_EQ(mark.observe(89, kLongAgo, policy), Watermark::Verdict::late);
  EXPECT_EQ(mark.mark(), 90);
}

TEST(Watermark, BelievesAJumpAfterThreeWitnesses) {
  Watermark mark;
  const Watermark::Policy policy{.lateness = 0, .max_jump = 1000, .idle = kNever};
  EXPECT_EQ(mark.observe(0, kLongAgo, policy), Watermark::Verdict::on_time);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(mark.observe(50'000 + i, kLongAgo, policy), Watermark::Verdict::suspect);
  EXPECT_EQ(mark.observe(5, kLongAgo, policy), Watermark::Verdict::on_time);  // breaks the row of witnesses
  for (int i = 0; i < 3; ++i) EXPECT_EQ(mark.observe(50'000 + i, kLongAgo, policy), Watermark::Verdict::suspect);
  EXPECT_EQ(mark.mark(), 5);
  EXPECT_EQ(mark.observe(50'003, kLongAgo, policy), Watermark::Verdict::jumped);
  EXPECT_EQ(mark.mark(), 50'003);
}

TEST(Watermark, WitnessesThatDisagreeProveNothing) {
  Watermark mark;
  const Watermark::Policy policy{.lateness = 0, .max_jump = 1000, .idle = kNever};
  mark.observe(0, kLongAgo, policy);
  for (int i = 1; i < 100; ++i) EXPECT_EQ(mark.observe(i * 100'000, kLongAgo, policy), Watermark::Verdict::suspect);
}

TEST(Watermark, FollowsTheEnginesClockAfterSilence) {
  Watermark mark;
  const Watermark::Policy policy{.lateness = 10, .max_jump = kNever, .idle = 50};
  EXPECT_FALSE(mark.advance(1'000, policy));  // nothing seen, nothing to close
  mark.observe(100, 100, policy);
  EXPECT_EQ(mark.due(120, policy), 150);
  EXPECT_FALSE(mark.advance(149, policy));
  EXPECT_TRUE(mark.advance(150, policy));
  EXPECT_EQ(mark.mark(), 140);
  EXPECT_EQ(mark.observe(130, 150, policy), Watermark::Verdict::late);
}

TEST(Sketch, KeepsQuantilesWithinItsStatedError) {
  std::mt19937_64 random(12);
  std::lognormal_distribution<double> spread(0, 2);
  for (const int sign : {1, -1, 0}) {
    Sketch sketch;
    std::vector<double> values;
    for (int i = 0; i < 5000; ++i) {
      values.push_back(spread(random) * (sign == 0 ? (i % 2 == 0 ? 1 : -1) : sign));
      sketch.add(values.back());
    }
    std::sort(values.begin(), values.end());
    const double largest = std::max(std::abs(values.front()), std::abs(values.back()));
    for (const double fraction : {0.001, 0.01, 0.25, 0.5, 0.75, 0.99, 0.999}) {
      const double exact = values[static_cast<std::size_t>(fraction * 4999)];
      EXPECT_NEAR(sketch.quantile(fraction), exact, std::max(0.01 * std::abs(exact) * 1.0001, largest / 28'000))
          << fraction;
    }
  }
}

TEST(Sketch, MergedEqualsFilledAtOnce) {
  std::mt19937_64 random(13);
  Sketch parts[4], whole;
  for (int i = 0; i < 4000; ++i) {
    const double value = std::exp(static_cast<double>(random() % 4000) / 100 - 20) * (random() % 3 == 0 ? -1 : 1);
    parts[i % 4].add(value);
    whole.add(value);
  }
  for (int i = 1; i < 4; ++i) parts[0].merge(parts[i]);
  EXPECT_EQ(parts[0].count(), whole.count());
  for (double fraction = 0.01; fraction < 1; fraction += 0.01)
    EXPECT_EQ(parts[0].quantile(fraction), whole.quantile(fraction));
}

TEST(Sketch, GivesBackWhatIsRemoved) {
  Sketch sketch;
  for (int i = 1; i <= 100; ++i) sketch.add(i);
  sketch.add(0);
  sketch.add(1e30);  // collapses every bucket below
  for (int i = 1; i <= 100; ++i) sketch.remove(i);
  sketch.remove(0);
  EXPECT_EQ(sketch.count(), 1u);
  EXPECT_NEAR(sketch.quantile(0.5), 1e30, 1e28);
  sketch.remove(1e30);
  EXPECT_TRUE(std::isnan(sketch.quantile(0.5)));
}

}  // namespace
}  // namespace alara::flow::testing
