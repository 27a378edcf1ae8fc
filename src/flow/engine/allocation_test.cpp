// SPDX-License-Identifier: Apache-2.0
// Proves that nothing is allocated after warm-up: every operator new of the test program is counted.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "flow/engine/engine.hpp"
#include "flow/engine/toys_for_tests.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ALARA_COUNTS_ALLOCATIONS 0
#else
#define ALARA_COUNTS_ALLOCATIONS 1
#endif

namespace {
std::atomic<std::uint64_t> g_allocations{0};
}  // namespace

#if ALARA_COUNTS_ALLOCATIONS
void* operator new(std::size_t bytes) {
  g_allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  std::abort();
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  g_allocations.fetch_add(1, std::memory_order_relaxed);
  const auto unit = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
#endif

namespace alara::flow {
namespace {

constexpr ConnectorId kPlc{0};
constexpr std::uint32_t kSlots = 50;

EnginePlan busy_plan(Engine& engine) {
  EnginePlan plan;
  for (std::uint32_t id = 0; id < 2; ++id) {
    PipelinePlan pipeline = toys::pipeline(id, kSlots, 2, id == 0 ? 0 : kSlots);
    pipeline.steps.push_back(toys::step("tick", std::make_unique<toys::Ticker>(kSlots, 5), {signal_input(0)}, 1));
    pipeline.steps.push_back(toys::step("x2", std::make_unique<toys::Scale>(2), {signal_input(1)}, 1));
    pipeline.steps.push_back(
        toys::step("sum", std::make_unique<toys::Scale>(1), {step_output(0), step_output(1), signal_input(0)}, 1));
    pipeline.steps.push_back(toys::step(
        "trip", std::make_unique<toys::Trip>(100, kSecond, engine.shard(0).decisions(), nullptr), {step_output(1)}, 0));
    plan.pipelines.push_back(std::move(pipeline));
  }
  plan.connector_of_signal.assign(kSlots * 3 + 2, kPlc);
  plan.connector_of_actuator.assign(kSlots, kPlc);
  return plan;
}

// Rows, blocks, joins, timers, commands, acks, audit lines, late and far-future times, drops.
void one_round(Engine& engine, Engine::Connection& connection, toys::Samples& samples, int round) {
  for (std::size_t i = 0; i < samples.signal.size(); ++i) {
    samples.time[i] = round * 3 + static_cast<Nanos>(i % 2);
    samples.value[i] = i == 60 ? 200 : 1;
  }
  samples.time[7] = round % 10 == 3 ? kNever : samples.time[7];
  samples.arrival = round;
  connection.inlet.push(samples.batch());
  Batch block;
  block.value = samples.value;
  block.block_signal = SignalId{static_cast<std::uint32_t>(round) % kSlots};
  block.time0 = round * 3;
  connection.inlet.push(block);
  while (engine.turn()) {
  }
  Command command;
  while (connection.inbox->pop(command))
    connection.inbox->acknowledge({command.id, command.actuator, Outcome::done, round + 5, 0});
  AuditLine line;
  while (engine.shard(0).decisions().next_audit_line(line)) {
  }
}

TEST(Allocation, NothingIsAllocatedAfterWarmUp) {
  if (ALARA_COUNTS_ALLOCATIONS == 0) GTEST_SKIP() << "the sanitizer has its own operator new";
  FakeClock clock;
  Engine engine({ShardOptions{.live = false}}, clock);
  auto* connection = engine.connect(kPlc, {.name = "plc", .live = false, .ring = {.bytes = 1 << 16}}).value();
  ASSERT_TRUE(engine.apply(busy_plan(engine)).has_value());
  toys::Samples samples;
  for (std::uint32_t id = 0; id < kSlots * 3 + 2; ++id) samples.add(id, 0, 0);
  for (int round = 0; round < 100; ++round) one_round(engine, *connection, samples, round);
  const std::uint64_t before = g_allocations.load();
  ASSERT_GT(before, 0u) << "the counter must count";
  for (int round = 100; round < 600; ++round) one_round(engine, *connection, samples, round);
  EXPECT_EQ(g_allocations.load() - before, 0u);
  const auto stats = engine.shard(0).pipelines()[0];
  EXPECT_GT(stats->acks[0].get(), 500u);
  EXPECT_GT(stats->steps[2].rows_out.get(), 10'000u);
  EXPECT_GT(stats->steps[0].rows_out.get(), 10'000u);
}

}  // namespace
}  // namespace alara::flow
