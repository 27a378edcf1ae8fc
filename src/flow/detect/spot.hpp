// SPDX-License-Identifier: Apache-2.0
// Streaming peaks over threshold: an alarm with a chosen probability q on normal data, without assuming a distribution.
// A. Siffer et al., "Anomaly detection in streams with extreme value theory", KDD 2017: SPOT, its two-sided form, and
// DSPOT, which looks at the difference to a moving mean. The tail beyond a high quantile is a generalised Pareto
// distribution, refitted as new peaks arrive. Two things differ: we keep the newest `peaks` excesses only, so work and
// memory are bounded; and the first of a run of alarms is learned as a peak of the size that the fitted tail expects
// beyond the limit. Leaving alarms out, as the paper does, cuts the tail off where the limit happens to be, and the
// limit then creeps down to the data. What is learned does not depend on how large the anomaly was.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "flow/detect/gpd.hpp"
#include "flow/detect/reading.hpp"

namespace alara::flow {

class SpotBank {
 public:
  struct Options {
    double q = 1e-4;               // probability of an alarm per normal sample and side
    double tail = 0.02;            // share of the samples that count as peaks
    std::uint32_t peaks = 64;      // excesses kept per side; at most kMaxExcesses
    std::uint32_t warm_up = 1000;  // samples from which the first threshold is taken; tail * warm_up < peaks
    std::uint32_t drift = 0;       // samples of the moving mean that is taken off first; 0 = none (SPOT)
    Side side = Side::both;
  };
  SpotBank(const Options& options, std::size_t slots);

  // The score is -log10 of the estimated probability of a value as extreme as this one; 0 below the peaks' threshold.
  Reading step(std::size_t slot, Nanos time, const double* x);
  [[nodiscard]] std::size_t bytes_per_slot() const;

 private:
  // One tail; the lower one is the upper one of -x.
  struct Tail {
    Gpd fit;
    double threshold = 0;     // t: where peaks begin
    double limit = 0;         // z_q
    std::uint64_t peaks = 0;  // N_t: peaks ever
    std::uint32_t kept = 0, next = 0, unfitted = 0;
    bool beyond = false;  // the newest sample was an alarm
  };
  struct State {
    std::array<Tail, 2> tails;
    std::uint64_t seen = 0;  // n
    double sum = 0;          // of the moving mean's window
    std::uint32_t window = 0, window_next = 0;
  };
  void calibrate(Tail& tail, std::span<double> largest, double value) const;
  void begin(Tail& tail, std::span<double> peaks, std::uint64_t seen) const;
  void learn(Tail& tail, std::span<double> peaks, double excess) const;
  void set_limit(Tail& tail, std::uint64_t seen) const;
  [[nodiscard]] double score_of(const Tail& tail, double value, std::uint64_t seen) const;
  [[nodiscard]] double level_near(const State& state, double y, double mean) const;
  void move_mean(std::size_t slot, double x);

  Options options_;
  std::uint32_t calibration_;  // largest values kept while warming up
  std::vector<State> states_;
  std::vector<double> peaks_;    // slots x 2 x peaks
  std::vector<double> windows_;  // slots x drift
};

}  // namespace alara::flow
