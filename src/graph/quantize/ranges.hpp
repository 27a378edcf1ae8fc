// SPDX-License-Identifier: Apache-2.0
// From what a value was seen to take to the range its 8-bit copy covers, and to scale and zero point. All ranges hold
// zero, so that padding and Relu are exact.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "base/result.hpp"
#include "graph/quantize/histogram.hpp"

namespace alara::graph {

enum class RangeMethod : std::uint8_t {
  min_max,     // all that was seen
  percentile,  // all but the outermost, (100 - percentile)/2 % on each side
  entropy,     // least Kullback-Leibler divergence between what was seen and its 8-bit copy
  mse,         // least mean squared error of the 8-bit copy
};
[[nodiscard]] std::string_view name_of(RangeMethod method);
[[nodiscard]] Result<RangeMethod> range_method(std::string_view name);

struct Range {
  double low = 0;   // <= 0
  double high = 0;  // >= 0
  friend bool operator==(const Range&, const Range&) = default;
};

inline constexpr double kDefaultPercentile = 99.99;
inline constexpr Range kNoLimit{-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};

// What lies beyond `limit` counts as lying on it: for values whose users saturate there.
[[nodiscard]] Range choose_range(const ValueHistogram& histogram, RangeMethod method,
                                 double percentile = kDefaultPercentile, const Range& limit = kNoLimit);

// x = scale * (q - zero_point), q in [lowest, highest].
struct Grid {
  float scale = 1;
  int zero_point = 0;
  int lowest = 0;
  int highest = 255;
};
enum class ActivationType : std::uint8_t { uint8, int8 };
[[nodiscard]] Grid grid_over(const Range& range, ActivationType type);
// The nearest number on the grid, ties to even.
[[nodiscard]] int quantized(float x, const Grid& grid);

}  // namespace alara::graph
