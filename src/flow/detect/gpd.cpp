// SPDX-License-Identifier: Apache-2.0
#include "flow/detect/gpd.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace alara::flow {
namespace {

constexpr double kExponential = 1e-9;         // shapes nearer to 0 are treated as 0
constexpr std::size_t kCandidates = 20 + 16;  // 20 + sqrt(n), n <= kMaxExcesses

// The profile likelihood's shape for theta = -shape / scale, eq. (4): mean of log(1 - theta y), sign as in our Gpd.
double shape_for(double theta, std::span<const double> y) {
  double sum = 0;
  for (const double value : y) sum += std::log1p(-theta * value);
  return sum / static_cast<double>(y.size());
}

}  // namespace

double Gpd::tail(double excess) const {
  if (std::fabs(shape) < kExponential) return std::exp(-excess / scale);
  const double base = 1 + shape * excess / scale;
  return base > 0 ? std::pow(base, -1 / shape) : 0;
}

double Gpd::excess_at(double probability) const {
  if (std::fabs(shape) < kExponential) return -scale * std::log(probability);
  return scale / shape * (std::pow(probability, -shape) - 1);
}

double Gpd::mean_beyond(double excess) const {
  return std::max(0.0, scale + shape * excess) / (1 - std::min(shape, 0.75));
}

Gpd fit_gpd(std::span<const double> excesses) {
  std::array<double, kMaxExcesses> sorted;
  const std::size_t n = std::min(excesses.size(), kMaxExcesses);
  if (n == 0) return {};
  std::copy_n(excesses.begin(), n, sorted.begin());
  std::sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(n));
  const std::span<const double> y(sorted.data(), n);
  const double count = static_cast<double>(n);
  const double quarter = y[static_cast<std::size_t>(std::floor(count / 4 + 0.5)) - (n > 1 ? 1 : 0)];

  std::array<double, kCandidates> theta;
  std::array<double, kCandidates> likelihood;
  const auto candidates = static_cast<std::size_t>(20 + std::floor(std::sqrt(count)));
  for (std::size_t j = 0; j < candidates; ++j) {  // the grid of eq. (9)
    const double place = std::sqrt(static_cast<double>(candidates) / (static_cast<double>(j) + 0.5));
    theta[j] = 1 / y[n - 1] + (1 - place) / (3 * quarter);
    const double shape = shape_for(theta[j], y);
    likelihood[j] = count * (std::log(-theta[j] / shape) - shape - 1);
    if (!std::isfinite(likelihood[j])) likelihood[j] = -1e300;  // theta = 0 exactly
  }
  const double best =
      *std::max_element(likelihood.begin(), likelihood.begin() + static_cast<std::ptrdiff_t>(candidates));
  double weights = 0;
  double estimate = 0;
  for (std::size_t j = 0; j < candidates; ++j) {
    const double weight = std::exp(likelihood[j] - best);
    weights += weight;
    estimate += weight * theta[j];
  }
  estimate /= weights;
  const double shape = shape_for(estimate, y);
  if (!std::isfinite(shape) || std::fabs(shape) < kExponential || estimate == 0) {
    double sum = 0;
    for (const double value : y) sum += value;
    return {0, sum / count};
  }
  return {shape, -shape / estimate};
}

}  // namespace alara::flow
