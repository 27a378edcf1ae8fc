// SPDX-License-Identifier: Apache-2.0
#include "flow/detect/change.hpp"

#include <algorithm>

namespace alara::flow {

ChangeBank::ChangeBank(Method method, const ChangeOptions& options, std::size_t slots)
    : method_(method), options_(options), warm_up_(options.warm_up), states_(slots) {
  // Nothing to learn first: CUSUM has mean and sigma, Page-Hinkley follows its own mean.
  if (options.sigma && (options.mean || method == Method::page_hinkley)) warm_up_ = 0;
}

void ChangeBank::learn(State& state, double x) const {
  if (state.seen < UINT32_MAX) ++state.seen;
  const double before = x - state.mean;
  state.mean += before / state.seen;
  state.squares += before * (x - state.mean);
}

double ChangeBank::sigma(const State& state) const {
  if (options_.sigma) return *options_.sigma;
  return state.seen > 1 ? std::sqrt(state.squares / (state.seen - 1)) : 0;
}

Reading ChangeBank::step(std::size_t slot, Nanos, const double* x) {
  State& state = states_[slot];
  if (state.seen < warm_up_) {
    learn(state, x[0]);
    return {};
  }
  Reading reading;
  reading.warm = true;
  if (method_ == Method::page_hinkley) learn(state, x[0]);  // its mean includes the newest sample
  const double centre = options_.mean ? *options_.mean : state.mean;
  const double spread = sigma(state);
  const double deviation = x[0] - centre;
  const double z = std::copysign(capped_ratio(std::fabs(deviation), spread), deviation);
  state.up = std::min(std::max(0.0, state.up + z - options_.slack), kMaxScore);
  state.down = std::min(std::max(0.0, state.down - z - options_.slack), kMaxScore);
  const double up = options_.side == Side::low ? 0 : state.up;
  const double down = options_.side == Side::high ? 0 : state.down;
  reading.score = std::max(up, down);
  reading.hit = reading.score > options_.threshold;
  if (reading.hit && options_.after != AfterAlarm::carry) {
    state.up = state.down = 0;
    if (options_.after == AfterAlarm::relearn) state = State{};
  }
  return reading;
}

}  // namespace alara::flow
