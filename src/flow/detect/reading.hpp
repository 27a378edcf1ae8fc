// SPDX-License-Identifier: Apache-2.0
// What every detector says about one sample. A detector is a "bank": options shared by all slots (assets) and compact
// state per slot, allocated once; step() is bounded in work, allocates nothing and is called with finite values only.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "base/clock.hpp"

namespace alara::flow {

struct Reading {
  double score = 0;                                         // 0 = as expected; its scale is the detector's
  double level = std::numeric_limits<double>::quiet_NaN();  // the limit nearest to the sample, in the signal's unit
  bool warm = false;                                        // false while learning: no alarm is possible then
  bool hit = false;                                         // this sample is beyond the limit
};

enum class Side : std::uint8_t { both, high, low };

// Scores are capped here, so that a change after a perfectly constant signal (spread 0) stays a finite number.
inline constexpr double kMaxScore = 1e6;
// Larger magnitudes are taken as bad readings: their squares would not be finite.
inline constexpr double kMaxMagnitude = 1e150;

// distance / spread, where no spread at all makes any distance the largest score.
inline double capped_ratio(double distance, double spread) {
  if (!(distance > 0)) return 0;
  return distance < kMaxScore * spread ? distance / spread : kMaxScore;
}

// The part of a signed deviation that `side` cares about: its size, or 0.
inline double deviation_on(Side side, double deviation) {
  switch (side) {
    case Side::high:
      return deviation > 0 ? deviation : 0;
    case Side::low:
      return deviation < 0 ? -deviation : 0;
    case Side::both:
      break;
  }
  return std::fabs(deviation);
}

// Whether the limit to show for a sample with this deviation is the upper one.
inline bool upper_limit(Side side, double deviation) {
  return side == Side::high || (side == Side::both && deviation >= 0);
}

}  // namespace alara::flow
