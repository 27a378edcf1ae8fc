// SPDX-License-Identifier: Apache-2.0
// How often a value of a graph took which numbers, in memory that does not grow: bins of equal width on both sides of
// zero; a number beyond them doubles the width, each two bins becoming one. Widths are powers of two and edges are
// multiples of them, so merging is exact and the result depends on the numbers only: not on their order, nor on the
// batches in which they came.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace alara::graph {

class ValueHistogram {
 public:
  static constexpr int kHalf = 4096;  // bins on each side of zero

  ValueHistogram();
  // Numbers that are not finite are counted and left out.
  void add(std::span<const float> numbers);

  [[nodiscard]] std::uint64_t count() const { return count_; }  // finite numbers
  [[nodiscard]] std::uint64_t zeros() const { return zeros_; }  // of them, exactly zero
  [[nodiscard]] std::uint64_t not_finite() const { return not_finite_; }
  [[nodiscard]] float min() const { return count_ == 0 ? 0 : min_; }  // exact; 0 when nothing was added
  [[nodiscard]] float max() const { return count_ == 0 ? 0 : max_; }
  [[nodiscard]] double width() const;  // of a bin

  struct Bin {
    double centre = 0;
    double count = 0;
  };
  // Those that are not empty, from low to high. Exact zeros are a bin of their own, with centre 0.
  [[nodiscard]] std::vector<Bin> bins() const;

  friend bool operator==(const ValueHistogram& a, const ValueHistogram& b);

 private:
  using Counts = std::array<std::uint64_t, 2 * kHalf>;
  void widen(int exponent);

  std::unique_ptr<Counts> counts_;  // bin i covers [(i - kHalf) * width, (i - kHalf + 1) * width)
  int exponent_;                    // width() is 2^exponent_
  std::uint64_t count_ = 0, zeros_ = 0, not_finite_ = 0;
  float min_, max_;
};

}  // namespace alara::graph
