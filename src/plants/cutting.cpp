// SPDX-License-Identifier: Apache-2.0
#include "plants/cutting.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace alara::plants {

CuttingLoad cutting_load(const Cutter& cutter, const Engagement& cut, double blunt) {
  if (!(cut.speed_rpm > 1) || !(cut.feed_mm_min > 0) || !(cut.depth_mm > 0) || !(cut.width_mm > 0)) return {};
  const double width = std::min(cut.width_mm, cutter.diameter_mm) / cutter.diameter_mm;
  const double feed_per_tooth = cut.feed_mm_min / (cut.speed_rpm * cutter.teeth);
  const double chip = feed_per_tooth * std::sqrt(width);
  const double per_tooth =
      cutter.specific_force * cut.depth_mm * std::pow(chip, 1 - cutter.force_exponent) * (1 + blunt);
  const double teeth_in_cut = cutter.teeth * std::acos(1 - 2 * width) / (2 * std::numbers::pi);
  const double force = per_tooth * teeth_in_cut;
  return {force, force * cutter.diameter_mm / 2000};
}

double tool_life_min(const Cutter& cutter, double speed_rpm) {
  if (!(speed_rpm > 1)) return std::numeric_limits<double>::infinity();
  const double m_per_min = std::numbers::pi * cutter.diameter_mm * speed_rpm / 1000;
  return std::pow(cutter.taylor_constant / m_per_min, 1 / cutter.taylor_exponent);
}

double approach(double x, double target, double seconds, double time_constant) {
  return target + (x - target) * std::exp(-seconds / time_constant);
}

void ThermalBody::step(double seconds, double power_w, double ambient) {
  temperature = approach(temperature, settled(power_w, ambient), seconds, capacity * resistance);
}

}  // namespace alara::plants
