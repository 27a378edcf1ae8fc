// SPDX-License-Identifier: Apache-2.0
// Spectral features of one record. A record is prepared once (mean removed, scaled, tapered, transformed) and then
// asked for bands, centroid, dominant frequency and velocity.
#pragma once

#include <complex>
#include <cstdint>
#include <span>
#include <vector>

#include "flow/feature/fft.hpp"

namespace alara::flow {

enum class Taper : std::uint8_t {
  none,  // exact for what repeats within the record; else energy leaks far
  hann,  // leaks over two bins only; the spectrum is corrected for the energy it takes away
};

// Plans and scratch for records of one size; shared by all slots of an operator.
class Spectrum {
 public:
  // size: fast and even.
  Spectrum(std::size_t size, double rate_hz, Taper taper);

  // x: size() samples with mean `mean` and largest distance from it `span`. Taken in double, transformed in float
  // after scaling, so neither a large offset nor a tiny signal loses digits.
  void load(std::span<const double> x, double mean, double span);

  [[nodiscard]] std::size_t size() const { return fft_.size(); }
  // Mean square between two frequencies, both bins included. Over 0 … rate/2 it is the variance (Parseval; exactly so
  // without taper, for a stationary signal with one).
  [[nodiscard]] double band(double low_hz, double high_hz) const;
  // Power-weighted mean frequency, Hz; NaN when there is no power.
  [[nodiscard]] double centroid() const;
  // Frequency of the highest peak, Hz, between bins by the parabola through the logarithms of three bins (Gasior &
  // Gonzalez, "Improving FFT frequency measurement resolution by parabolic and Gaussian spectrum interpolation", 2004).
  [[nodiscard]] double dominant() const;
  // Root mean square of the time integral between two frequencies: each line divided by 2 pi f, as broad-band
  // vibration velocity of ISO 20816-1 is had from an accelerometer. In the record's unit times seconds.
  [[nodiscard]] double integral_rms(double low_hz, double high_hz) const;
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Bins {
    std::size_t first, last;  // [first, last)
  };
  [[nodiscard]] Bins bins_of(double low_hz, double high_hz) const;

  RealFft fft_;
  double resolution_;         // Hz per bin
  std::vector<float> taper_;  // empty: none
  double power_scale_;        // |X|^2 to one-sided mean square
  std::vector<float> in_;
  std::vector<std::complex<float>> lines_;
  std::vector<float> power_;  // one-sided mean square per bin, of the scaled record
  double unscale_ = 0;        // back to the record's unit squared
};

}  // namespace alara::flow
