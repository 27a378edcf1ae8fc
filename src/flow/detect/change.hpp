// SPDX-License-Identifier: Apache-2.0
// Change-point detectors that add up small deviations, two-sided, in standard deviations of the in-control signal:
//   CUSUM         S+ = max(0, S+ + z - k), S- = max(0, S- - z - k), alarm above h: E. S. Page, Biometrika 41 (1954).
//                 Its reference mean is given or learned once.
//   Page-Hinkley  m = sum(z - running mean - k), alarm when m rises h above its minimum (and mirrored): D. V. Hinkley,
//                 Biometrika 58 (1971); it follows the mean of all samples since the last restart.
// With k = 0.5 and h = 5 CUSUM sees a shift of one standard deviation after 10 samples and gives a false alarm in 465.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "flow/detect/reading.hpp"

namespace alara::flow {

enum class AfterAlarm : std::uint8_t {
  restart,  // sums start from 0: a lasting shift alarms again and again
  relearn,  // mean and spread are learned anew: the new state is the normal one
  carry,    // sums go on: the alarm lasts until the signal has been back for as long as it was away
};

struct ChangeOptions {
  double slack = 0.5;           // k: deviations below it never add up; half the shift to be found
  double threshold = 5;         // h
  std::uint32_t warm_up = 100;  // samples from which mean and sigma are learned, where they are not given
  std::optional<double> mean;   // known in-control mean
  std::optional<double> sigma;  // known in-control standard deviation
  Side side = Side::both;
  AfterAlarm after = AfterAlarm::restart;
};

class ChangeBank {
 public:
  enum class Method : std::uint8_t { cusum, page_hinkley };
  ChangeBank(Method method, const ChangeOptions& options, std::size_t slots);

  Reading step(std::size_t slot, Nanos time, const double* x);
  [[nodiscard]] std::size_t bytes_per_slot() const { return sizeof(State); }

 private:
  struct State {
    double mean = 0, squares = 0;  // of the samples learned from (Welford)
    double up = 0, down = 0;       // the two sums
    std::uint32_t seen = 0;
  };
  void learn(State& state, double x) const;
  [[nodiscard]] double sigma(const State& state) const;

  Method method_;
  ChangeOptions options_;
  std::uint32_t warm_up_;
  std::vector<State> states_;
};

}  // namespace alara::flow
