// SPDX-License-Identifier: Apache-2.0
// Time is handed in. Event time and wall time are nanoseconds since 1970-01-01 UTC; arrival times and deadlines are
// nanoseconds of a monotonic clock. Both are plain int64 so that columns of them can be vectorised.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace alara {

using Nanos = std::int64_t;  // a duration, or an instant of one of the two clocks; the name of the variable says which

inline constexpr Nanos kMicrosecond = 1'000;
inline constexpr Nanos kMillisecond = 1'000'000;
inline constexpr Nanos kSecond = 1'000'000'000;
inline constexpr Nanos kMinute = 60 * kSecond;
inline constexpr Nanos kHour = 60 * kMinute;
inline constexpr Nanos kNever = INT64_MAX;

// Sums and differences between -kNever and kNever, so that they can be negated: times come from outside and may be
// anything.
[[nodiscard]] inline Nanos saturating_add(Nanos a, Nanos b) {
  Nanos sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return b > 0 ? kNever : -kNever;
  return sum < -kNever ? -kNever : sum;
}
[[nodiscard]] inline Nanos saturating_sub(Nanos a, Nanos b) {
  Nanos difference = 0;
  if (__builtin_sub_overflow(a, b, &difference)) return b < 0 ? kNever : -kNever;
  return difference < -kNever ? -kNever : difference;
}

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Nanos wall() const = 0;       // since the epoch; may jump
  [[nodiscard]] virtual Nanos monotonic() const = 0;  // never goes back
  virtual void sleep_until(Nanos monotonic_instant) = 0;
};

// The machine's clocks (CLOCK_REALTIME, CLOCK_MONOTONIC). Thread-safe.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Nanos wall() const override;
  [[nodiscard]] Nanos monotonic() const override;
  void sleep_until(Nanos monotonic_instant) override;
};

// Virtual time for tests, replay and `alara test`: moves only when told. One thread moves it, any may read it.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(Nanos wall = 1'600'000'000 * kSecond) : wall_(wall), monotonic_(kSecond) {}
  [[nodiscard]] Nanos wall() const override { return wall_.load(std::memory_order_relaxed); }
  [[nodiscard]] Nanos monotonic() const override { return monotonic_.load(std::memory_order_relaxed); }
  void sleep_until(Nanos monotonic_instant) override;
  void advance(Nanos by);
  void set_wall(Nanos wall) { wall_.store(wall, std::memory_order_relaxed); }

 private:
  std::atomic<Nanos> wall_;
  std::atomic<Nanos> monotonic_;
};

}  // namespace alara
