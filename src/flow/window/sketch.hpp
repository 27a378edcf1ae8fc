// SPDX-License-Identifier: Apache-2.0
// Quantiles of a stream in bounded memory: DDSketch (Masson, Rim, Lee: "DDSketch: A Fast and Fully-Mergeable Quantile
// Sketch with Relative-Error Guarantees", PVLDB 12(12), 2019) with buckets of ratio gamma = (1+a)/(1-a), a = 1 %.
// Error: a quantile is within 1 % of the sample of that rank, or, for samples more than 28,000 times smaller than the
// largest of their sign (whose buckets are collapsed), within 1/28,000 of that largest. A sample that was added can be
// removed again. Plain data, empty when all bytes are zero.
#pragma once

#include <array>
#include <cstdint>

namespace alara::flow {

class Sketch {
 public:
  static constexpr double kAccuracy = 0.01;
  static constexpr int kBuckets = 512;  // for each sign; exp(512 ln gamma) = 28,000

  void add(double value);
  void remove(double value);  // of a value that was added before
  void merge(const Sketch& other);
  void clear() { *this = Sketch{}; }

  [[nodiscard]] std::uint64_t count() const { return positive_.total + negative_.total + zeros_; }
  // The value of rank floor(fraction * (count - 1)); NaN when empty.
  [[nodiscard]] double quantile(double fraction) const;

 private:
  // Counts by index of the magnitude's logarithm, the kBuckets highest indices; what is lower counts in the lowest.
  struct Side {
    std::uint64_t total = 0;
    std::int32_t top = 0;
    std::int32_t unused = 0;
    std::array<std::uint32_t, kBuckets> counts{};

    void add(std::int32_t index, std::uint32_t count);
    void remove(std::int32_t index);
    void raise(std::int32_t top_index);
    [[nodiscard]] std::int32_t bottom() const { return top - kBuckets + 1; }
    [[nodiscard]] std::uint32_t& at(std::int32_t index) { return counts[static_cast<std::uint32_t>(index) % kBuckets]; }
    [[nodiscard]] std::uint32_t at(std::int32_t index) const {
      return counts[static_cast<std::uint32_t>(index) % kBuckets];
    }
    void merge(const Side& other);
  };

  Side positive_;
  Side negative_;
  std::uint64_t zeros_ = 0;
};

}  // namespace alara::flow
