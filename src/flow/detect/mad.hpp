// SPDX-License-Identifier: Apache-2.0
// Modified z-score against median and median absolute deviation of the last `window` samples (Iglewicz and Hoaglin,
// "How to detect and handle outliers", 1993): up to half of the window may be outliers. 16 bytes per sample of window
// and slot; a step is two binary searches, one short move of memory and a selection in O(log window). Where the median
// absolute deviation is 0 the mean one takes its place.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "flow/detect/reading.hpp"

namespace alara::flow {

class MadBank {
 public:
  struct Options {
    std::uint32_t window = 64;   // samples
    std::uint32_t warm_up = 32;  // samples before the first verdict; at most `window`
    double threshold = 6;        // modified z-score; 1 is one standard deviation of a Gaussian
    Side side = Side::both;
  };
  MadBank(const Options& options, std::size_t slots);

  // Judges `x[0]` by the window before it, then takes it into the window.
  Reading step(std::size_t slot, Nanos time, const double* x);
  [[nodiscard]] std::size_t bytes_per_slot() const { return sizeof(State) + 2 * sizeof(double) * options_.window; }

 private:
  struct State {
    std::uint32_t count = 0;
    std::uint32_t next = 0;  // where the oldest sample is overwritten
  };
  void insert(std::size_t slot, double value);

  Options options_;
  std::vector<State> states_;
  std::vector<double> ring_;    // slots x window, in order of arrival
  std::vector<double> sorted_;  // slots x window, the first `count` of each sorted
};

// Median of a sorted, non-empty span, and the median of the distances to `centre` of its elements.
[[nodiscard]] double median_of_sorted(std::span<const double> sorted);
[[nodiscard]] double median_distance(std::span<const double> sorted, double centre);

}  // namespace alara::flow
