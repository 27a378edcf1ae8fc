// SPDX-License-Identifier: Apache-2.0
#include "flow/feature/spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "flow/feature/clones.hpp"

namespace alara::flow {
namespace {

ALARA_CLONES void prepare(const double* x, const float* taper, float* out, std::size_t n, double mean, double scale) {
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<float>((x[i] - mean) * scale) * taper[i];
}

ALARA_CLONES void squares(const std::complex<float>* lines, float* power, std::size_t n, float scale) {
  const float* parts = reinterpret_cast<const float*>(lines);
  for (std::size_t k = 0; k < n; ++k)
    power[k] = (parts[2 * k] * parts[2 * k] + parts[2 * k + 1] * parts[2 * k + 1]) * scale;
}

}  // namespace

Spectrum::Spectrum(std::size_t size, double rate_hz, Taper taper)
    : fft_(size),
      resolution_(rate_hz / static_cast<double>(size)),
      taper_(size, 1.0F),
      in_(size),
      lines_(fft_.bins()),
      power_(fft_.bins()) {
  double energy = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (taper == Taper::hann)  // periodic Hann
      taper_[i] = static_cast<float>(
          0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(size)));
    energy += static_cast<double>(taper_[i]) * taper_[i];
  }
  // One-sided: every line but 0 and the last stands also for its mirror image.
  power_scale_ = 2 / (energy * static_cast<double>(size));
}

void Spectrum::load(std::span<const double> x, double mean, double span) {
  const double scale = span > 0 ? 1 / span : 0;
  unscale_ = span * span;
  prepare(x.data(), taper_.data(), in_.data(), size(), mean, scale);
  fft_.transform(in_, lines_);
  squares(lines_.data(), power_.data(), lines_.size(), static_cast<float>(power_scale_));
  power_.front() *= 0.5F;
  power_.back() *= 0.5F;
}

Spectrum::Bins Spectrum::bins_of(double low_hz, double high_hz) const {
  // A hair of tolerance, so that 500 Hz at 10 Hz a bin is bin 50 in spite of rounding.
  const double first = std::ceil(low_hz / resolution_ - 1e-9), last = std::floor(high_hz / resolution_ + 1e-9);
  const double end = std::min(last + 1, static_cast<double>(power_.size()));
  return {static_cast<std::size_t>(std::clamp(first, 0.0, end)), static_cast<std::size_t>(end)};
}

double Spectrum::band(double low_hz, double high_hz) const {
  const Bins bins = bins_of(low_hz, high_hz);
  double sum = 0;
  for (std::size_t k = bins.first; k < bins.last; ++k) sum += static_cast<double>(power_[k]);
  return sum * unscale_;
}

double Spectrum::centroid() const {
  double sum = 0, moment = 0;
  for (std::size_t k = 0; k < power_.size(); ++k) {
    const double power = static_cast<double>(power_[k]);
    sum += power;
    moment += power * static_cast<double>(k);
  }
  return unscale_ > 0 ? moment / sum * resolution_ : std::numeric_limits<double>::quiet_NaN();
}

double Spectrum::dominant() const {
  if (!(unscale_ > 0)) return std::numeric_limits<double>::quiet_NaN();
  const auto top = std::max_element(power_.begin() + 1, power_.end());
  const std::size_t k = static_cast<std::size_t>(top - power_.begin());
  double shift = 0;
  if (k + 1 < power_.size() && power_[k - 1] > 0 && power_[k + 1] > 0) {
    const double before = std::log(static_cast<double>(power_[k - 1])), here = std::log(static_cast<double>(power_[k]));
    const double after = std::log(static_cast<double>(power_[k + 1]));
    const double bend = before - 2 * here + after;
    if (bend < 0) shift = std::clamp(0.5 * (before - after) / bend, -0.5, 0.5);
  }
  return (static_cast<double>(k) + shift) * resolution_;
}

double Spectrum::integral_rms(double low_hz, double high_hz) const {
  const Bins bins = bins_of(low_hz, high_hz);
  double sum = 0;
  for (std::size_t k = std::max<std::size_t>(bins.first, 1); k < bins.last; ++k) {
    const double omega = 2 * std::numbers::pi * resolution_ * static_cast<double>(k);
    sum += static_cast<double>(power_[k]) / (omega * omega);
  }
  return std::sqrt(sum * unscale_);
}

std::size_t Spectrum::memory_bytes() const {
  return fft_.memory_bytes() + (taper_.size() + in_.size() + power_.size()) * sizeof(float) +
         lines_.size() * sizeof(std::complex<float>);
}

}  // namespace alara::flow
