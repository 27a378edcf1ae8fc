// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdlib>
#include <new>
#include <random>

#include "rules/rule_harness.hpp"

namespace {
std::size_t allocations = 0;  // of this whole program
}
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // new above takes from malloc
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace alara::rules {
namespace {

const double kNan = std::nan("");
const std::string kRaise = "raise: {severity: high, text: '{asset} {x:.1f}'}\n";

TEST(Rule, FiresAtTheFirstTrueRow) {
  Harness h("when: x > 38\ndo: {write: plc/1, value: 1}\n");
  h.row(0, {{"x", 10}});
  h.row(10, {{"x", 39}});
  h.row(20, {{"x", 40}});
  EXPECT_EQ(h.commands(), "10ms 0=1\n");
  ASSERT_EQ(h.out.size(), 1u) << "one row for the change";
}

TEST(Rule, KeepsItsAssetsApart) {
  Harness h("when: x > 38\ndo: {write: plc/1, value: 1}\n");
  h.row(10, {{"x", 39}}, 2);
  h.row(20, {{"x", 39}}, 0);
  EXPECT_EQ(h.commands(), "10ms 2=1\n20ms 0=1\n");
}

TEST(Rule, WaitsForItsDurationInSamples) {
  Harness h("when: x > 38 for 20ms\ndo: {write: plc/1, value: 1}\n");
  h.row(0, {{"x", 39}});
  h.row(10, {{"x", 39}});
  h.row(15, {{"x", 10}});  // interrupted
  h.row(16, {{"x", 39}});
  h.row(26, {{"x", 39}});
  EXPECT_EQ(h.commands(), "");
  h.row(36, {{"x", 39}});
  EXPECT_EQ(h.commands(), "36ms 0=1\n");
}

TEST(Rule, WaitsForItsDurationByTheClockWhenNoSampleComes) {
  Harness h("when: x > 38 for 20ms\ndo: {write: plc/1, value: 1}\n" + kRaise);
  h.row(0, {{"x", 39}});
  h.pass_until(19.9);
  EXPECT_EQ(h.commands(), "");
  h.pass_until(25);
  EXPECT_EQ(h.commands(), "20ms 0=1\n") << "the cause is the end of the wait, not the turn that noticed";
  EXPECT_EQ(h.events(), "+20 high: cnc-01 39.0\n");
  EXPECT_EQ(h.code->next_due(), kNever);
}

TEST(Rule, MeasuresTheClockFromTheArrivalWhenTheSourcesClockIsSlow) {
  Harness h("when: x > 38 for 20ms\ndo: {write: plc/1, value: 1}\n");
  h.late_row(100'000, 0, {{"x", 39}});  // dated 100 s ago
  EXPECT_EQ(h.commands(), "");
  h.pass_until(100'019);
  EXPECT_EQ(h.commands(), "");
  h.pass_until(100'021);
  EXPECT_EQ(h.commands(), "100020ms 0=1\n");
}

TEST(Rule, DoesNotChatterBetweenItsTwoLimits) {
  Harness h("when: x > 38\nuntil: x < 30\ndo: [{write: plc/1, value: 1}, {write: plc/1, value: 0, on: clear}]\n");
  for (int i = 0; i < 100; ++i) h.row(i, {{"x", i % 2 ? 39.0 : 37.0}});
  EXPECT_EQ(h.commands(), "1ms 0=1\n");
  h.row(100, {{"x", 29}});
  EXPECT_EQ(h.commands(), "1ms 0=1\n100ms 0=0\n");
}

TEST(Rule, EndsOnlyWhenItsConditionIsFalseToo) {
  Harness h("when: x > 38\nuntil: x < 50\ndo: {write: plc/1, value: 1}\n");
  for (int i = 0; i < 10; ++i) h.row(i, {{"x", 40}});
  EXPECT_EQ(h.commands(), "0ms 0=1\n");
}

TEST(Rule, EndsAfterItsClearDuration) {
  for (const auto end : {"until: x < 30 for 20ms\n", "until: x < 30\nclear_for: 20ms\n", "clear_for: 20ms\n"}) {
    Harness h(std::string("when: x > 38\n") + end + kRaise);
    h.row(0, {{"x", 39}});
    h.row(10, {{"x", 20}});
    h.row(20, {{"x", 39}});
    h.row(30, {{"x", 20}});
    h.pass_until(49);
    EXPECT_EQ(h.events(), "+0 high: cnc-01 39.0\n");
    h.pass_until(60);
    EXPECT_EQ(h.events(), "+0 high: cnc-01 39.0\n-50 high: cnc-01 20.0\n");
  }
}

TEST(Rule, RaisesAndClearsOnceWithTheSameKey) {
  Harness h("when: x > 38\n" + kRaise);
  for (int i = 0; i < 50; ++i) h.row(i, {{"x", i >= 10 && i < 20 ? 40.0 : i >= 30 && i < 40 ? 41.0 : 0.0}});
  ASSERT_EQ(h.events(), "+10 high: cnc-01 40.0\n-20 high: cnc-01 0.0\n+30 high: cnc-01 41.0\n-40 high: cnc-01 0.0\n");
  const auto& e = h.decisions.events;
  EXPECT_EQ(e[0].key, e[1].key);
  EXPECT_EQ(e[2].key, e[3].key);
  EXPECT_NE(e[0].key, e[2].key);
  EXPECT_EQ(e[0].asset, AssetId{7});
  EXPECT_EQ(e[0].pipeline, PipelineId{4});
  EXPECT_EQ(e[1].arrival, 20 * kMillisecond);
}

TEST(Rule, StaysLatchedUntilReset) {
  Harness h("when: x > 38\nlatch: true\nreset: y > 0\n" + kRaise);
  h.row(0, {{"x", 39}});
  h.row(10, {{"x", 39}, {"y", 1}});  // the condition still holds
  h.row(20, {{"x", 0}});
  EXPECT_EQ(h.decisions.events.size(), 1u);
  h.row(30, {{"x", 0}, {"y", 1}});
  ASSERT_EQ(h.decisions.events.size(), 2u);
  EXPECT_FALSE(h.decisions.events[1].raised);
}

TEST(Rule, StaysLatchedUntilTheApiResetsIt) {
  Harness h("when: x > 38\nlatch: true\n" + kRaise);
  EXPECT_FALSE(reset_latch(*h.code, 0)) << "not active";
  h.row(0, {{"x", 39}});
  EXPECT_FALSE(reset_latch(*h.code, 0)) << "the condition holds";
  h.row(10, {{"x", 0}});
  EXPECT_FALSE(reset_latch(*h.code, 99));
  EXPECT_TRUE(reset_latch(*h.code, 0));
  h.pass_until(15);
  ASSERT_EQ(h.decisions.events.size(), 2u);
  EXPECT_FALSE(h.decisions.events[1].raised);
  h.row(20, {{"x", 39}});
  EXPECT_EQ(h.decisions.events.size(), 3u) << "armed again";
}

TEST(Rule, RefusesACommandThatItsInterlockForbids) {
  Harness h("when: x > 38\nunless: open\ndo: {write: plc/1, value: 1}\n");
  h.row(0, {{"x", 39}, {"open", 1}});
  EXPECT_EQ(h.commands(), "");
  EXPECT_EQ(h.audits(), "refused 0=1 interlock: open\n");
  h.row(10, {{"x", 0}});
  h.row(20, {{"x", 39}, {"open", 0}});
  EXPECT_EQ(h.commands(), "20ms 0=1\n");
  h.row(30, {{"x", 0}});
  h.row(40, {{"x", 39}, {"open", kNan}});
  EXPECT_EQ(h.commands(), "20ms 0=1\n");
  EXPECT_EQ(h.counter("refused"), 2u);
  EXPECT_EQ(h.audits(), "refused 0=1 interlock: open\nrefused 0=1 interlock unknown: open\n");
}

TEST(Rule, SuppressesWhatIsOverItsRateLimit) {
  Harness h("when: x > 38\ndo: {write: plc/1, value: 1}\nrate_limit: 2 per 1s\n");
  for (int i = 0; i < 5; ++i) {
    h.row(i * 100, {{"x", 39}});
    h.row(i * 100 + 50, {{"x", 0}});
  }
  EXPECT_EQ(h.commands(), "0ms 0=1\n100ms 0=1\n");
  EXPECT_EQ(h.counter("suppressed"), 3u);
  EXPECT_EQ(h.decisions.audits[0], "suppressed 0=1 rate limit 2 per 1s");
  h.row(999, {{"x", 39}});
  h.row(1000, {{"x", 0}});
  h.row(1001, {{"x", 39}});
  EXPECT_EQ(h.decisions.sent.size(), 3u) << "a second after the first one is free again";
  h.row(1002, {{"x", 39}}, 1);
  EXPECT_EQ(h.decisions.sent.size(), 4u) << "each asset has its own allowance";
}

TEST(Rule, CommandsTheSafeValueOnceWhenItsInputGoesStale) {
  Harness h("when: x > 38\ndo: {write: plc/1, value: 1}\nsafe: {value: 7, after: 500ms}\n");
  h.pass_until(0);
  for (int i = 0; i <= 10; ++i)
    for (std::uint32_t slot = 0; slot < 3; ++slot) h.row(i * 10, {{"x", 10}}, slot);
  for (int i = 11; i <= 300; ++i)
    for (std::uint32_t slot = 1; slot < 3; ++slot) h.row(i * 10, {{"x", 10}}, slot);
  EXPECT_EQ(h.commands(), "600ms 0=7\n");
  EXPECT_EQ(h.events(), "+600 high: cnc-01: stop: no fresh input, safe value 7 commanded\n");
}

TEST(Rule, AppliesAgainAfterItsInputRecovers) {
  Harness h(
      "when: x > 38\ndo: [{write: plc/1, value: 1}, {write: plc/1, value: 0, on: clear}]\nsafe: {value: 7, after: "
      "500ms}\n");
  h.pass_until(0);
  for (std::uint32_t slot = 1; slot < 3; ++slot) h.row(450, {{"x", 10}}, slot);
  h.pass_until(800);
  EXPECT_EQ(h.commands(), "500ms 0=7\n") << "silence counts from the start";
  h.row(850, {{"x", 10}});
  EXPECT_EQ(h.commands(), "500ms 0=7\n850ms 0=0\n") << "the output is brought back to the rule's idle state";
  h.row(860, {{"x", 39}});
  for (std::uint32_t slot = 1; slot < 3; ++slot) h.row(900, {{"x", 10}}, slot);
  h.pass_until(1390);
  EXPECT_EQ(h.commands(), "500ms 0=7\n850ms 0=0\n860ms 0=1\n1360ms 0=7\n");
  h.row(1395, {{"x", 39}});
  EXPECT_EQ(h.commands(), "500ms 0=7\n850ms 0=0\n860ms 0=1\n1360ms 0=7\n1395ms 0=1\n")
      << "still active: commanded again";
  ASSERT_EQ(h.decisions.events.size(), 4u);
  EXPECT_EQ(h.decisions.events[2].key, h.decisions.events[3].key);
  EXPECT_NE(h.decisions.events[0].key, h.decisions.events[2].key);
}

TEST(Rule, DoesNotFireWhatItWaitedForWhileBlind) {
  Harness h("when: x > 38 for 1s\ndo: {write: plc/1, value: 1}\nsafe: {value: 7, after: 500ms}\n");
  h.pass_until(0);
  h.row(100, {{"x", 39}});
  h.pass_until(5000);
  EXPECT_EQ(h.counter("raised"), 0u);
}

TEST(Rule, CountsOnlyGoodSamplesAsFresh) {
  Harness h("when: x > 38\nsafe: {value: 7, after: 500ms, write: plc/9}\n");
  h.pass_until(0);
  for (int i = 0; i < 80; ++i) h.row(i * 10, {{"x", 10}}, 0, i < 10 ? Quality::uncertain : Quality::bad);
  ASSERT_GE(h.decisions.sent.size(), 1u);
  EXPECT_EQ(index_of(h.decisions.sent.back().actuator), 0u);
  EXPECT_EQ(h.decisions.sent.back().arrival, 590 * kMillisecond);
}

TEST(Rule, NeverFiresOnBadOrUnknownInput) {
  Harness h("when: '!(x < 38) for 20ms'\ndo: {write: plc/1, value: 1}\n");
  h.row(0, {{"x", kNan}});
  h.row(10, {{"x", 50}}, 0, Quality::bad);
  h.pass_until(100);
  EXPECT_EQ(h.commands(), "");
  h.row(110, {{"x", 50}});
  h.row(120, {{"x", 50}}, 0, Quality::bad);  // the wait starts anew
  h.row(131, {{"x", 50}});
  h.row(140, {{"x", 50}});
  EXPECT_EQ(h.commands(), "");
  h.row(151, {{"x", 50}});
  EXPECT_EQ(h.commands(), "151ms 0=1\n");
  EXPECT_EQ(h.counter("bad_rows"), 3u);
}

TEST(Rule, HoldsItsStateOverBadInput) {
  Harness h("when: x > 38\n" + kRaise);
  h.row(0, {{"x", 39}});
  h.row(10, {{"x", 0}}, 0, Quality::bad);
  h.row(20, {{"x", kNan}});
  EXPECT_EQ(h.decisions.events.size(), 1u);
}

TEST(Rule, GoesToItsSafeValueAtOnceWhenToldSo) {
  Harness h("when: x > 38\ndo: {write: plc/1, value: 1}\nsafe: {value: 7, after: 500ms}\non_bad: safe\n");
  h.row(0, {{"x", 10}});
  h.row(10, {{"x", kNan}});
  h.row(20, {{"x", kNan}});
  EXPECT_EQ(h.commands(), "10ms 0=7\n");
  h.row(30, {{"x", 39}});
  EXPECT_EQ(h.commands(), "10ms 0=7\n30ms 0=1\n");
}

TEST(Rule, TakesNanAsAValueWhenItsConditionHandlesIt) {
  Harness h("when: isnan(x)\n" + kRaise);
  h.row(0, {{"x", 1}});
  h.row(10, {{"x", kNan}});
  EXPECT_EQ(h.events(), "+10 high: cnc-01 ?\n");
}

TEST(Rule, AuditsInsteadOfSendingInADryRun) {
  Harness h("when: x > 38\ndo: {write: plc/1, value: 1}\ndry_run: true\nsafe: {value: 7, after: 1s}\n");
  h.row(0, {{"x", 39}});
  h.code->make_safe(5);
  EXPECT_EQ(h.commands(), "");
  EXPECT_EQ(h.audits(),
            "suppressed 0=1 dry run\nsuppressed 0=7 dry run\nsuppressed 1=7 dry run\nsuppressed 2=7 dry run\n");
  EXPECT_EQ(h.counter("dry_run"), 4u);
}

TEST(Rule, StampsTheDeadlineFromTheArrivalOfTheCause) {
  Harness h("when: x > 38\ndo: {write: plc/1, value: 1, verify: true}\ndeadline: 10ms\n");
  h.late_row(50, 20, {{"x", 39}});
  ASSERT_EQ(h.decisions.sent.size(), 1u);
  EXPECT_EQ(h.decisions.sent[0].arrival, 50 * kMillisecond);
  EXPECT_EQ(h.decisions.sent[0].deadline, 60 * kMillisecond);
  EXPECT_TRUE(h.decisions.sent[0].verify);
  Harness none("when: x > 38\ndo: {write: plc/1, value: 1}\n");
  none.row(50, {{"x", 39}});
  EXPECT_EQ(none.decisions.sent[0].deadline, kNever);
}

TEST(Rule, WritesComputedValues) {
  Harness h(
      "when: x > 38\ndo: [{write: plc/1, value: x * 2 - 10A}, {write: plc/2, value: 'if(open, 1, 2)'}, {write: plc/3, "
      "value: true}]\n");
  h.row(0, {{"x", 40}});
  EXPECT_EQ(h.commands(), "0ms 0=70\n0ms 10=2\n0ms 20=1\n");
  Harness nan("when: x > 38\ndo: {write: plc/1, value: y}\n");
  nan.row(0, {{"x", 40}, {"y", kNan}});
  EXPECT_EQ(nan.commands(), "");
  EXPECT_EQ(nan.audits(), "refused 0=nan the value is not a finite number\n");
}

TEST(Rule, RepeatsWhatIsStillActive) {
  Harness h("when: x > 38\ndo: {write: plc/1, value: 1}\nrepeat: 1s\n" + kRaise);
  h.row(0, {{"x", 39}});
  h.pass_until(2500);
  EXPECT_EQ(h.commands(), "0ms 0=1\n1000ms 0=1\n2000ms 0=1\n");
  ASSERT_EQ(h.decisions.events.size(), 3u);
  EXPECT_EQ(h.decisions.events[2].key, h.decisions.events[0].key);
  h.row(2600, {{"x", 0}});
  h.pass_until(9000);
  EXPECT_EQ(h.decisions.events.size(), 4u);
  EXPECT_EQ(h.code->next_due(), kNever);
}

TEST(Rule, IgnoresLateRowsButFollowsAClockSetBack) {
  Harness h("when: x > 38 for 20ms\n" + kRaise);
  h.row(100, {{"x", 39}});
  h.late_row(101, 50, {{"x", 0}});
  h.late_row(102, 51, {{"x", 0}});
  h.row(120, {{"x", 39}});
  ASSERT_EQ(h.decisions.events.size(), 1u) << "two late rows did not interrupt";
  h.late_row(121, 52, {{"x", 39}});
  EXPECT_EQ(h.decisions.events.size(), 1u) << "nor fire it again";
  h.late_row(130, 10, {{"x", 0}});
  h.late_row(131, 11, {{"x", 0}});
  EXPECT_EQ(h.decisions.events.size(), 2u) << "three in a row are believed";
  EXPECT_EQ(h.counter("late_rows"), 5u);
}

TEST(Rule, TakesRepeatedAndWildTimes) {
  Harness h("when: x > 38 for 20ms\nrate_limit: 3 per 1min\ndo: {write: plc/1, value: 1}\n");
  for (const double time : {1e3, 1e3, -9.2e12 + 1e6, 8.2e12, -9e12, -9e12, -9e12, 8e12})
    h.late_row(1, time, {{"x", 39}});
  h.row(50, {{"x", 39}});
  EXPECT_EQ(h.counter("raised"), 1u);
}

TEST(Rule, CommandsAllSafeValuesWhenTheNodeStops) {
  Harness h("when: x > 38\ndo: [{write: plc/1, value: 1}, {write: plc/2, value: 1}]\nsafe: {value: 0, after: 500ms}\n");
  h.row(0, {{"x", 39}});
  h.decisions.sent.clear();
  h.code->make_safe(90 * kMillisecond);
  EXPECT_EQ(h.commands(), "90ms 0=0\n90ms 10=0\n90ms 1=0\n90ms 11=0\n90ms 2=0\n90ms 12=0\n");
}

TEST(Rule, RaisesAnEventWhenACommandFails) {
  Harness h("when: x > 38\ndo: {write: plc/1, value: 1}\n");
  h.row(0, {{"x", 39}}, 1);
  const auto answer = [&](Outcome outcome) {
    h.code->acknowledged({h.decisions.sent[0].id, h.decisions.sent[0].actuator, outcome, 5, 0});
  };
  answer(Outcome::mismatch);
  answer(Outcome::timed_out);
  answer(Outcome::done);
  answer(Outcome::done);
  ASSERT_EQ(h.decisions.events.size(), 2u) << h.events();
  EXPECT_TRUE(h.decisions.events[0].raised);
  EXPECT_NE(h.decisions.events[0].text.find("cnc-02: stop: command"), std::string::npos) << h.decisions.events[0].text;
  EXPECT_FALSE(h.decisions.events[1].raised);
  EXPECT_EQ(h.decisions.events[0].key, h.decisions.events[1].key);
  EXPECT_EQ(h.counter("acked_done"), 2u);
  EXPECT_EQ(h.counter("acked_mismatch"), 1u);
  EXPECT_EQ(h.counter("acked_timed_out"), 1u);
  h.code->acknowledged({CommandId{1}, ActuatorId{999}, Outcome::timed_out, 5, 0});  // not ours
  EXPECT_EQ(h.decisions.events.size(), 2u);
}

TEST(Rule, CountsCommandsTheConnectorHadNoRoomFor) {
  Harness h("when: x > 38\ndo: {write: plc/1, value: 1}\n");
  h.decisions.full = true;
  h.row(0, {{"x", 39}});
  EXPECT_EQ(h.counter("unsent"), 1u);
}

// A day's worth of everything, twice.
std::string eventful_run() {
  Harness h(
      "when: x > 38 for 20ms\nuntil: x < 30 for 15ms\nunless: open\nrate_limit: 5 per 1s\n"
      "do: [{write: plc/1, value: x}, {write: plc/2, value: 0, on: clear}]\nsafe: {value: 7, after: 80ms}\nrepeat: "
      "300ms\n" +
      kRaise);
  std::mt19937_64 random(11);
  double at = 0;
  for (int i = 0; i < 3000; ++i) {
    at += static_cast<double>(random() % 15);
    const double x = random() % 50 == 0 ? kNan : 25 + static_cast<double>(random() % 30);
    h.late_row(at, at - (random() % 20 == 0 ? 30 : 0), {{"x", x}, {"open", random() % 5 == 0 ? 1.0 : 0.0}},
               static_cast<std::uint32_t>(random() % 3), random() % 30 == 0 ? Quality::bad : Quality::good);
  }
  std::string keys;
  for (const Event& event : h.decisions.events) keys += fmt::format("{:x}\n", event.key);
  return h.events() + h.commands() + h.audits() + keys;
}

TEST(Rule, ReplaysBitIdentically) {
  const std::string first = eventful_run();
  EXPECT_GT(first.size(), 10'000u);
  EXPECT_EQ(first, eventful_run());
}

TEST(Rule, SeesTheSameInOneBlockAsRowByRow) {
  const std::string options = "when: x > 38 for 20ms\nuntil: x < 30\ndo: {write: plc/1, value: 1}\n";
  std::mt19937_64 random(5);
  std::vector<double> x(4000);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = (i / 500) % 2 ? 20 + static_cast<double>(random() % 30) : 10;
  Harness rows(options), blocks(options);
  for (std::size_t i = 0; i < x.size(); ++i) rows.row(static_cast<double>(i * 10), {{"x", x[i]}});
  for (std::size_t begin = 0; begin < x.size(); begin += 250) {
    std::vector<Nanos> time;
    for (std::size_t i = begin; i < begin + 250; ++i)
      time.push_back(Harness::kStart + static_cast<Nanos>(i) * 10 * kMillisecond);
    const std::vector<std::span<const double>> columns = {std::span<const double>(x).subspan(begin, 250)};
    Frame frame;
    frame.time = time;
    frame.columns = columns;
    frame.arrival = time.back() - Harness::kStart;
    blocks.code->process(frame, blocks.out);
  }
  ASSERT_GT(rows.counter("raised"), 2u);
  EXPECT_EQ(rows.counter("raised"), blocks.counter("raised"));
  EXPECT_EQ(rows.counter("cleared"), blocks.counter("cleared"));
}

TEST(Rule, AllocatesNothingWhileNothingHappens) {
  Harness h(
      "when: x > 38 for 20ms\nuntil: x < 30\nunless: open\ndo: {write: plc/1, value: 1}\nsafe: {value: 7, after: "
      "500ms}\n" +
      kRaise);
  std::vector<double> x(300, 20.0), open(300, 0.0);
  std::vector<Nanos> time(300);
  std::vector<std::uint32_t> slot(300);
  for (std::size_t i = 0; i < slot.size(); ++i) slot[i] = static_cast<std::uint32_t>(i % 3);
  const std::vector<std::span<const double>> columns = {x, open};
  Frame frame;
  frame.slot = slot;
  frame.time = time;
  frame.columns = columns;
  std::size_t before = 0;
  for (int turn = 0; turn < 50; ++turn) {
    if (turn == 2) before = allocations;
    x[static_cast<std::size_t>(turn)] = 39;  // begins to wait, and stops
    for (std::size_t i = 0; i < time.size(); ++i) time[i] = Harness::kStart + turn * kMillisecond;
    frame.arrival = turn * kMillisecond;
    h.code->process(frame, h.out);
    x[static_cast<std::size_t>(turn)] = 20;
    h.code->advance(Harness::kStart + turn * kMillisecond, turn * kMillisecond, h.out);
  }
  EXPECT_EQ(allocations - before, 0u);
  EXPECT_EQ(h.counter("raised"), 0u);
}

}  // namespace
}  // namespace alara::rules
