// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "flow/feature/envelope.hpp"
#include "flow/feature/features.hpp"
#include "flow/feature/shape.hpp"
#include "flow/feature/spectrum.hpp"

namespace alara::flow {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double shape_value(FeatureKind kind, const Shape& shape) {
  switch (kind) {
    case FeatureKind::mean:
      return shape.mean;
    case FeatureKind::rms:
      return shape.rms;
    case FeatureKind::std:
      return shape.std;
    case FeatureKind::peak:
      return shape.peak;
    case FeatureKind::peak_to_peak:
      return shape.peak_to_peak();
    case FeatureKind::crest:
      return shape.crest();
    case FeatureKind::skewness:
      return shape.skewness;
    case FeatureKind::kurtosis:
      return shape.kurtosis;
    case FeatureKind::shape_factor:
      return shape.shape_factor();
    case FeatureKind::impulse_factor:
      return shape.impulse_factor();
    case FeatureKind::clearance_factor:
      return shape.clearance_factor();
    default:
      return kNaN;
  }
}

}  // namespace

struct FeatureExtractor::Scratch {
  FeaturePlan plan;
  RootMean root = RootMean::skip;
  std::size_t spectrum_samples = 0;  // the newest samples of a record that transforms see: the next fast size below
  std::optional<Spectrum> spectrum;
  std::optional<EnvelopeSpectrum> envelope;

  double value(const Feature& feature, const Shape& shape, double shaft_hz) const {
    switch (feature.kind) {
      case FeatureKind::band:
        return spectrum->band(feature.low_hz, feature.high_hz);
      case FeatureKind::spectral_centroid:
        return spectrum->centroid();
      case FeatureKind::dominant_frequency:
        return spectrum->dominant();
      case FeatureKind::velocity_rms:
        return spectrum->integral_rms(feature.low_hz, feature.high_hz) * plan.velocity_scale;
      case FeatureKind::envelope:
        return envelope_at(feature.line, shaft_hz);
      default:
        return shape_value(feature.kind, shape);
    }
  }

  double envelope_at(BearingLine line, double shaft_hz) const {
    if (!(shaft_hz > 0)) return kNaN;  // standing or unknown: nothing strikes
    double sum = 0;
    for (int k = 1; k <= plan.harmonics; ++k)
      sum += envelope->amplitude_at(k * plan.bearing.of(line) * shaft_hz, plan.slip);
    return sum;
  }
};

FeatureExtractor::FeatureExtractor(const FeaturePlan& plan) : scratch_(std::make_unique<Scratch>()) {
  Scratch& s = *scratch_;
  s.plan = plan;
  s.spectrum_samples = fast_even_size_below(plan.samples);
  const auto asks = [&plan](auto predicate) {
    return std::any_of(plan.features.begin(), plan.features.end(), predicate);
  };
  if (asks([](const Feature& f) { return f.kind == FeatureKind::clearance_factor; })) s.root = RootMean::compute;
  if (asks([](const Feature& f) { return f.needs_spectrum(); }))
    s.spectrum.emplace(s.spectrum_samples, plan.rate_hz, plan.taper);
  if (asks([](const Feature& f) { return f.kind == FeatureKind::envelope; }))
    s.envelope.emplace(s.spectrum_samples, plan.rate_hz, plan.envelope_low_hz, plan.envelope_high_hz);
}

FeatureExtractor::~FeatureExtractor() = default;

void FeatureExtractor::compute(std::span<const double> record, double shaft_hz, std::span<double> out) {
  Scratch& s = *scratch_;
  const Shape shape = shape_of(record, s.root);
  const double span = std::max(shape.most - shape.mean, shape.mean - shape.least);
  const std::span<const double> newest = record.last(s.spectrum_samples);
  if (s.spectrum) s.spectrum->load(newest, shape.mean, span);
  if (s.envelope) s.envelope->load(newest, shape.mean, span);
  for (std::size_t k = 0; k < s.plan.features.size(); ++k) out[k] = s.value(s.plan.features[k], shape, shaft_hz);
}

std::size_t FeatureExtractor::memory_bytes() const {
  std::size_t bytes = sizeof(Scratch) + scratch_->plan.features.size() * sizeof(Feature);
  if (scratch_->spectrum) bytes += scratch_->spectrum->memory_bytes();
  if (scratch_->envelope) bytes += scratch_->envelope->memory_bytes();
  return bytes;
}

}  // namespace alara::flow
