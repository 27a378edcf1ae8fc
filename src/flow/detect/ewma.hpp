// SPDX-License-Identifier: Apache-2.0
// z-score against an exponentially weighted mean and variance: for signals that wander slowly around a level. 24 bytes
// per slot. Mean and variance: T. Finch, "Incremental calculation of weighted mean and variance" (2009), eq. 124/143.
#pragma once

#include <cstddef>
#include <vector>

#include "flow/detect/reading.hpp"

namespace alara::flow {

class EwmaBank {
 public:
  struct Options {
    double memory = 256;         // samples; the weight of the newest one is 2 / (memory + 1)
    std::uint32_t warm_up = 64;  // samples before the first verdict
    double threshold = 5;        // standard deviations
    Side side = Side::both;
  };
  EwmaBank(const Options& options, std::size_t slots);

  // Judges `x[0]` by what came before it, then learns it.
  Reading step(std::size_t slot, Nanos time, const double* x);
  [[nodiscard]] std::size_t bytes_per_slot() const { return sizeof(State); }

 private:
  struct State {
    double mean = 0;
    double variance = 0;
    std::uint32_t seen = 0;
  };
  Options options_;
  double weight_;
  std::vector<State> states_;
};

}  // namespace alara::flow
