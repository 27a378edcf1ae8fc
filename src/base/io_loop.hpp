// SPDX-License-Identifier: Apache-2.0
// An epoll loop with timers, run by one thread: connectors of one protocol share it, so a hundred devices cost one
// thread. Callbacks run on the loop's thread and must not block. post() and stop() may be called from any thread,
// everything else only from the loop's thread or before run().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace alara {

class IoLoop {
 public:
  enum class TimerId : std::uint64_t { none = 0 };
  using FdCallback = std::function<void(std::uint32_t epoll_events)>;

  [[nodiscard]] static Result<std::unique_ptr<IoLoop>> create(Clock& clock);
  ~IoLoop();
  IoLoop(const IoLoop&) = delete;
  IoLoop& operator=(const IoLoop&) = delete;

  // Watches `fd` (not owned) for EPOLLIN/EPOLLOUT/…; a second call replaces mask and keeps the callback if none is
  // given.
  Status watch(int fd, std::uint32_t events, FdCallback callback);
  Status change(int fd, std::uint32_t events);
  void unwatch(int fd);

  // Runs `callback` once at the monotonic instant (nanosecond resolution through timerfd; late by the scheduler's
  // jitter only).
  TimerId at(Nanos monotonic_instant, std::function<void()> callback);
  void cancel(TimerId timer);

  // Runs `task` on the loop's thread soon.
  void post(std::function<void()> task);
  // Runs it there and waits; at once when called on the loop's own thread. False when the loop did not get to it within
  // `most`, and may still. Any thread.
  [[nodiscard]] bool call(std::function<void()> task, Nanos most);

  void run(std::stop_token stop);     // until stop is requested
  void run_once(Nanos wait_at_most);  // one turn; for tests

 private:
  struct State;
  explicit IoLoop(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace alara
