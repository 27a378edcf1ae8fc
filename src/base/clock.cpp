// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <ctime>

namespace alara {
namespace {

Nanos read_clock(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<Nanos>(now.tv_sec) * kSecond + now.tv_nsec;
}

}  // namespace

Nanos SystemClock::wall() const { return read_clock(CLOCK_REALTIME); }
Nanos SystemClock::monotonic() const { return read_clock(CLOCK_MONOTONIC); }

void SystemClock::sleep_until(Nanos instant) {
  const timespec until{instant / kSecond, instant % kSecond};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) != 0) {
  }
}

void FakeClock::sleep_until(Nanos instant) {
  if (instant > monotonic()) advance(instant - monotonic());
}

void FakeClock::advance(Nanos by) {
  wall_.fetch_add(by, std::memory_order_relaxed);
  monotonic_.fetch_add(by, std::memory_order_relaxed);
}

}  // namespace alara
