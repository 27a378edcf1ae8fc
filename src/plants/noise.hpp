// SPDX-License-Identifier: Apache-2.0
// Random numbers of the plants: the same everywhere for the same seed, which std::normal_distribution does not promise.
// xoshiro256++ (Blackman & Vigna, "Scrambled linear pseudorandom number generators", 2019), seeded by splitmix64.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace alara::plants {

class Noise {
 public:
  explicit Noise(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      std::uint64_t mixed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9;
      mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
      word = mixed ^ (mixed >> 31);
    }
  }

  std::uint64_t bits() {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0], shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }  // [0, 1)
  double between(double low, double high) { return low + (high - low) * uniform(); }
  std::uint64_t below(std::uint64_t n) { return bits() % n; }  // n far below 2^64

  // Mean 0, standard deviation 1; Marsaglia's polar method, the second of each pair kept for the next call.
  double normal() {
    if (spare_ready_) {
      spare_ready_ = false;
      return spare_;
    }
    double x = 0, y = 0, square = 0;
    do {
      x = between(-1, 1);
      y = between(-1, 1);
      square = x * x + y * y;
    } while (square >= 1 || square == 0);
    const double factor = std::sqrt(-2 * std::log(square) / square);
    spare_ = y * factor;
    spare_ready_ = true;
    return x * factor;
  }
  // exp of a normal number: unit-to-unit spread of a positive parameter about 1.
  double spread(double sigma) { return std::exp(sigma * normal()); }

 private:
  std::uint64_t state_[4] = {};
  double spare_ = 0;
  bool spare_ready_ = false;
};

}  // namespace alara::plants
