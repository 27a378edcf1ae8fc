// SPDX-License-Identifier: Apache-2.0
// The range a quantity is known to take: highest and lowest value of past blocks of samples, slowly forgetting. The two
// newest blocks are kept aside, so that something that creeps out of the range can not widen it while it creeps.
#pragma once

#include <algorithm>

#include "flow/detect/reading.hpp"

namespace alara::flow {

class Envelope {
 public:
  // How far `value` is outside the known range, as a share of its width plus `floor`; 0 inside or while nothing is
  // known.
  [[nodiscard]] double excess(double value, double floor) const {
    const double outside = std::max(value - high_, low_ - value);
    return known_ && outside > 0 ? capped_ratio(outside, high_ - low_ + floor) : 0;
  }
  void add(double value) {
    newest_high_ = std::max(newest_high_, value);
    newest_low_ = std::min(newest_low_, value);
  }
  // Ends a block: the one before it becomes part of the range, which shrinks by `fade` (0…1) of its width first.
  void end_block(double fade) {
    if (held_high_ >= held_low_) {
      const double shrink = known_ ? fade * (high_ - low_) / 2 : 0;
      high_ = known_ ? std::max(high_ - shrink, held_high_) : held_high_;
      low_ = known_ ? std::min(low_ + shrink, held_low_) : held_low_;
      known_ = true;
    }
    held_high_ = newest_high_;
    held_low_ = newest_low_;
    newest_high_ = -HUGE_VAL;
    newest_low_ = HUGE_VAL;
  }
  [[nodiscard]] bool known() const { return known_; }
  [[nodiscard]] double width() const { return known_ ? high_ - low_ : 0; }
  [[nodiscard]] double high() const { return high_; }
  [[nodiscard]] double low() const { return low_; }

 private:
  double high_ = 0, low_ = 0;
  double held_high_ = -HUGE_VAL, held_low_ = HUGE_VAL;      // the last complete block
  double newest_high_ = -HUGE_VAL, newest_low_ = HUGE_VAL;  // the block being filled
  bool known_ = false;
};

}  // namespace alara::flow
