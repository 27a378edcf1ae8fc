// SPDX-License-Identifier: Apache-2.0
// How long to wait before trying again: a random time below a bound that doubles with every failure (full jitter,
// so that a plant does not reconnect in step: M. Brooker, "Exponential Backoff and Jitter"). Also the source of any
// other random delay or number of a connection.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace alara {

class Backoff {
 public:
  Backoff(Nanos least, Nanos most, std::uint64_t seed = 1) : least_(least), most_(most), random_(seed) {}

  void seed(std::uint64_t seed) { random_ = seed; }
  void restart() { attempt_ = 0; }  // a connection has lasted
  [[nodiscard]] Nanos next() {
    const double bound = std::min(static_cast<double>(most_),
                                  static_cast<double>(least_) * static_cast<double>(1ull << std::min(attempt_, 30)));
    ++attempt_;
    return below(static_cast<Nanos>(bound));
  }
  [[nodiscard]] int attempts() const { return attempt_; }  // since restart()
  [[nodiscard]] Nanos below(Nanos bound) {
    const double fraction = static_cast<double>(random() >> 11) * 0x1p-53;
    return static_cast<Nanos>(fraction * static_cast<double>(bound));
  }
  std::uint64_t random() {  // SplitMix64 (Steele, Lea, Flood 2014)
    std::uint64_t z = (random_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }

 private:
  const Nanos least_, most_;
  int attempt_ = 0;
  std::uint64_t random_ = 1;
};

}  // namespace alara
