// SPDX-License-Identifier: Apache-2.0
#include "flow/feature/reference.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

namespace alara::flow {
namespace {

using Complex = std::complex<double>;
constexpr double kTwoPi = 2 * std::numbers::pi;

// exp(2 pi j m / n) for m = 0 … n-1, so that products of indices modulo n need no sine of a large number.
std::vector<Complex> roots_of_unity(std::size_t n) {
  std::vector<Complex> out(n);
  for (std::size_t m = 0; m < n; ++m)
    out[m] = std::polar(1.0, kTwoPi * static_cast<double>(m) / static_cast<double>(n));
  return out;
}

Complex line_of(std::span<const double> x, const std::vector<Complex>& roots, std::size_t k) {
  Complex sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * std::conj(roots[k * i % x.size()]);
  return sum;
}

double hann(std::size_t i, std::size_t n) {
  return 0.5 - 0.5 * std::cos(kTwoPi * static_cast<double>(i) / static_cast<double>(n));
}

double mean_of(std::span<const double> x) {
  double sum = 0;
  for (const double v : x) sum += v;
  return sum / static_cast<double>(x.size());
}

// Mean of f(v) over the record.
template <typename F>
double mean_over(std::span<const double> x, F f) {
  double sum = 0;
  for (const double v : x) sum += f(v);
  return sum / static_cast<double>(x.size());
}

double shape_reference(FeatureKind kind, std::span<const double> x) {
  const double mean = mean_of(x);
  const double rms = std::sqrt(mean_over(x, [](double v) { return v * v; }));
  const double std = std::sqrt(mean_over(x, [mean](double v) { return (v - mean) * (v - mean); }));
  const double peak =
      std::fabs(*std::max_element(x.begin(), x.end(), [](double a, double b) { return std::fabs(a) < std::fabs(b); }));
  const double mean_abs = mean_over(x, [](double v) { return std::fabs(v); });
  switch (kind) {
    case FeatureKind::mean:
      return mean;
    case FeatureKind::rms:
      return rms;
    case FeatureKind::std:
      return std;
    case FeatureKind::peak:
      return peak;
    case FeatureKind::peak_to_peak:
      return *std::max_element(x.begin(), x.end()) - *std::min_element(x.begin(), x.end());
    case FeatureKind::crest:
      return peak / rms;
    case FeatureKind::skewness:
      return mean_over(x, [&](double v) { return std::pow((v - mean) / std, 3); });
    case FeatureKind::kurtosis:
      return mean_over(x, [&](double v) { return std::pow((v - mean) / std, 4); });
    case FeatureKind::shape_factor:
      return rms / mean_abs;
    case FeatureKind::impulse_factor:
      return peak / mean_abs;
    default:
      return peak / std::pow(mean_over(x, [](double v) { return std::sqrt(std::fabs(v)); }), 2);
  }
}

// One-sided mean square per line of the tapered record.
std::vector<double> power_lines(const FeaturePlan& plan, std::span<const double> record) {
  const std::size_t n = record.size();
  const double mean = mean_of(record);
  std::vector<double> x(n);
  double energy = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double w = plan.taper == Taper::hann ? hann(i, n) : 1.0;
    x[i] = (record[i] - mean) * w;
    energy += w * w;
  }
  const auto roots = roots_of_unity(n);
  std::vector<double> power(n / 2 + 1);
  for (std::size_t k = 0; k <= n / 2; ++k)
    power[k] = std::norm(line_of(x, roots, k)) / (energy * static_cast<double>(n)) * (k == 0 || k == n / 2 ? 1 : 2);
  return power;
}

double dominant_reference(const std::vector<double>& power, double resolution) {
  std::size_t top = 1;
  for (std::size_t k = 1; k < power.size(); ++k)
    if (power[k] > power[top]) top = k;
  double shift = 0;
  if (top + 1 < power.size()) {
    const double a = std::log(power[top - 1]), b = std::log(power[top]), c = std::log(power[top + 1]);
    shift = 0.5 * (a - c) / (a - 2 * b + c);
  }
  return (static_cast<double>(top) + shift) * resolution;
}

double spectral_reference(const FeaturePlan& plan, const Feature& feature, std::span<const double> record) {
  const double resolution = plan.rate_hz / static_cast<double>(record.size());
  const std::vector<double> power = power_lines(plan, record);
  if (feature.kind == FeatureKind::dominant_frequency) return dominant_reference(power, resolution);
  double sum = 0, moment = 0, band = 0, velocity = 0;
  for (std::size_t k = 0; k < power.size(); ++k) {
    const double hz = static_cast<double>(k) * resolution;
    sum += power[k];
    moment += power[k] * hz;
    if (hz < feature.low_hz - 1e-6 || hz > feature.high_hz + 1e-6) continue;
    band += power[k];
    if (k > 0) velocity += power[k] / std::pow(kTwoPi * hz, 2);
  }
  if (feature.kind == FeatureKind::spectral_centroid) return moment / sum;
  return feature.kind == FeatureKind::band ? band : std::sqrt(velocity) * plan.velocity_scale;
}

// The band-passed analytic signal at full length, its squared magnitude, and that one's lines at the asked frequencies.
double envelope_reference(const FeaturePlan& plan, BearingLine line, std::span<const double> record, double shaft_hz) {
  const std::size_t n = record.size();
  const double resolution = plan.rate_hz / static_cast<double>(n);
  const auto roots = roots_of_unity(n);
  const auto first = static_cast<std::size_t>(std::max(1L, std::lround(plan.envelope_low_hz / resolution)));
  const auto last = std::min(n / 2 - 1, static_cast<std::size_t>(std::lround(plan.envelope_high_hz / resolution)));
  std::vector<Complex> analytic(n, 0);
  for (std::size_t k = first; k <= last; ++k) {
    const Complex value = line_of(record, roots, k) * 2.0 / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) analytic[i] += value * roots[k * i % n];
  }
  std::vector<double> squared(n);
  for (std::size_t i = 0; i < n; ++i) squared[i] = std::norm(analytic[i]);
  const double mean = mean_of(squared);
  for (std::size_t i = 0; i < n; ++i) squared[i] = (squared[i] - mean) * hann(i, n);
  double total = 0;
  for (int h = 1; h <= plan.harmonics; ++h) {
    const double at = h * plan.bearing.of(line) * shaft_hz / resolution, reach = std::max(1.0, at * plan.slip);
    double best = 0;
    for (std::size_t k = 1; k <= last - first + 1; ++k)
      if (std::fabs(static_cast<double>(k) - at) <= reach)
        best = std::max(best, std::abs(line_of(squared, roots, k)) * 4 / static_cast<double>(n));
    total += best;
  }
  return total;
}

}  // namespace

double reference_value(const FeaturePlan& plan, const Feature& feature, std::span<const double> record,
                       double shaft_hz) {
  if (feature.kind == FeatureKind::envelope) return envelope_reference(plan, feature.line, record, shaft_hz);
  return feature.needs_spectrum() ? spectral_reference(plan, feature, record) : shape_reference(feature.kind, record);
}

}  // namespace alara::flow
