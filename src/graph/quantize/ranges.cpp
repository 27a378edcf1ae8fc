// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/ranges.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace alara::graph {
namespace {

using Bins = std::vector<ValueHistogram::Bin>;

constexpr int kSteps = 255;  // between the lowest and the highest of 8 bits
constexpr std::array<std::pair<RangeMethod, std::string_view>, 4> kMethods{{{RangeMethod::min_max, "minmax"},
                                                                            {RangeMethod::percentile, "percentile"},
                                                                            {RangeMethod::entropy, "entropy"},
                                                                            {RangeMethod::mse, "mse"}}};

// What is known of a value when its range is chosen.
struct Seen {
  Range all;
  Bins bins;
  double width = 0;  // of a bin
};

Range all_of(const ValueHistogram& histogram, const Range& limit) {
  return {std::clamp(static_cast<double>(histogram.min()), std::min(limit.low, 0.0), 0.0),
          std::clamp(static_cast<double>(histogram.max()), 0.0, std::max(limit.high, 0.0))};
}

Range by_percentile(const Seen& seen, double percentile) {
  const auto& [all, bins, width] = seen;
  double count = 0;
  for (const auto& bin : bins) count += bin.count;
  const double outside = count * (100 - percentile) / 200;
  const double half = width / 2;
  Range out = all;
  double below = 0;
  for (const auto& bin : bins) {
    if (below + bin.count > outside) {
      out.low = std::clamp(bin.centre - half, out.low, 0.0);
      break;
    }
    below += bin.count;
  }
  double above = 0;
  for (auto bin = bins.rbegin(); bin != bins.rend(); ++bin) {
    if (above + bin->count > outside) {
      out.high = std::clamp(bin->centre + half, 0.0, out.high);
      break;
    }
    above += bin->count;
  }
  return out;
}

// Sum of squared errors of the 8-bit copy.
double squared_error(const Bins& bins, const Range& range) {
  const double scale = (range.high - range.low) / kSteps;
  if (scale <= 0) return std::numeric_limits<double>::infinity();
  const double zero = std::nearbyint(-range.low / scale);
  double sum = 0;
  for (const auto& bin : bins) {
    const double level = std::clamp(std::nearbyint(bin.centre / scale), -zero, kSteps - zero);
    const double error = level * scale - bin.centre;
    sum += bin.count * error * error;
  }
  return sum;
}

// Moves one end after the other towards zero, in steps that become finer, as long as the error gets smaller.
Range by_squared_error(const Seen& seen) {
  constexpr double kFirstStep = 1.0 / 32, kLastStep = 1.0 / 512;
  constexpr int kCoarse = 28;  // the first search goes down to 1 - 28/32 of the end
  const auto& [all, bins, width] = seen;
  double low = 1, high = 1;  // fractions of the ends
  double best = squared_error(bins, all);
  const auto try_ends = [&](double next_low, double next_high) {
    const double error = squared_error(bins, {all.low * next_low, all.high * next_high});
    if (error >= best) return;
    best = error;
    low = next_low;
    high = next_high;
  };
  for (int round = 0; round < 2; ++round) {
    const double from_high = high, from_low = low;
    for (int i = 1; i <= kCoarse && all.high > 0; ++i) try_ends(from_low, 1 - i * kFirstStep);
    for (int i = 1; i <= kCoarse && all.low < 0; ++i) try_ends(low, 1 - i * kFirstStep);
    if (from_high == high && from_low == low) break;
  }
  for (double step = kFirstStep / 2; step >= kLastStep; step /= 2)
    for (const double sign : {1.0, -1.0}) {
      if (all.high > 0) try_ends(low, std::min(1.0, high + sign * step));
      if (all.low < 0) try_ends(std::min(1.0, low + sign * step), high);
    }
  return {all.low * low, all.high * high};
}

// KL(P || Q), P what lies in the range with what is cut off added to its ends, Q the same without that, made equal
// within each of the 8-bit copy's steps over the bins that are not empty (Migacz, "8-bit inference with TensorRT",
// 2017). Exact zeros are left out: they have no error and would outweigh all else after a Relu. What counts that are
// finite add by chance, (bins - 1) / 2n for each step (Miller, 1955), is taken off: it would favour small ranges.
double divergence(const Bins& bins, const Range& range) {
  const double scale = (range.high - range.low) / kSteps;
  if (scale <= 0) return std::numeric_limits<double>::infinity();
  std::vector<double> inside;
  std::vector<long> step;
  double below = 0, above = 0;
  for (const auto& bin : bins) {
    if (bin.centre == 0) continue;
    if (bin.centre < range.low) {
      below += bin.count;
    } else if (bin.centre > range.high) {
      above += bin.count;
    } else {
      inside.push_back(bin.count);
      step.push_back(std::lround(bin.centre / scale));
    }
  }
  if (inside.empty()) return std::numeric_limits<double>::infinity();
  double total = below + above, kept = 0;
  for (const double count : inside) kept += count;
  total += kept;
  double sum = 0;
  for (std::size_t first = 0; first < inside.size();) {
    std::size_t end = first;
    double mass = 0;
    for (; end < inside.size() && step[end] == step[first]; ++end) mass += inside[end];
    const double q = mass / static_cast<double>(end - first) / kept;
    sum -= static_cast<double>(end - first - 1) / (2 * total);
    for (std::size_t i = first; i < end; ++i) {
      const double cut = (i == 0 ? below : 0) + (i + 1 == inside.size() ? above : 0);
      const double p = (inside[i] + cut) / total;
      sum += p * std::log(p / q);
    }
    first = end;
  }
  return sum;
}

// Both ends shrink together, down to where a step has kBinsPerStep bins: with fewer any copy looks good.
Range by_divergence(const Seen& seen) {
  constexpr int kCandidates = 128;
  constexpr double kBinsPerStep = 4;
  const auto& [all, bins, width] = seen;
  const double smallest = std::min(1.0, kBinsPerStep * width * kSteps / (all.high - all.low));
  Range out = all;
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i <= kCandidates; ++i) {
    const double fraction = 1 - (1 - smallest) * i / kCandidates;
    const Range candidate{all.low * fraction, all.high * fraction};
    const double found = divergence(bins, candidate);
    if (found >= best) continue;
    best = found;
    out = candidate;
  }
  return out;
}

}  // namespace

std::string_view name_of(RangeMethod method) {
  for (const auto& [known, name] : kMethods)
    if (known == method) return name;
  return "?";
}

Result<RangeMethod> range_method(std::string_view name) {
  for (const auto& [method, known] : kMethods)
    if (known == name) return method;
  return fail(ErrorKind::bad_input, "'{}' is no method: minmax, percentile, entropy or mse", name);
}

Range choose_range(const ValueHistogram& histogram, RangeMethod method, double percentile, const Range& limit) {
  Seen seen{all_of(histogram, limit), {}, histogram.width()};
  if (seen.all.high - seen.all.low <= 0 || method == RangeMethod::min_max) return seen.all;
  seen.bins = histogram.bins();
  for (auto& bin : seen.bins) bin.centre = std::clamp(bin.centre, limit.low, limit.high);
  switch (method) {
    case RangeMethod::percentile:
      return by_percentile(seen, percentile);
    case RangeMethod::entropy:
      return by_divergence(seen);
    default:
      return by_squared_error(seen);
  }
}

Grid grid_over(const Range& range, ActivationType type) {
  constexpr double kSmallestScale = 1e-30;  // products of scales must stay normal numbers
  Grid out;
  if (type == ActivationType::int8) {
    out.lowest = -128;
    out.highest = 127;
  }
  const double width = range.high - range.low;
  out.scale = width > 0 ? static_cast<float>(std::max(width / kSteps, kSmallestScale)) : 1.0F;
  const double zero = std::nearbyint(-range.low / static_cast<double>(out.scale));
  out.zero_point = out.lowest + static_cast<int>(std::clamp(zero, 0.0, static_cast<double>(kSteps)));
  return out;
}

int quantized(float x, const Grid& grid) {
  const float level = std::nearbyint(x / grid.scale) + static_cast<float>(grid.zero_point);
  return static_cast<int>(std::clamp(level, static_cast<float>(grid.lowest), static_cast<float>(grid.highest)));
}

}  // namespace alara::graph
