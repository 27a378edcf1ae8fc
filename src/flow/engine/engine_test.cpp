// SPDX-License-Identifier: Apache-2.0
// Shards on threads of their own, reload at full speed, and the wake-up of a connector by its commands.
#include "flow/engine/engine.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

#include "flow/engine/toys_for_tests.hpp"

namespace alara::flow {
namespace {

using toys::Samples;

constexpr ConnectorId kPlc{0};
constexpr std::uint32_t kSignals = 8;

// Adds up what it sees, per slot, and checks that each slot's values count up without a gap.
class Tally final : public Operator {
 public:
  struct Total {
    std::atomic<std::uint64_t> rows{0}, gaps{0};
  };
  explicit Tally(Total& total, std::size_t slots) : total_(total), last_(slots, -1) {}
  void process(const Frame& in, FrameBuilder&) override {
    for (std::size_t i = 0; i < in.size(); ++i) {
      double& last = last_[in.slot_at(i)];
      if (last >= 0 && in.column(0)[i] != last + 1) total_.gaps.fetch_add(1);
      last = in.column(0)[i];
    }
    total_.rows.fetch_add(in.size());
  }
  [[nodiscard]] std::size_t memory_bytes() const override { return 0; }

 private:
  Total& total_;
  std::vector<double> last_;
};

PipelinePlan tally(std::uint32_t id, Tally::Total& total, std::uint32_t shard) {
  PipelinePlan plan = toys::pipeline(id, kSignals, 1);
  plan.shard = shard;
  plan.steps.push_back(toys::step("tally", std::make_unique<Tally>(total, kSignals), {signal_input(0)}, 0));
  return plan;
}

PipelinePlan kept(std::uint32_t id, std::uint32_t shard) {
  PipelinePlan plan;
  plan.id = PipelineId{id};
  plan.shard = shard;
  plan.keep = true;
  return plan;
}

EnginePlan plan_of(std::vector<PipelinePlan> pipelines) {
  EnginePlan plan;
  plan.pipelines = std::move(pipelines);
  plan.connector_of_signal.assign(kSignals, kPlc);
  plan.connector_of_actuator.assign(kSignals, kPlc);
  return plan;
}

TEST(Engine, ReloadsAtFullSpeedWithoutLosingASampleOrAState) {
  SystemClock clock;
  Engine engine({ShardOptions{.name = "fast"}, ShardOptions{.name = "slow", .gather = 10 * kMicrosecond}}, clock);
  auto* connection =
      engine.connect(kPlc, {.name = "plc", .live = false, .ring = {.bytes = 1 << 14, .block_at_most = 20 * kSecond}})
          .value();
  Tally::Total fast, slow, changed;
  {
    std::vector<PipelinePlan> pipelines;
    pipelines.push_back(tally(0, fast, 0));
    pipelines.push_back(tally(1, slow, 1));
    ASSERT_TRUE(engine.apply(plan_of(std::move(pipelines))).has_value());
  }
  engine.start();
  constexpr int kBatches = 4000;
  std::atomic<bool> done{false};
  std::thread connector([&] {
    for (int k = 0; k < kBatches; ++k) {
      Samples samples;
      for (std::uint32_t id = 0; id < kSignals; ++id) samples.add(id, k, k);
      connection->inlet.push(samples.batch());
    }
    connection->inlet.finished();
    done.store(true);
  });
  std::thread reader([&] {
    while (!done.load())
      for (std::size_t i = 0; i < engine.shard_count(); ++i)
        for (const auto& stats : engine.shard(i).pipelines()) {
          ASSERT_LE(stats->rows_in.get(), std::uint64_t{kBatches} * kSignals);
          static_cast<void>(engine.latest().read(SignalId{0}));
          static_cast<void>(connection->inlet.account());
        }
  });
  int reloads = 0;
  for (std::uint32_t id = 2; !done.load() || reloads < 20; ++id, ++reloads) {
    std::vector<PipelinePlan> pipelines;
    pipelines.push_back(tally(id, changed, id % 2));
    pipelines.push_back(kept(1, 1));
    pipelines.push_back(kept(0, 0));
    ASSERT_TRUE(engine.apply(plan_of(std::move(pipelines))).has_value());
  }
  connector.join();
  reader.join();
  engine.stop();
  EXPECT_TRUE(engine.finished());
  EXPECT_EQ(fast.rows.load(), std::uint64_t{kBatches} * kSignals);
  EXPECT_EQ(slow.rows.load(), std::uint64_t{kBatches} * kSignals);
  EXPECT_EQ(fast.gaps.load() + slow.gaps.load() + changed.gaps.load(), 0u);
  const InletAccount account = connection->inlet.account();
  EXPECT_EQ(account.accepted, std::uint64_t{kBatches} * kSignals);
  EXPECT_EQ(account.delivered, account.accepted);
  EXPECT_TRUE(account.dropped.empty());
}

TEST(Engine, WakesASleepingConnectorForEveryCommandAndTakesItsAcks) {
  SystemClock clock;
  Engine engine({ShardOptions{}}, clock);
  auto* connection = engine.connect(kPlc, {.name = "plc"}).value();
  PipelinePlan plan = toys::pipeline(0, kSignals, 1);
  plan.steps.push_back(toys::step("trip", std::make_unique<toys::Trip>(0, kNever, engine.shard(0).decisions(), nullptr),
                                  {signal_input(0)}, 0));
  std::vector<PipelinePlan> pipelines;
  pipelines.push_back(std::move(plan));
  ASSERT_TRUE(engine.apply(plan_of(std::move(pipelines))).has_value());
  engine.start();
  constexpr int kCommands = 2000;
  std::thread device([&] {
    Command command;
    for (int answered = 0; answered < kCommands;) {
      pollfd readable{connection->inbox->event_fd(), POLLIN, 0};
      ASSERT_GT(poll(&readable, 1, 5000), 0) << "no signal although commands are missing";
      while (connection->inbox->pop(command)) {
        connection->inbox->acknowledge({command.id, command.actuator, Outcome::done, clock.monotonic(), 0});
        ++answered;
      }
    }
  });
  const auto stats = engine.shard(0).pipelines()[0];
  for (std::uint64_t k = 0; k < kCommands; ++k) {
    while (k - stats->acks[0].get() > 100) std::this_thread::yield();  // the lane holds 256
    Samples samples;
    samples.add(static_cast<std::uint32_t>(k) % kSignals, 1, clock.wall());
    samples.arrival = clock.monotonic();
    connection->inlet.push(samples.batch());
  }
  device.join();
  engine.stop();
  EXPECT_EQ(stats->commands_sent.get(), std::uint64_t{kCommands});
  EXPECT_EQ(stats->acks[0].get(), std::uint64_t{kCommands});
  EXPECT_EQ(engine.shard(0).decisions().pending(), 0u);
}

TEST(Engine, LetsGoOfAConnectorOnlyAfterItsSamplesAreWorkedOn) {
  FakeClock clock;
  Engine engine({ShardOptions{}}, clock);
  auto* connection = engine.connect(kPlc, {.name = "plc"}).value();
  Tally::Total total;
  std::vector<PipelinePlan> pipelines;
  pipelines.push_back(tally(0, total, 0));
  ASSERT_TRUE(engine.apply(plan_of(std::move(pipelines))).has_value());
  Samples samples;
  for (std::uint32_t id = 0; id < kSignals; ++id) samples.add(id, 1, 1);
  connection->inlet.push(samples.batch());
  EnginePlan without;
  without.connector_of_signal.assign(kSignals, kNoConnector);
  ASSERT_TRUE(engine.apply(std::move(without)).has_value());
  EXPECT_EQ(total.rows.load(), kSignals);
  EXPECT_EQ(connection->inlet.account().buffered, 0u);
  engine.remove(kPlc);
  EXPECT_FALSE(engine.turn());
}

TEST(Engine, SaysWhyItDidNotGetRealTimePriority) {
  SystemClock clock;
  Engine engine({ShardOptions{.cpu = 1 << 9, .fifo_priority = 200}}, clock);  // neither exists
  engine.start();
  const std::string note = engine.shard(0).scheduling_note();
  engine.stop();
  EXPECT_NE(note.find("core 512"), std::string::npos) << note;
  EXPECT_NE(note.find("priority 200"), std::string::npos) << note;
}

}  // namespace
}  // namespace alara::flow
