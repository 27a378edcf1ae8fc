// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/shard.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <mutex>
#include <thread>

#include "flow/engine/engine.hpp"
#include "flow/engine/toys_for_tests.hpp"

namespace alara::flow {
namespace {

using toys::Row;
using toys::Samples;

constexpr ConnectorId kPlc{0};

// One shard, one connector, no threads.
class ShardTest : public ::testing::Test {
 protected:
  explicit ShardTest(bool live = true)
      : engine({ShardOptions{.live = live}}, clock),
        connection(*engine.connect(kPlc, {.name = "plc", .live = live}).value()) {}

  void apply(std::vector<PipelinePlan> pipelines, std::size_t signals, std::size_t actuators = 0) {
    EnginePlan plan;
    plan.pipelines = std::move(pipelines);
    plan.connector_of_signal.assign(signals, kPlc);
    plan.connector_of_actuator.assign(actuators, kPlc);
    const Status applied = engine.apply(std::move(plan));
    ASSERT_TRUE(applied.has_value()) << applied.error().text();
  }
  void push(const Samples& samples) {
    connection.inlet.push(samples.batch());
    while (engine.turn()) {
    }
  }
  [[nodiscard]] std::shared_ptr<const PipelineStats> stats(std::size_t i = 0) { return engine.shard(0).pipelines()[i]; }

  FakeClock clock;
  Engine engine;
  Engine::Connection& connection;
};

class ReplayTest : public ShardTest {
 protected:
  ReplayTest() : ShardTest(false) {}
};

std::vector<PipelinePlan> one(PipelinePlan plan) {
  std::vector<PipelinePlan> plans;
  plans.push_back(std::move(plan));
  return plans;
}

TEST_F(ShardTest, ScattersRowsOfABatchToInputsAndSlots) {
  std::vector<Row> rows_a, rows_b, pair;
  PipelinePlan plan = toys::pipeline(0, 2, 2);  // a: signals 0, 1; b: signals 2, 3
  plan.steps.push_back(toys::step("a", std::make_unique<toys::Recorder>(rows_a), {signal_input(0)}, 0));
  plan.steps.push_back(toys::step("b", std::make_unique<toys::Recorder>(rows_b), {signal_input(1)}, 0));
  plan.steps.push_back(
      toys::step("pair", std::make_unique<toys::Recorder>(pair), {signal_input(1), signal_input(0)}, 0));
  apply(one(std::move(plan)), 5);
  Samples samples;
  samples.add(0, 1, 10).add(3, 4, 10).add(4, 9, 10).add(2, 3, 10).add(1, 2, 10);
  samples.arrival = 77;
  push(samples);
  EXPECT_EQ(rows_a, (std::vector<Row>{{0, 10, Quality::good, {1}, 77}, {1, 10, Quality::good, {2}, 77}}));
  EXPECT_EQ(rows_b, (std::vector<Row>{{1, 10, Quality::good, {4}, 77}, {0, 10, Quality::good, {3}, 77}}));
  EXPECT_EQ(pair, (std::vector<Row>{{0, 10, Quality::good, {3, 1}, 77}, {1, 10, Quality::good, {4, 2}, 77}}));
  EXPECT_EQ(stats()->rows_in.get(), 4u);
  EXPECT_EQ(connection.inlet.account().delivered, 5u);
  EXPECT_EQ(connection.inlet.account().unused, 1u);
}

TEST_F(ShardTest, GivesOneSignalToManySlotsAndPipelines) {
  std::vector<Row> many, other;
  PipelinePlan shared = toys::pipeline(0, 3, 1);
  shared.signals[0] = {SignalId{0}, SignalId{1}, SignalId{0}};
  shared.steps.push_back(toys::step("r", std::make_unique<toys::Recorder>(many), {signal_input(0)}, 0));
  PipelinePlan second = toys::pipeline(1, 1, 1);
  second.steps.push_back(toys::step("r", std::make_unique<toys::Recorder>(other), {signal_input(0)}, 0));
  std::vector<PipelinePlan> plans = one(std::move(shared));
  plans.push_back(std::move(second));
  apply(std::move(plans), 2);
  const std::vector<double> values{5, 6};
  Batch block;
  block.value = values;
  block.time0 = 100;
  block.step = 1;
  connection.inlet.push(block);
  engine.turn();
  ASSERT_EQ(many.size(), 4u);
  EXPECT_EQ(many[0].slot, 0u);
  EXPECT_EQ(many[1].slot, 2u);
  EXPECT_EQ(many[3].values[0], 6);
  ASSERT_EQ(other.size(), 2u);
  EXPECT_EQ(other[1].time, 101);
}

TEST_F(ShardTest, MakesOneRowOfADiamond) {
  std::vector<Row> rows;
  PipelinePlan plan = toys::pipeline(0, 1, 1);
  plan.steps.push_back(toys::step("x2", std::make_unique<toys::Scale>(2), {signal_input(0)}, 1));
  plan.steps.push_back(toys::step("x3", std::make_unique<toys::Scale>(3), {signal_input(0)}, 1));
  plan.steps.push_back(toys::step("sum", std::make_unique<toys::Scale>(1), {step_output(0), step_output(1)}, 1));
  plan.steps.push_back(
      toys::step("r", std::make_unique<toys::Recorder>(rows), {signal_input(0), step_output(2), step_output(0)}, 0));
  apply(one(std::move(plan)), 1);
  Samples samples;
  samples.add(0, 1, 10).add(0, 2, 20);
  push(samples);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].values, (std::vector<double>{1, 5, 2}));
  EXPECT_EQ(rows[1].values, (std::vector<double>{2, 10, 4}));
}

TEST_F(ShardTest, PublishesDerivedValues) {
  PipelinePlan plan = toys::pipeline(0, 2, 1);
  plan.steps.push_back(toys::step("x2", std::make_unique<toys::Scale>(2), {signal_input(0)}, 1));
  plan.steps.back().publish = {SignalId{2}, SignalId{3}};
  EnginePlan whole;
  whole.pipelines = one(std::move(plan));
  whole.connector_of_signal = {kPlc, kPlc, kNoConnector, kNoConnector};
  ASSERT_TRUE(engine.apply(std::move(whole)).has_value());
  Samples samples;
  samples.add(1, 21, 5);
  push(samples);
  EXPECT_EQ(engine.latest().read(SignalId{3}).value, 42);
  EXPECT_EQ(engine.latest().read(SignalId{3}).time, 5);
  EXPECT_EQ(engine.latest().read(SignalId{2}).updates, 0u);
}

TEST_F(ShardTest, CountsNanAndBadInputs) {
  std::vector<Row> rows;
  PipelinePlan plan = toys::pipeline(0, 1, 1);
  plan.steps.push_back(toys::step("r", std::make_unique<toys::Recorder>(rows), {signal_input(0)}, 0));
  apply(one(std::move(plan)), 1);
  Samples samples;
  samples.add(0, NAN, 1).add(0, 2, 2).add(0, 3, 3);
  samples.quality = {Quality::good, Quality::bad, Quality::uncertain};
  push(samples);
  EXPECT_EQ(stats()->nan.get(), 1u);
  EXPECT_EQ(stats()->bad.get(), 1u);
  EXPECT_EQ(rows[2].quality, Quality::uncertain);
}

TEST_F(ShardTest, FiresTimersByTheWallClockWhenLive) {
  std::vector<Row> rows;
  PipelinePlan plan = toys::pipeline(0, 2, 1);
  plan.steps.push_back(toys::step("tick", std::make_unique<toys::Ticker>(2, kSecond), {signal_input(0)}, 1));
  plan.steps.push_back(toys::step("r", std::make_unique<toys::Recorder>(rows), {step_output(0)}, 0));
  apply(one(std::move(plan)), 2);
  const Nanos start = clock.wall();
  Samples samples;
  samples.add(0, 1, start).add(0, 1, start);
  push(samples);
  EXPECT_EQ(engine.next_due(), start + kSecond);
  clock.advance(kSecond - 1);
  EXPECT_FALSE(engine.turn());
  clock.advance(1);
  EXPECT_TRUE(engine.turn());
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].time, start + kSecond);
  EXPECT_EQ(rows[0].values[0], 2);
  EXPECT_EQ(rows[1].slot, 1u);
  clock.advance(2 * kSecond);
  engine.turn();
  EXPECT_EQ(rows.size(), 6u);
  EXPECT_EQ(stats()->steps[0].counters[0].text(), "seen");
  EXPECT_EQ(stats()->steps[0].counters[0].value.get(), 2u);
}

TEST_F(ShardTest, LooksAtTheTimeAnewWhenTheWallClockHasBeenSetBack) {
  // Due by monotonic time, which it can only express in wall time: a clock set back would make it wait that much
  // longer.
  class DeadMan final : public Operator {
   public:
    explicit DeadMan(std::vector<Nanos>& looks) : looks_(looks) {}
    void process(const Frame&, FrameBuilder&) override {}
    void advance(Nanos now, Nanos monotonic, FrameBuilder&) override {
      looks_.push_back(monotonic);
      due_ = now + kSecond;
    }
    [[nodiscard]] Nanos next_due() const override { return due_; }
    [[nodiscard]] std::size_t memory_bytes() const override { return sizeof *this; }

   private:
    std::vector<Nanos>& looks_;
    Nanos due_ = INT64_MIN;
  };
  std::vector<Nanos> looks;
  PipelinePlan plan = toys::pipeline(0, 1, 1);
  plan.steps.push_back(toys::step("dead-man", std::make_unique<DeadMan>(looks), {signal_input(0)}, 0));
  apply(one(std::move(plan)), 1);
  engine.turn();
  ASSERT_EQ(looks.size(), 1u);
  clock.set_wall(clock.wall() - kHour);
  clock.advance(kMillisecond);
  EXPECT_TRUE(engine.turn());
  EXPECT_EQ(looks.size(), 2u);
  clock.advance(kSecond);
  engine.turn();
  EXPECT_EQ(looks.size(), 3u);
}

TEST_F(ReplayTest, TimeIsTheGreatestEventTimeAndPassesBetweenBatches) {
  std::vector<Row> rows;
  PipelinePlan plan = toys::pipeline(0, 1, 1);
  plan.steps.push_back(toys::step("tick", std::make_unique<toys::Ticker>(1, kSecond), {signal_input(0)}, 1));
  plan.steps.push_back(toys::step("r", std::make_unique<toys::Recorder>(rows), {step_output(0)}, 0));
  apply(one(std::move(plan)), 1);
  Samples samples;
  for (int i = 0; i < 4; ++i) samples.add(0, 1, i * kMillisecond);
  push(samples);
  EXPECT_TRUE(rows.empty());
  Samples later;
  later.add(0, 1, 2500 * kMillisecond);
  push(later);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].values[0], 4) << "the timer fired before the later sample was counted";
}

TEST_F(ReplayTest, OneFarFutureSampleDoesNotMoveTime) {
  std::vector<Row> rows;
  PipelinePlan plan = toys::pipeline(0, 1, 1);
  plan.steps.push_back(toys::step("tick", std::make_unique<toys::Ticker>(1, kSecond), {signal_input(0)}, 1));
  plan.steps.push_back(toys::step("r", std::make_unique<toys::Recorder>(rows), {step_output(0)}, 0));
  apply(one(std::move(plan)), 1);
  Samples samples;
  for (int i = 0; i < 3; ++i) samples.add(0, 1, i);
  samples.add(0, 1, 10 * 365 * 24 * kHour).add(0, 1, 4);
  push(samples);
  EXPECT_TRUE(rows.empty());
  EXPECT_EQ(engine.shard(0).stats().event_time.load(), 4);
  EXPECT_EQ(engine.shard(0).stats().held_back.get(), 1u);
  Samples gap;  // a real gap: several in a row agree
  for (int i = 0; i < 3; ++i) gap.add(0, 1, 5 * kHour + i);
  push(gap);
  EXPECT_EQ(engine.shard(0).stats().event_time.load(), 5 * kHour);
}

TEST_F(ShardTest, MatchesAcksToTheOperatorThatSent) {
  std::vector<Ack> acks;
  PipelinePlan plan = toys::pipeline(0, 2, 1);
  plan.steps.push_back(
      toys::step("trip", std::make_unique<toys::Trip>(5, 10 * kMillisecond, engine.shard(0).decisions(), &acks),
                 {signal_input(0)}, 0));
  apply(one(std::move(plan)), 2, 2);
  Samples samples;
  samples.add(1, 6, 1);
  samples.arrival = clock.monotonic();
  clock.advance(kMillisecond);
  push(samples);
  Command command;
  ASSERT_TRUE(connection.inbox->pop(command));
  EXPECT_EQ(command.actuator, ActuatorId{1});
  EXPECT_FALSE(connection.inbox->pop(command));
  EXPECT_EQ(stats()->commands_sent.get(), 1u);
  EXPECT_EQ(stats()->arrival_to_decision.max(), kMillisecond);
  clock.advance(3 * kMillisecond);
  connection.inbox->acknowledge({command.id, command.actuator, Outcome::done, clock.monotonic(), 0});
  EXPECT_TRUE(engine.turn());
  ASSERT_EQ(acks.size(), 1u);
  EXPECT_EQ(stats()->arrival_to_ack.max(), 4 * kMillisecond);
  EXPECT_EQ(stats()->acks[0].get(), 1u);
  EXPECT_EQ(stats()->deadline_misses.get(), 0u);
  EXPECT_EQ(engine.shard(0).decisions().pending(), 0u);
  AuditLine line;
  ASSERT_TRUE(engine.shard(0).decisions().next_audit_line(line));
  EXPECT_EQ(line.what_text(), "sent");
  ASSERT_TRUE(engine.shard(0).decisions().next_audit_line(line));
  EXPECT_EQ(line.what_text(), "acknowledged");
  EXPECT_EQ(line.why_text(), "done");
}

TEST_F(ShardTest, CountsADeadlineMissOnceWhetherTheAckComesLateOrNever) {
  std::vector<Ack> acks;
  PipelinePlan plan = toys::pipeline(0, 2, 1);
  plan.steps.push_back(
      toys::step("trip", std::make_unique<toys::Trip>(5, 10 * kMillisecond, engine.shard(0).decisions(), &acks),
                 {signal_input(0)}, 0));
  apply(one(std::move(plan)), 2, 2);
  Samples samples;
  samples.add(0, 6, 1).add(1, 6, 1);
  samples.arrival = clock.monotonic();
  push(samples);
  Command first, second;
  ASSERT_TRUE(connection.inbox->pop(first));
  ASSERT_TRUE(connection.inbox->pop(second));
  clock.advance(10 * kMillisecond);
  engine.turn();
  EXPECT_EQ(stats()->deadline_misses.get(), 0u);
  clock.advance(1);
  engine.turn();
  EXPECT_EQ(stats()->deadline_misses.get(), 2u);
  connection.inbox->acknowledge({first.id, first.actuator, Outcome::timed_out, clock.monotonic(), 0});
  engine.turn();
  EXPECT_EQ(stats()->deadline_misses.get(), 2u);
  EXPECT_EQ(stats()->acks[static_cast<std::size_t>(Outcome::timed_out)].get(), 1u);
  EXPECT_EQ(engine.shard(0).decisions().pending(), 1u);
  connection.inbox->acknowledge({first.id, first.actuator, Outcome::done, clock.monotonic(), 0});
  engine.turn();
  EXPECT_EQ(engine.shard(0).decisions().unmatched_acks(), 1u);
  EXPECT_EQ(acks.size(), 1u);
}

TEST_F(ShardTest, RefusesCommandsThatNoQueueCanTake) {
  PipelinePlan plan = toys::pipeline(0, 2, 1);
  plan.steps.push_back(toys::step("trip", std::make_unique<toys::Trip>(5, kNever, engine.shard(0).decisions(), nullptr),
                                  {signal_input(0)}, 0));
  apply(one(std::move(plan)), 2, 1);
  Samples nowhere;
  nowhere.add(1, 6, 1);
  push(nowhere);
  EXPECT_EQ(stats()->commands_refused.get(), 1u) << "actuator 1 has no connector";
  Samples flood;
  for (int i = 0; i < 300; ++i) flood.add(0, 6, i);
  push(flood);
  EXPECT_EQ(stats()->commands_sent.get(), 256u);
  EXPECT_EQ(stats()->commands_refused.get(), 45u);
}

TEST_F(ShardTest, RefusesAPlanThatDoesNotFitTogether) {
  PipelinePlan forward = toys::pipeline(0, 1, 1);
  forward.steps.push_back(toys::step("x", std::make_unique<toys::Scale>(1), {step_output(0)}, 1));
  EnginePlan plan;
  plan.pipelines = one(std::move(forward));
  plan.connector_of_signal = {kPlc};
  EXPECT_FALSE(engine.apply(std::move(plan)).has_value()) << "a step that reads itself";

  EnginePlan unknown;
  unknown.pipelines = one(toys::pipeline(3, 1, 1));
  unknown.pipelines[0].keep = true;
  unknown.connector_of_signal = {kPlc};
  EXPECT_FALSE(engine.apply(std::move(unknown)).has_value()) << "a pipeline that does not run can not be kept";
}

// The same pushes and turns give the same rows, bit by bit.
TEST(Replay, IsBitIdentical) {
  const auto replay = [] {
    FakeClock clock;
    Engine engine({ShardOptions{.live = false}}, clock);
    auto* connection = engine.connect(kPlc, {.name = "file", .live = false}).value();
    std::vector<Row> rows;
    PipelinePlan plan = toys::pipeline(0, 3, 2);
    plan.steps.push_back(toys::step("tick", std::make_unique<toys::Ticker>(3, 7), {signal_input(0)}, 1));
    plan.steps.push_back(toys::step("x", std::make_unique<toys::Scale>(0.1), {signal_input(0), signal_input(1)}, 1));
    plan.steps.push_back(toys::step("r", std::make_unique<toys::Recorder>(rows), {step_output(0), step_output(1)}, 0));
    EnginePlan whole;
    whole.pipelines = one(std::move(plan));
    whole.connector_of_signal.assign(6, kPlc);
    EXPECT_TRUE(engine.apply(std::move(whole)).has_value());
    std::uint32_t state = 1;
    for (int i = 0; i < 200; ++i) {
      Samples samples;
      for (int k = 0; k < 5; ++k) {
        state = state * 1664525 + 1013904223;
        samples.add(state >> 16 & 3, (state >> 8) * 0.3, i + k % 3);
      }
      connection->inlet.push(samples.batch());
      while (engine.turn()) {
      }
    }
    // NaN is not equal to itself: compare its bits.
    std::vector<std::uint64_t> bits;
    for (const Row& row : rows) {
      bits.push_back(row.slot);
      bits.push_back(static_cast<std::uint64_t>(row.time));
      for (const double value : row.values) bits.push_back(std::bit_cast<std::uint64_t>(value));
    }
    return bits;
  };
  const auto first = replay();
  EXPECT_GT(first.size(), 1000u);
  EXPECT_EQ(first, replay());
}

// Notes the engine's time that came with its rows.
class TimeKeeper final : public Operator {
 public:
  explicit TimeKeeper(std::vector<Nanos>& times) : times_(times) {}
  void process(const Frame& in, FrameBuilder&) override { times_.push_back(in.now); }
  [[nodiscard]] std::size_t memory_bytes() const override { return 0; }

 private:
  std::vector<Nanos>& times_;
};

TEST_F(ShardTest, HandsRowsOverWithTheWallClocksTimeWhenLive) {
  std::vector<Nanos> times;
  PipelinePlan plan = toys::pipeline(0, 1, 1);
  plan.steps.push_back(toys::step("t", std::make_unique<TimeKeeper>(times), {signal_input(0)}, 0));
  apply(one(std::move(plan)), 1);
  push(Samples{}.add(0, 1, 10));
  clock.advance(kSecond);
  push(Samples{}.add(0, 1, 20));
  EXPECT_EQ(times, (std::vector<Nanos>{clock.wall() - kSecond, clock.wall()}));
}

TEST_F(ReplayTest, HandsRowsOverWithTheReplaysTime) {
  std::vector<Nanos> times;
  PipelinePlan plan = toys::pipeline(0, 1, 1);
  plan.steps.push_back(toys::step("t", std::make_unique<TimeKeeper>(times), {signal_input(0)}, 0));
  apply(one(std::move(plan)), 1);
  for (Nanos time = 10; time < 15; ++time) push(Samples{}.add(0, 1, time * kSecond));
  EXPECT_EQ(times, (std::vector<Nanos>{0, 0, 0, 13 * kSecond, 14 * kSecond}));  // three agreeing samples start it
}

// A clock that does not wait: it only notes that a thread wanted to gather.
class RestlessClock final : public Clock {
 public:
  [[nodiscard]] Nanos wall() const override { return kHour; }
  [[nodiscard]] Nanos monotonic() const override { return kSecond; }
  void sleep_until(Nanos) override {
    const std::scoped_lock lock(mutex_);
    left_when_sleeping_.push_back(left_ ? left_() : 0);
  }
  // What is asked for at each sleep, on the sleeping thread.
  void ask(std::function<std::uint64_t()> left) {
    const std::scoped_lock lock(mutex_);
    left_ = std::move(left);
  }
  [[nodiscard]] std::vector<std::uint64_t> left_when_sleeping() {
    const std::scoped_lock lock(mutex_);
    return left_when_sleeping_;
  }

 private:
  std::mutex mutex_;
  std::function<std::uint64_t()> left_;
  std::vector<std::uint64_t> left_when_sleeping_;
};

TEST(GatheringShard, GoesOnAtOnceUntilItsRingsAreEmpty) {
  RestlessClock clock;
  Engine engine({ShardOptions{.gather = 5 * kMillisecond}}, clock);
  Engine::Connection& connection = *engine.connect(kPlc, {.name = "plc", .ring = {.bytes = 1 << 20}}).value();
  std::vector<Row> rows;
  EnginePlan plan;
  plan.pipelines.push_back(toys::pipeline(0, 1, 1));
  plan.pipelines[0].steps.push_back(toys::step("r", std::make_unique<toys::Recorder>(rows), {signal_input(0)}, 0));
  plan.connector_of_signal = {kPlc};
  ASSERT_TRUE(engine.apply(std::move(plan)).has_value());
  constexpr int kBatches = 2000;  // many more than one turn takes
  for (int i = 0; i < kBatches; ++i) connection.inlet.push(Samples{}.add(0, i, i).batch());
  ASSERT_EQ(connection.inlet.account().buffered, static_cast<std::uint64_t>(kBatches));
  clock.ask([&connection] { return connection.inlet.account().buffered; });
  engine.start();
  while (connection.inlet.account().buffered > 0) std::this_thread::yield();  // stopping would keep it from sleeping
  engine.stop();
  EXPECT_EQ(rows.size(), static_cast<std::size_t>(kBatches));
  for (const std::uint64_t left : clock.left_when_sleeping()) EXPECT_EQ(left, 0u) << "slept with samples waiting";
}

}  // namespace
}  // namespace alara::flow
