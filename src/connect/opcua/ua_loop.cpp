// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/ua_loop.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "base/result.hpp"

namespace alara::opcua {
namespace {

// The library's state is the program's, so what guards it is, too.
std::mutex timers_mutex;
decltype(UA_EventLoop::addCyclicCallback) add_unguarded = nullptr;  // guarded by it

// The loop's own lock comes first: its thread may hold it already when it adds a timer.
UA_StatusCode add_guarded(UA_EventLoop* loop, UA_Callback callback, void* application, void* data, UA_Double interval,
                          UA_DateTime* base, UA_TimerPolicy policy, UA_UInt64* id) {
  loop->lock(loop);
  UA_StatusCode status = UA_STATUSCODE_GOOD;
  {
    const std::lock_guard lock(timers_mutex);
    status = add_unguarded(loop, callback, application, data, interval, base, policy, id);
  }
  loop->unlock(loop);
  return status;
}

void guard_timers(UA_EventLoop& loop) {
  if (loop.addCyclicCallback == &add_guarded) return;
  const std::lock_guard lock(timers_mutex);
  add_unguarded = loop.addCyclicCallback;  // the same for all of this kind
  loop.addCyclicCallback = &add_guarded;
}

constexpr UA_UInt32 kStepMillis = 20;
constexpr UA_UInt32 kShortMillis = 100;  // the library waits no longer for connections to close

std::atomic<decltype(UA_EventLoop::run)> run_whole = nullptr;  // the same for all of this kind
thread_local StoppableWaits* stoppable = nullptr;

UA_StatusCode run_in_steps(UA_EventLoop* loop, UA_UInt32 wait) {
  const auto run = run_whole.load(std::memory_order_relaxed);
  if (stoppable == nullptr) return run(loop, wait);
  if (wait <= kShortMillis || !stoppable->over()) return run(loop, std::min(wait, kStepMillis));
  run(loop, 0);
  return UA_STATUSCODE_BADSHUTDOWN;
}

void divide_waits(UA_EventLoop& loop) {
  if (loop.run == &run_in_steps) return;
  run_whole.store(loop.run, std::memory_order_relaxed);
  loop.run = &run_in_steps;
}

}  // namespace

UA_Server* new_server(UA_ServerConfig& config) {
  guard_timers(*config.eventLoop);
  return UA_Server_newWithConfig(&config);
}

UA_Client* new_client(UA_ClientConfig& config) {
  guard_timers(*config.eventLoop);
  divide_waits(*config.eventLoop);
  return UA_Client_newWithConfig(&config);
}

StoppableWaits::StoppableWaits(std::function<bool()> stopped, Clock& clock)
    : stopped_(std::move(stopped)), clock_(clock) {
  ALARA_ASSERT(stoppable == nullptr, "one at a time");
  stoppable = this;
}

StoppableWaits::~StoppableWaits() { stoppable = nullptr; }

bool StoppableWaits::over() {
  if (end_ == kNever && stopped_()) end_ = clock_.monotonic() + kGrace;
  return clock_.monotonic() >= end_;
}

}  // namespace alara::opcua
