// SPDX-License-Identifier: Apache-2.0
// The state of one window, or of one pane of overlapping windows: takes samples one by one in O(1), and merges.
// Plain data, empty when all bytes are zero, so that panes can lie in an arena.
//
// Numerics: squares are summed about the mean so far and every kChunk samples folded into mean and squared
// deviations (Chan, Golub, LeVeque: "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances",
// COMPSTAT 1982, eq. 2.1), so neither a large offset nor a long window wears the result out.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "flow/window/aggregate.hpp"
#include "flow/window/sketch.hpp"

namespace alara::flow {

inline constexpr double kVarianceLoss = 0x1p-20;  // keeps about 9 of a double's 16 digits in a variance

[[nodiscard]] inline double seconds_between(Nanos from, Nanos to) {
  return static_cast<double>(saturating_sub(to, from)) * 1e-9;
}

class Moments {
 public:
  static constexpr std::uint32_t kChunk = 256;

  void add(double value) {
    if (count() == 0) origin_ = value;
    const double d = (value - origin_) - offset_;
    s1_ += d;
    s2_ += d * d;
    if (++in_chunk_ == kChunk) fold();
  }
  void fold();
  void merge(const Moments& other);

  [[nodiscard]] std::uint64_t count() const { return folded_ + in_chunk_; }
  // After fold():
  [[nodiscard]] double mean() const { return origin_ + offset_; }
  [[nodiscard]] double variance() const { return folded_ > 0 ? m2_ / static_cast<double>(folded_) : 0; }

 private:
  void absorb(std::uint64_t n, double offset, double m2);

  std::uint64_t folded_ = 0;
  double origin_ = 0;       // the first value: what follows is small beside a large level
  double offset_ = 0;       // of the mean from origin_
  double m2_ = 0;           // sum of squared deviations from the mean
  double s1_ = 0, s2_ = 0;  // of the chunk, about the mean of what is folded
  std::uint32_t in_chunk_ = 0;
};

// Least squares of value over time (Welford's update of the co-moment).
class Trend {
 public:
  void add(Nanos time, double value);
  void merge(const Trend& other);
  [[nodiscard]] double slope() const { return tt_ > 0 ? tv_ / tt_ : Summary::kNone; }  // per second

 private:
  std::uint64_t n_ = 0;
  Nanos origin_ = 0;
  double t_ = 0, v_ = 0;    // means, the time in seconds after origin_
  double tt_ = 0, tv_ = 0;  // sums of (t - mean)^2 and (t - mean)(v - mean)
};

// What a counter that restarts at 0 has gone up by between two readings; never negative, whatever the values are.
[[nodiscard]] inline double counter_step(double before, double after) {
  return after >= before ? after - before : after > 0 ? after : 0;
}

class Accumulator {
 public:
  void add(Nanos time, double value, bool uncertain, const Needs& needs);
  // `later` holds samples of a later pane.
  void merge(const Accumulator& later, const Needs& needs);
  void clear() { *this = Accumulator{}; }

  [[nodiscard]] bool empty() const { return moments_.count() == 0; }
  [[nodiscard]] bool uncertain() const { return uncertain_; }
  [[nodiscard]] Nanos first_time() const { return first_time_; }
  [[nodiscard]] Nanos last_time() const { return last_time_; }
  [[nodiscard]] std::uint64_t count() const { return moments_.count(); }
  [[nodiscard]] Summary summary(const Sketch* sketch);

 private:
  Moments moments_;
  Trend trend_;
  double low_ = 0, high_ = 0;
  double first_ = 0, last_ = 0;  // by event time
  Nanos first_time_ = 0, last_time_ = 0;
  double increase_ = 0;
  bool uncertain_ = false;
};

}  // namespace alara::flow
