// SPDX-License-Identifier: Apache-2.0
#include "learn/plan/rate_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace alara::learn {

double RateSchedule::factor_at(std::int64_t step, std::int64_t steps) const {
  const double share = steps > 0 ? static_cast<double>(step) / static_cast<double>(steps) : 0;
  if (share < warm_up) return (static_cast<double>(step) + 1) / std::max(1.0, warm_up * static_cast<double>(steps));
  switch (shape) {
    case Shape::constant:
      return 1;
    case Shape::cosine: {
      const double along = (share - warm_up) / std::max(1e-9, 1 - warm_up);
      return last + (1 - last) * 0.5 * (1 + std::cos(std::numbers::pi * along));
    }
    case Shape::steps:
      return std::pow(factor,
                      static_cast<double>(std::count_if(at.begin(), at.end(), [&](double a) { return share >= a; })));
  }
  return 1;
}

}  // namespace alara::learn
