// SPDX-License-Identifier: Apache-2.0
// Squared-envelope spectrum: the classic of bearing diagnosis. Impacts ring the structure at a resonance; the envelope
// of that band repeats at the damaged part's frequency. Randall & Antoni, MSSP 25 (2011), section 4.3: band-pass and
// analytic signal in one step by keeping only the band's positive-frequency lines.
#pragma once

#include <complex>
#include <span>
#include <vector>

#include "flow/feature/fft.hpp"

namespace alara::flow {

class EnvelopeSpectrum {
 public:
  // Of records of `size` samples (fast and even), band-passed to [low_hz, high_hz].
  EnvelopeSpectrum(std::size_t size, double rate_hz, double low_hz, double high_hz);

  // x, mean and span as for Spectrum::load.
  void load(std::span<const double> x, double mean, double span);

  // Amplitude (peak value, in the record's unit squared) of the line nearest `hz`: the largest within `tolerance` of
  // it, relative (bearings slip by 1 to 2 %), and at least one bin to either side. 0 beyond the spectrum's end.
  [[nodiscard]] double amplitude_at(double hz, double tolerance) const;
  // The highest frequency that the spectrum holds: the width of the band.
  [[nodiscard]] double highest_hz() const { return resolution_ * static_cast<double>(lines_); }
  [[nodiscard]] double resolution_hz() const { return resolution_; }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  RealFft forward_;
  std::size_t first_, lines_;  // the band's lines [first_, first_ + lines_)
  // The envelope does not change when the band is moved down to 0 Hz, and its square reaches to the band's width
  // only. So the way back takes 2 * lines_ points instead of `size`, at the same resolution, and is exact.
  InverseFft back_;
  RealFft envelope_fft_;
  double resolution_;
  std::vector<float> in_, squared_, taper_, amplitude_;
  std::vector<std::complex<float>> spectrum_, shifted_, analytic_, envelope_lines_;
  double unscale_ = 0;
};

}  // namespace alara::flow
