// SPDX-License-Identifier: Apache-2.0
// After warm-up a poll and a write cost no heap: request, answer, decoding, push and timers.
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "connect/modbus/client.hpp"
#include "connect/modbus/server.hpp"
#include "tests/contract/recorders.hpp"

namespace {

thread_local bool counting = false;
thread_local std::uint64_t allocations = 0;

void* allocate(std::size_t size) {
  if (counting) ++allocations;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace alara::contract {
namespace {

class CountingInlet final : public Inlet {
 public:
  void push(const Batch& batch) override { points += batch.size(); }
  void reject(std::string_view, std::uint64_t) override {}
  void finished() override {}
  std::atomic<std::uint64_t> points{0};
};

// One command at a time, without allocating.
class OneCommand final : public CommandInbox {
 public:
  OneCommand() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~OneCommand() override { close(fd_); }
  void send() {
    waiting_ = true;
    const std::uint64_t one = 1;
    static_cast<void>(!write(fd_, &one, sizeof one));
  }
  bool pop(Command& command) override {
    std::uint64_t ignored = 0;
    static_cast<void>(!read(fd_, &ignored, sizeof ignored));
    command = {.id = CommandId{1}, .value = 1, .verify = true};
    return waiting_.exchange(false);
  }
  int event_fd() const override { return fd_; }
  void acknowledge(const Ack& ack) override { done += ack.outcome == Outcome::done; }
  std::atomic<std::uint64_t> done{0};

 private:
  const int fd_;
  std::atomic<bool> waiting_{false};
};

std::uint64_t on_loop(IoLoop& loop, const std::function<std::uint64_t()>& task) {
  std::atomic<std::uint64_t> result{0};
  std::atomic<bool> done{false};
  loop.post([&] {
    result = task();
    done = true;
  });
  EXPECT_TRUE(eventually([&] { return done.load(); }));
  return result;
}

TEST(ModbusClient, PollsAndWritesWithoutAllocatingAfterWarmUp) {
  SystemClock clock;
  modbus::RegisterBank bank({.coils = 10, .discrete = 10, .holding = 300, .input = 0});
  auto server = std::move(*modbus::ServerThread::create(clock));
  modbus::Settings settings;
  settings.endpoint = {"127.0.0.1", *server->listen(0, bank)};
  settings.poll = kMillisecond;
  modbus::Client client("lean", settings);
  std::vector<SignalBinding> signals;
  for (int i = 0; i < 120; ++i) {
    SignalBinding binding;
    binding.signal = SignalId{static_cast<std::uint32_t>(i)};
    binding.address = i < 110 ? fmt::format("holding/{}:float32", 2 * i) : fmt::format("discrete/{}", i - 110);
    signals.push_back(binding);
  }
  const std::vector<ActuatorBinding> actuators{{ActuatorId{0}, "coil", "coil/1", {}}};
  std::vector<Error> errors;
  client.bind(signals, actuators, errors);
  ASSERT_TRUE(errors.empty());
  CountingInlet inlet;
  OneCommand commands;
  RunningLoop running;
  ASSERT_TRUE(client.start({&inlet, &commands, &clock, &running.loop(), 1}));
  const auto polls_and_writes = [&](std::uint64_t polls) {
    const std::uint64_t until = client.stats().polls_done + polls;
    const std::uint64_t writes = commands.done + 1;
    commands.send();
    return eventually([&] { return client.stats().polls_done >= until && commands.done >= writes; });
  };
  ASSERT_TRUE(eventually([&] { return client.stats().connected.load(); }));
  ASSERT_TRUE(polls_and_writes(50));
  const std::uint64_t seen = on_loop(running.loop(), [] {
    counting = true;
    delete new int(1);
    return std::exchange(allocations, 0);
  });
  EXPECT_EQ(seen, 1u) << "the count works";
  const std::uint64_t points = inlet.points;
  EXPECT_TRUE(polls_and_writes(200));
  const std::uint64_t counted = on_loop(running.loop(), [] {
    counting = false;
    return allocations;
  });
  EXPECT_GT(inlet.points, points);
  EXPECT_EQ(counted, 0u);
  client.stop();
}

}  // namespace
}  // namespace alara::contract
