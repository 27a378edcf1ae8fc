// SPDX-License-Identifier: Apache-2.0
// Random numbers of training: the same everywhere for the same seed. A generator is cheap to make, so each epoch and
// each batch has its own, made from what it is for: nothing of it needs to be kept in a checkpoint.
// splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <numbers>
#include <span>
#include <utility>

namespace alara::learn {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  // One stream for each combination of numbers: {seed, epoch, batch}.
  explicit Random(std::initializer_list<std::uint64_t> purpose) {
    for (const std::uint64_t part : purpose) state_ = mix(state_ + 0x9e3779b97f4a7c15 + part);
  }

  std::uint64_t bits() { return mix(state_ += 0x9e3779b97f4a7c15); }
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }  // [0, 1)
  std::uint64_t below(std::uint64_t n) { return bits() % n; }               // n far below 2^64
  std::int64_t between(std::int64_t least, std::int64_t most) {             // both included
    return least + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least) + 1));
  }
  // Two independent numbers of mean 0 and standard deviation 1 (Box and Muller, 1958).
  std::pair<double, double> normals() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform())), angle = 2 * std::numbers::pi * uniform();
    return {radius * std::cos(angle), radius * std::sin(angle)};
  }
  double normal() { return normals().first; }
  template <typename T>
  void shuffle(std::span<T> items) {  // Fisher and Yates
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  static std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }
  std::uint64_t state_ = 0;
};

}  // namespace alara::learn
