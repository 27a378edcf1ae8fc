// SPDX-License-Identifier: Apache-2.0
// Statistics of one record that need no spectrum. Definitions: Randall, Vibration-based Condition Monitoring (2011),
// ch. 2 and 5; kurtosis and skewness are the population's standardised moments (normal distribution: 3 and 0; a sine:
// 1.5), not the excess.
#pragma once

#include <span>

namespace alara::flow {

struct Shape {
  double mean = 0;
  double rms = 0;  // about zero
  double std = 0;  // about the mean, divided by n
  double least = 0, most = 0;
  double peak = 0;       // max |x|
  double mean_abs = 0;   // mean |x|
  double mean_root = 0;  // (mean sqrt |x|)^2
  double skewness = 0;   // 0/0 of a flat record is NaN, here and below
  double kurtosis = 0;

  [[nodiscard]] double peak_to_peak() const { return most - least; }
  [[nodiscard]] double crest() const { return peak / rms; }
  [[nodiscard]] double shape_factor() const { return rms / mean_abs; }
  [[nodiscard]] double impulse_factor() const { return peak / mean_abs; }
  [[nodiscard]] double clearance_factor() const { return peak / mean_root; }
};

// The square roots are asked for by the clearance factor only; they cost as much as all the rest.
enum class RootMean { skip, compute };
[[nodiscard]] Shape shape_of(std::span<const double> x, RootMean root);

}  // namespace alara::flow
