// SPDX-License-Identifier: Apache-2.0
// "5 per 1min": at most so many in any stretch of that length, per slot. The instants of the last ones are kept in a
// ring that is as long as the limit.
#pragma once

#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "rules/instants.hpp"

namespace alara::rules {

inline constexpr std::uint32_t kMaxRateLimit = 1000;

struct Rate {
  std::uint32_t count = 0;  // 0: no limit
  Nanos per = 0;
  [[nodiscard]] static Result<Rate> parse(std::string_view text);
};

class RateLimit {
 public:
  RateLimit(Rate rate, std::size_t slots)
      : rate_(rate), sent_(slots * rate.count, kNone), next_(rate.count ? slots : 0) {}

  // Takes one of the slot's allowance; false when there is none left at `time`. A time before the last one taken is of
  // a clock that was set back: the allowance then starts anew, so that no clock can lock an output for ever.
  [[nodiscard]] bool take(std::size_t slot, Nanos time) {
    if (rate_.count == 0) return true;
    Nanos* ring = &sent_[slot * rate_.count];
    std::uint32_t& next = next_[slot];
    const Nanos last = ring[(next + rate_.count - 1) % rate_.count];
    if (last != kNone && time < last)
      for (std::uint32_t i = 0; i < rate_.count; ++i) ring[i] = kNone;
    if (ring[next] != kNone && elapsed(ring[next], time) < rate_.per) return false;
    ring[next] = time;
    next = (next + 1) % rate_.count;
    return true;
  }

  [[nodiscard]] std::size_t memory_bytes() const {
    return sent_.capacity() * sizeof(Nanos) + next_.capacity() * sizeof(next_[0]);
  }

 private:
  static constexpr Nanos kNone = INT64_MIN;
  Rate rate_;
  std::vector<Nanos> sent_;  // [slot * count], the oldest at next_[slot]
  std::vector<std::uint32_t> next_;
};

}  // namespace alara::rules
