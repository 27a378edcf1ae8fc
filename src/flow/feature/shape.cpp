// SPDX-License-Identifier: Apache-2.0
#include "flow/feature/shape.hpp"

#include <algorithm>
#include <cmath>

#include "flow/feature/clones.hpp"

namespace alara::flow {
namespace {

// Independent partial sums, so that the additions need not wait for each other and may be vectorised without
// -ffast-math.
constexpr std::size_t kLanes = 16;

struct First {
  double sum, sum_abs, least, most;
};

ALARA_CLONES First first_pass(const double* x, std::size_t n) {
  double sum[kLanes] = {}, sum_abs[kLanes] = {}, least[kLanes], most[kLanes];
  std::fill(least, least + kLanes, x[0]);
  std::fill(most, most + kLanes, x[0]);
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (std::size_t k = 0; k < kLanes; ++k) {
      const double v = x[i + k];
      sum[k] += v;
      sum_abs[k] += std::fabs(v);
      least[k] = v < least[k] ? v : least[k];
      most[k] = v > most[k] ? v : most[k];
    }
  for (; i < n; ++i) {
    sum[0] += x[i];
    sum_abs[0] += std::fabs(x[i]);
    least[0] = std::min(least[0], x[i]);
    most[0] = std::max(most[0], x[i]);
  }
  First out{0, 0, least[0], most[0]};
  for (std::size_t k = 0; k < kLanes; ++k) {
    out.sum += sum[k];
    out.sum_abs += sum_abs[k];
    out.least = std::min(out.least, least[k]);
    out.most = std::max(out.most, most[k]);
  }
  return out;
}

struct Powers {
  double second = 0, third = 0, fourth = 0;
};

ALARA_CLONES Powers central_powers(const double* x, std::size_t n, double mean) {
  double second[kLanes] = {}, third[kLanes] = {}, fourth[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (std::size_t k = 0; k < kLanes; ++k) {
      const double d = x[i + k] - mean, d2 = d * d;
      second[k] += d2;
      third[k] += d2 * d;
      fourth[k] += d2 * d2;
    }
  for (; i < n; ++i) {
    const double d = x[i] - mean, d2 = d * d;
    second[0] += d2;
    third[0] += d2 * d;
    fourth[0] += d2 * d2;
  }
  Powers out;
  for (std::size_t k = 0; k < kLanes; ++k) {
    out.second += second[k];
    out.third += third[k];
    out.fourth += fourth[k];
  }
  return out;
}

ALARA_CLONES double sum_of_roots(const double* x, std::size_t n) {
  double sum[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (std::size_t k = 0; k < kLanes; ++k) sum[k] += std::sqrt(std::fabs(x[i + k]));
  for (; i < n; ++i) sum[0] += std::sqrt(std::fabs(x[i]));
  double total = 0;
  for (const double part : sum) total += part;
  return total;
}

}  // namespace

Shape shape_of(std::span<const double> x, RootMean root) {
  const double n = static_cast<double>(x.size());
  const First first = first_pass(x.data(), x.size());
  Shape out;
  out.mean = first.sum / n;
  out.mean_abs = first.sum_abs / n;
  out.least = first.least;
  out.most = first.most;
  out.peak = std::max(std::fabs(first.least), std::fabs(first.most));
  if (out.least == out.most) out.mean = out.least;  // a flat record is flat, not flat but for rounding
  const Powers power = central_powers(x.data(), x.size(), out.mean);
  const double variance = power.second / n;
  out.std = std::sqrt(variance);
  out.rms = std::sqrt(variance + out.mean * out.mean);
  out.skewness = power.third / n / (variance * out.std);
  out.kurtosis = power.fourth / n / (variance * variance);
  if (root == RootMean::compute) {
    const double mean_root = sum_of_roots(x.data(), x.size()) / n;
    out.mean_root = mean_root * mean_root;
  }
  return out;
}

}  // namespace alara::flow
