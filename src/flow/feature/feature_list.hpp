// SPDX-License-Identifier: Apache-2.0
// The features a user may name under `use:`, and the frequencies at which a damaged bearing strikes.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace alara::flow {

enum class FeatureKind : std::uint8_t {
  mean,
  rms,
  std,
  peak,
  peak_to_peak,
  crest,
  skewness,
  kurtosis,
  shape_factor,
  impulse_factor,
  clearance_factor,
  band,                // mean square between two frequencies
  spectral_centroid,   // Hz
  dominant_frequency,  // Hz
  velocity_rms,        // of an acceleration, between two frequencies
  envelope,            // amplitude in the squared-envelope spectrum at a bearing frequency
};

enum class BearingLine : std::uint8_t { bpfo, bpfi, bsf, ftf };  // outer race, inner race, ball spin, cage
inline constexpr std::array<std::string_view, 4> kBearingLineNames{"bpfo", "bpfi", "bsf", "ftf"};

struct Feature {
  FeatureKind kind{};
  double low_hz = 0, high_hz = 0;  // of band and velocity_rms
  BearingLine line{};              // of envelope
  std::string name;                // of the output: "rms", "band_500_1500", "envelope_bpfo"

  [[nodiscard]] bool needs_spectrum() const { return kind >= FeatureKind::band && kind != FeatureKind::envelope; }
};

inline constexpr std::size_t kMaxFeatures = 64;

// One feature as written: "rms", "band(500,1500)", "velocity_rms(10,1000)", "envelope(bpfo)". An error names the
// nearest known one.
[[nodiscard]] Result<Feature> parse_feature(std::string_view text);
// A whole `use:` list. In a YAML flow list the comma of an unquoted band(500,1500) parts it in two items: they are put
// together again. Refuses doubles and more than kMaxFeatures.
[[nodiscard]] Result<std::vector<Feature>> parse_features(std::span<const std::string> texts);

// Strikes per shaft turn. Randall & Antoni, "Rolling element bearing diagnostics - A tutorial", MSSP 25 (2011),
// eqs. (1) to (4): inner ring turning, no slip; real ones lie 1 to 2 % beside it.
struct BearingRatios {
  std::array<double, 4> per_turn{};  // in the order of BearingLine

  [[nodiscard]] double of(BearingLine line) const { return per_turn[static_cast<std::size_t>(line)]; }
  // Diameters in any one unit, the contact angle in degrees.
  [[nodiscard]] static BearingRatios from_geometry(int balls, double ball_diameter, double pitch_diameter,
                                                   double angle_degrees);
};

}  // namespace alara::flow
