// SPDX-License-Identifier: Apache-2.0
#include "flow/window/accumulator.hpp"

#include <algorithm>

#include "flow/window/watermark.hpp"

namespace alara::flow {
void Moments::absorb(std::uint64_t n, double offset, double m2) {
  if (n == 0) return;
  const auto mine = static_cast<double>(folded_);
  const auto theirs = static_cast<double>(n);
  const double all = mine + theirs;
  const double delta = offset - offset_;
  m2_ += m2 + delta * delta * (mine * theirs / all);
  offset_ += delta * (theirs / all);
  folded_ += n;
}

void Moments::fold() {
  if (in_chunk_ == 0) return;
  const auto n = static_cast<double>(in_chunk_);
  const double delta = s1_ / n;
  const double m2 = std::max(0.0, s2_ - s1_ * delta);
  const std::uint32_t taken = in_chunk_;
  in_chunk_ = 0;
  s1_ = s2_ = 0;
  absorb(taken, offset_ + delta, m2);
}

void Moments::merge(const Moments& other) {
  if (other.count() == 0) return;
  fold();
  Moments folded = other;
  folded.fold();
  if (folded_ == 0) {
    *this = folded;
    return;
  }
  absorb(folded.folded_, folded.offset_ + (folded.origin_ - origin_), folded.m2_);
}

void Trend::add(Nanos time, double value) {
  if (n_ == 0) origin_ = time;
  ++n_;
  const double t = seconds_between(origin_, time);
  const double share = 1.0 / static_cast<double>(n_);
  const double dt = t - t_;
  const double dv = value - v_;
  t_ += dt * share;
  v_ += dv * share;
  tt_ += dt * (t - t_);
  tv_ += dt * (value - v_);
}

void Trend::merge(const Trend& other) {
  if (other.n_ == 0) return;
  if (n_ == 0) {
    *this = other;
    return;
  }
  const auto mine = static_cast<double>(n_);
  const auto theirs = static_cast<double>(other.n_);
  const double dt = other.t_ + seconds_between(origin_, other.origin_) - t_;
  const double dv = other.v_ - v_;
  const double weight = mine * theirs / (mine + theirs);
  tt_ += other.tt_ + dt * dt * weight;
  tv_ += other.tv_ + dt * dv * weight;
  t_ += dt * theirs / (mine + theirs);
  v_ += dv * theirs / (mine + theirs);
  n_ += other.n_;
}

void Accumulator::add(Nanos time, double value, bool uncertain, const Needs& needs) {
  uncertain_ = uncertain_ || uncertain;
  if (needs.trend) trend_.add(time, value);
  if (empty()) {
    low_ = high_ = first_ = last_ = value;
    first_time_ = last_time_ = time;
  } else {
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
    if (time >= last_time_) {
      increase_ += counter_step(last_, value);
      last_ = value;
      last_time_ = time;
    } else if (time < first_time_) {  // between first and last it tells nothing about a counter's increase
      increase_ += counter_step(value, first_);
      first_ = value;
      first_time_ = time;
    }
  }
  moments_.add(value);
}

void Accumulator::merge(const Accumulator& later, const Needs& needs) {
  if (later.empty()) return;
  if (empty()) {
    *this = later;
    return;
  }
  uncertain_ = uncertain_ || later.uncertain_;
  moments_.merge(later.moments_);
  if (needs.trend) trend_.merge(later.trend_);
  low_ = std::min(low_, later.low_);
  high_ = std::max(high_, later.high_);
  increase_ += counter_step(last_, later.first_) + later.increase_;
  last_ = later.last_;
  last_time_ = later.last_time_;
}

Summary Accumulator::summary(const Sketch* sketch) {
  moments_.fold();
  Summary s;
  s.n = static_cast<double>(moments_.count());
  s.mean = moments_.mean();
  s.variance = moments_.variance();
  s.low = low_;
  s.high = high_;
  s.first = first_;
  s.last = last_;
  s.slope = trend_.slope();
  s.increase = increase_;
  s.seconds = seconds_between(first_time_, last_time_);
  s.sketch = sketch;
  return s;
}

}  // namespace alara::flow
