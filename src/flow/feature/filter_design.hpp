// SPDX-License-Identifier: Apache-2.0
// Coefficients of digital filters, computed when a site file is loaded.
#pragma once

#include <complex>
#include <span>
#include <vector>

namespace alara::flow {

// H(z) = (b0 + b1/z + b2/z^2) / (1 + a1/z + a2/z^2).
struct Section {
  double b0 = 1, b1 = 0, b2 = 0, a1 = 0, a2 = 0;

  [[nodiscard]] double gain_at_zero() const { return (b0 + b1 + b2) / (1 + a1 + a2); }
};

// Butterworth of order 1 to 8 as a cascade of second-order sections (odd orders with one of first order), by the
// bilinear transform prewarped at the corner: each section is the cookbook's (R. Bristow-Johnson, "Cookbook formulae
// for audio EQ biquad filter coefficients") with the quality of one Butterworth pole pair. Half the power at the
// corner.
[[nodiscard]] std::vector<Section> butterworth_lowpass(int order, double corner_hz, double rate_hz);
[[nodiscard]] std::vector<Section> butterworth_highpass(int order, double corner_hz, double rate_hz);
// The cookbook's notch: nothing at the centre, half the power at a bandwidth of centre / q.
[[nodiscard]] Section notch(double centre_hz, double q, double rate_hz);
[[nodiscard]] std::complex<double> response(std::span<const Section> sections, double hz, double rate_hz);

// Linear-phase low-pass before keeping every `factor`-th sample: windowed sinc with a Kaiser window (Kaiser 1974; order
// by Oppenheim & Schafer, Discrete-Time Signal Processing, eq. 7.76). Passes up to 0.8 of the new half rate within
// 0.001, stops by 80 dB from 1.2 of it: what folds back lands above 0.8 only. Odd length, sum 1.
[[nodiscard]] std::vector<double> decimation_taps(int factor);

}  // namespace alara::flow
