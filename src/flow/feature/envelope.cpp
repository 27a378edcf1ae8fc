// SPDX-License-Identifier: Apache-2.0
#include "flow/feature/envelope.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "flow/feature/clones.hpp"

namespace alara::flow {
namespace {

std::size_t line_at(double hz, double resolution) { return static_cast<std::size_t>(std::lround(hz / resolution)); }

// Lines of the band within 1 … size/2 - 1: the analytic signal has neither the mean nor the Nyquist line.
std::size_t first_line(std::size_t size, double resolution, double low_hz) {
  return std::clamp<std::size_t>(line_at(low_hz, resolution), 1, size / 2 - 1);
}
std::size_t line_count(std::size_t size, double resolution, double low_hz, double high_hz) {
  const std::size_t first = first_line(size, resolution, low_hz);
  return std::clamp<std::size_t>(line_at(high_hz, resolution), first, size / 2 - 1) - first + 1;
}

ALARA_CLONES void centre(const double* x, float* out, std::size_t n, double mean, double scale) {
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<float>((x[i] - mean) * scale);
}

ALARA_CLONES void squared_magnitude(const std::complex<float>* z, float* out, std::size_t n, float scale) {
  const float* parts = reinterpret_cast<const float*>(z);
  for (std::size_t i = 0; i < n; ++i)
    out[i] = (parts[2 * i] * parts[2 * i] + parts[2 * i + 1] * parts[2 * i + 1]) * scale;
}

ALARA_CLONES void taper_about(float* x, const float* taper, std::size_t n, float mean) {
  for (std::size_t i = 0; i < n; ++i) x[i] = (x[i] - mean) * taper[i];
}

}  // namespace

EnvelopeSpectrum::EnvelopeSpectrum(std::size_t size, double rate_hz, double low_hz, double high_hz)
    : forward_(size),
      first_(first_line(size, rate_hz / static_cast<double>(size), low_hz)),
      lines_(line_count(size, rate_hz / static_cast<double>(size), low_hz, high_hz)),
      back_(fast_even_size_above(2 * lines_)),
      envelope_fft_(back_.size()),
      resolution_(rate_hz / static_cast<double>(size)),
      in_(size),
      squared_(back_.size()),
      taper_(back_.size()),
      amplitude_(envelope_fft_.bins()),
      spectrum_(forward_.bins()),
      shifted_(back_.size()),
      analytic_(back_.size()),
      envelope_lines_(envelope_fft_.bins()) {
  for (std::size_t i = 0; i < taper_.size(); ++i)
    taper_[i] = static_cast<float>(
        0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(taper_.size())));
}

void EnvelopeSpectrum::load(std::span<const double> x, double mean, double span) {
  unscale_ = span * span;
  centre(x.data(), in_.data(), in_.size(), mean, span > 0 ? 1 / span : 0);
  forward_.transform(in_, spectrum_);
  std::copy_n(spectrum_.begin() + static_cast<std::ptrdiff_t>(first_), lines_, shifted_.begin());  // the rest stays 0
  back_.transform(shifted_, analytic_);
  const float to_signal = 2.0F / static_cast<float>(in_.size());  // positive lines only, hence twice
  squared_magnitude(analytic_.data(), squared_.data(), squared_.size(), to_signal * to_signal);
  double sum = 0;
  for (const float value : squared_) sum += static_cast<double>(value);
  const double n = static_cast<double>(squared_.size());
  taper_about(squared_.data(), taper_.data(), squared_.size(), static_cast<float>(sum / n));
  envelope_fft_.transform(squared_, envelope_lines_);
  // A line's amplitude is 2|X|/n, and twice that again because a Hann taper halves what it lets through.
  const float to_amplitude = static_cast<float>(4 / n);
  squared_magnitude(envelope_lines_.data(), amplitude_.data(), amplitude_.size(), to_amplitude * to_amplitude);
}

double EnvelopeSpectrum::amplitude_at(double hz, double tolerance) const {
  const double at = hz / resolution_, reach = std::max(1.0, at * tolerance);
  const double first = std::max(1.0, std::ceil(at - reach)),
               last = std::min(std::floor(at + reach), static_cast<double>(lines_));
  if (!(first <= last)) return 0;
  const auto begin = amplitude_.begin() + static_cast<std::ptrdiff_t>(first);
  const auto end = amplitude_.begin() + static_cast<std::ptrdiff_t>(last) + 1;
  return std::sqrt(static_cast<double>(*std::max_element(begin, end))) * unscale_;
}

std::size_t EnvelopeSpectrum::memory_bytes() const {
  return forward_.memory_bytes() + back_.memory_bytes() + envelope_fft_.memory_bytes() +
         (in_.size() + squared_.size() + taper_.size() + amplitude_.size()) * sizeof(float) +
         (spectrum_.size() + shifted_.size() + analytic_.size() + envelope_lines_.size()) * sizeof(std::complex<float>);
}

}  // namespace alara::flow
