// SPDX-License-Identifier: Apache-2.0
// Vibration as an accelerometer at a spindle bearing would see it: unbalance, tooth passing, noise and, with a damaged
// outer race, impacts that ring the structure. After McFadden & Smith, "Model for the vibration produced by a single
// point defect in a rolling element bearing", JSV 96 (1984); slip after Randall & Antoni, MSSP 25 (2011).
#pragma once

#include <complex>
#include <span>

#include "plants/noise.hpp"

namespace alara::plants {

struct VibrationSource {
  double shaft_hz = 0;
  double tooth_hz = 0;
  double unbalance_mm_s = 0;  // rms velocity at the shaft's frequency
  double cutting_mm_s = 0;    // rms velocity at the tooth-passing frequency
  double noise_mm_s2 = 0;     // standard deviation
  double impact_mm_s2 = 0;    // of one strike
};

class BearingWaveform {
 public:
  static constexpr double kStrikesPerTurn = 3.5848;  // outer race of a 6205-2RS
  static constexpr double kSlip = 0.01;              // standard deviation of the time between strikes, relative
  static constexpr double kDamping = 0.05;

  BearingWaveform(std::uint64_t seed, double rate_hz);
  // The next samples of a source that stays as it is meanwhile, mm/s2. Blocks join without a step.
  void generate(const VibrationSource& source, std::span<double> out);

 private:
  Noise noise_;
  double rate_hz_;
  std::complex<double> decay_;    // of the resonance, per sample
  std::complex<double> ringing_;  // its imaginary part is what is measured
  double shaft_turns_ = 0, tooth_turns_ = 0;
  double to_next_strike_ = 1;  // in strikes
};

}  // namespace alara::plants
