// SPDX-License-Identifier: Apache-2.0
#include "flow/detect/ewma.hpp"

#include <algorithm>

namespace alara::flow {

EwmaBank::EwmaBank(const Options& options, std::size_t slots)
    : options_(options), weight_(2.0 / (options.memory + 1)), states_(slots) {}

Reading EwmaBank::step(std::size_t slot, Nanos, const double* x) {
  State& state = states_[slot];
  Reading reading;
  const double deviation = x[0] - state.mean;
  if (state.seen >= options_.warm_up) {
    const double sigma = std::sqrt(state.variance);
    reading.warm = true;
    reading.score = capped_ratio(deviation_on(options_.side, deviation), sigma);
    reading.hit = reading.score > options_.threshold;
    const double reach = options_.threshold * sigma;
    reading.level = upper_limit(options_.side, deviation) ? state.mean + reach : state.mean - reach;
  }
  // While fewer samples than 1/weight have come they count alike: the plain mean and variance, no start-up bias.
  if (state.seen < UINT32_MAX) ++state.seen;
  const double weight = std::max(weight_, 1.0 / state.seen);
  state.mean += weight * deviation;
  state.variance = (1 - weight) * (state.variance + weight * deviation * deviation);
  return reading;
}

}  // namespace alara::flow
