// SPDX-License-Identifier: Apache-2.0
// Differences and sums of instants that come from outside and may be anything: they saturate instead of overflowing.
#pragma once

#include "base/clock.hpp"

namespace alara::rules {

// From `from` to `to`; 0 when `to` is not later.
inline Nanos elapsed(Nanos from, Nanos to) {
  if (to <= from) return 0;
  const auto difference = static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
  return difference > static_cast<std::uint64_t>(kNever) ? kNever : static_cast<Nanos>(difference);
}

// `duration` is not negative.
inline Nanos later(Nanos instant, Nanos duration) { return instant > kNever - duration ? kNever : instant + duration; }

}  // namespace alara::rules
