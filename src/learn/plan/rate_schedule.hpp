// SPDX-License-Identifier: Apache-2.0
// The learning rate over a training.
#pragma once

#include <cstdint>
#include <vector>

namespace alara::learn {

struct RateSchedule {
  enum class Shape : std::uint8_t { constant, cosine, steps };

  Shape shape = Shape::cosine;
  double warm_up = 0.05;                 // share of the training in which the rate rises from 0 in a straight line
  double last = 0.0;                     // share of the rate that cosine ends with
  std::vector<double> at = {0.5, 0.75};  // of steps: shares of the training after which …
  double factor = 0.1;                   // … the rate is multiplied by this

  // The factor of step `step` of `steps`, from 0. Cosine: Loshchilov and Hutter, "SGDR", 2017, equation 5, one period.
  [[nodiscard]] double factor_at(std::int64_t step, std::int64_t steps) const;
  friend bool operator==(const RateSchedule&, const RateSchedule&) = default;
};

}  // namespace alara::learn
