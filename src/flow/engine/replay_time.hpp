// SPDX-License-Identifier: Apache-2.0
// The time of a replay: the greatest event time accepted so far. A time more than `jump` ahead is believed only when
// `kAgreeing` samples in a row are that far ahead, and then no further than the earliest of them: one sample dated ten
// years off can not close every window, and a recording with a real gap goes on after a few samples.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/sample.hpp"
#include "flow/engine/columns.hpp"

namespace alara::flow {

class ReplayTime {
 public:
  static constexpr std::size_t kAgreeing = 3;
  static constexpr Nanos kUnset = INT64_MIN;

  explicit ReplayTime(Nanos jump = kHour) : jump_(jump) {}

  [[nodiscard]] Nanos now() const { return now_; }
  [[nodiscard]] bool started() const { return now_ != kUnset; }
  [[nodiscard]] std::uint64_t held_back() const { return held_back_; }  // samples not believed when they came

  // True when a sample of this time moves the time on at once.
  [[nodiscard]] bool moves(Nanos time) const { return started() && time > now_ && !far(time); }

  // The samples of a batch, in order.
  void see(const Batch& batch) {
    const std::size_t n = batch.size();
    const Nanos greatest = batch.time.empty() ? std::max(batch.time0, batch.time_at(n - 1)) : greatest_time(batch.time);
    if (started() && !far(greatest)) {
      now_ = std::max(now_, greatest);
      ahead_ = 0;
      return;
    }
    for (std::size_t i = 0; i < n; ++i) see(batch.time_at(i));
  }

  void see(Nanos time) {
    if (started() && !far(time)) {
      now_ = std::max(now_, time);
      ahead_ = 0;
      return;
    }
    const bool begins = !started();
    last_[ahead_++ % kAgreeing] = time;
    if (ahead_ >= kAgreeing) now_ = std::max(now_, *std::min_element(last_.begin(), last_.end()));
    if (!begins && time > now_) ++held_back_;
  }

 private:
  [[nodiscard]] bool far(Nanos time) const {
    return time > now_ &&
           static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(now_) > static_cast<std::uint64_t>(jump_);
  }

  const Nanos jump_;
  Nanos now_ = kUnset;
  std::array<Nanos, kAgreeing> last_{};
  std::size_t ahead_ = 0;
  std::uint64_t held_back_ = 0;
};

}  // namespace alara::flow
