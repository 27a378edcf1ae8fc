// SPDX-License-Identifier: Apache-2.0
// Wakes a consumer that sleeps in poll() or epoll: an eventfd that is written only when the consumer may be asleep, so
// that a busy one costs its producers no system call.
// How it is used: producers push, then ring(). The consumer looks into its queues; when they are empty it calls quiet()
// and looks once more, so that what was pushed meanwhile rings anew or is seen.
#pragma once

#include <atomic>

#include "base/result.hpp"

namespace alara::flow {

class Doorbell {
 public:
  [[nodiscard]] static Result<int> open();  // a descriptor for the constructor
  explicit Doorbell(int event_fd) : event_fd_(event_fd) {}
  ~Doorbell();
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  void ring();   // any producer's thread
  void quiet();  // the consumer's thread
  [[nodiscard]] int event_fd() const { return event_fd_; }

 private:
  const int event_fd_;
  std::atomic<bool> rung_{false};
};

}  // namespace alara::flow
