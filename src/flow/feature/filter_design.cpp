// SPDX-License-Identifier: Apache-2.0
#include "flow/feature/filter_design.hpp"

#include <cmath>
#include <numbers>

namespace alara::flow {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kStopbandDb = 80;

enum class Side { low, high };

Section second_order(Side side, double q, double hz, double rate_hz) {
  const double w = 2 * kPi * hz / rate_hz, cosine = std::cos(w), alpha = std::sin(w) / (2 * q), a0 = 1 + alpha;
  const double middle = side == Side::low ? 1 - cosine : -(1 + cosine);
  const double outer = std::fabs(middle) / 2;
  return {outer / a0, middle / a0, outer / a0, -2 * cosine / a0, (1 - alpha) / a0};
}

Section first_order(Side side, double hz, double rate_hz) {
  const double k = std::tan(kPi * hz / rate_hz), a1 = (k - 1) / (k + 1);
  if (side == Side::low) return {k / (k + 1), k / (k + 1), 0, a1, 0};
  return {1 / (k + 1), -1 / (k + 1), 0, a1, 0};
}

// Poles of a Butterworth filter lie on a half circle at equal angles; a pair at angle t off the real axis has
// quality 1 / (2 cos t).
std::vector<Section> butterworth(Side side, int order, double hz, double rate_hz) {
  std::vector<Section> out;
  for (int pair = 0; pair < order / 2; ++pair) {
    const double angle = kPi * (order - 1 - 2 * pair) / (2.0 * order);
    out.push_back(second_order(side, 1 / (2 * std::cos(angle)), hz, rate_hz));
  }
  if (order % 2 == 1) out.push_back(first_order(side, hz, rate_hz));
  return out;
}

}  // namespace

std::vector<Section> butterworth_lowpass(int order, double corner_hz, double rate_hz) {
  return butterworth(Side::low, order, corner_hz, rate_hz);
}

std::vector<Section> butterworth_highpass(int order, double corner_hz, double rate_hz) {
  return butterworth(Side::high, order, corner_hz, rate_hz);
}

Section notch(double centre_hz, double q, double rate_hz) {
  const double w = 2 * kPi * centre_hz / rate_hz, cosine = std::cos(w), alpha = std::sin(w) / (2 * q), a0 = 1 + alpha;
  return {1 / a0, -2 * cosine / a0, 1 / a0, -2 * cosine / a0, (1 - alpha) / a0};
}

std::complex<double> response(std::span<const Section> sections, double hz, double rate_hz) {
  const std::complex<double> back = std::polar(1.0, -2 * kPi * hz / rate_hz);
  std::complex<double> out = 1;
  for (const Section& s : sections) out *= (s.b0 + back * (s.b1 + back * s.b2)) / (1.0 + back * (s.a1 + back * s.a2));
  return out;
}

std::vector<double> decimation_taps(int factor) {
  const double transition = 0.4 * kPi / factor, beta = 0.1102 * (kStopbandDb - 8.7);
  const int half = static_cast<int>(std::ceil((kStopbandDb - 8) / (2.285 * transition) / 2));
  std::vector<double> taps;
  double sum = 0;
  for (int i = -half; i <= half; ++i) {
    const double place = static_cast<double>(i) / half;
    const double window = std::cyl_bessel_i(0.0, beta * std::sqrt(1 - place * place)) / std::cyl_bessel_i(0.0, beta);
    const double phase = kPi * i / factor;
    taps.push_back((i == 0 ? 1 : std::sin(phase) / phase) * window);
    sum += taps.back();
  }
  for (double& tap : taps) tap /= sum;
  return taps;
}

}  // namespace alara::flow
