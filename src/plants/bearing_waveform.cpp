// SPDX-License-Identifier: Apache-2.0
#include "plants/bearing_waveform.hpp"

#include <cmath>
#include <numbers>

namespace alara::plants {
namespace {
constexpr double kTwoPi = 2 * std::numbers::pi;
}

BearingWaveform::BearingWaveform(std::uint64_t seed, double rate_hz) : noise_(seed), rate_hz_(rate_hz) {
  // Every machine's structure rings a little differently, around a third of the rate.
  const double natural = kTwoPi * rate_hz / 3 * noise_.between(0.9, 1.1);
  decay_ = std::exp(std::complex<double>(-kDamping * natural, natural * std::sqrt(1 - kDamping * kDamping)) / rate_hz);
  shaft_turns_ = noise_.uniform();
}

void BearingWaveform::generate(const VibrationSource& source, std::span<double> out) {
  const double root2 = std::numbers::sqrt2;
  const double unbalance =
      root2 * source.unbalance_mm_s * kTwoPi * source.shaft_hz;  // acceleration of a velocity's sine
  const double cutting = root2 * source.cutting_mm_s * kTwoPi * source.tooth_hz;
  for (double& sample : out) {
    shaft_turns_ = std::fmod(shaft_turns_ + source.shaft_hz / rate_hz_, 1);
    tooth_turns_ = std::fmod(tooth_turns_ + source.tooth_hz / rate_hz_, 1);
    to_next_strike_ -= kStrikesPerTurn * source.shaft_hz / rate_hz_;
    ringing_ *= decay_;
    if (to_next_strike_ <= 0) {
      to_next_strike_ += 1 + kSlip * noise_.normal();
      ringing_ += source.impact_mm_s2 * noise_.between(0.8, 1.2);
    }
    sample = unbalance * std::sin(kTwoPi * shaft_turns_) + cutting * std::sin(kTwoPi * tooth_turns_) + ringing_.imag() +
             source.noise_mm_s2 * noise_.normal();
  }
}

}  // namespace alara::plants
