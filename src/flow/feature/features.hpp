// SPDX-License-Identifier: Apache-2.0
// The `features` step: gathers records of one waveform signal per asset and emits one row of features per record.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/operator.hpp"
#include "flow/feature/feature_list.hpp"
#include "flow/feature/spectrum.hpp"

namespace alara::flow {

inline constexpr std::int64_t kLeastRecordSamples = 16;
inline constexpr std::int64_t kMostRecordSamples = 1 << 20;

const OperatorKind& features_kind();

// What turns one record into its features; all that is known at load time.
struct FeaturePlan {
  std::vector<Feature> features;
  std::size_t samples = 0;  // per record
  double rate_hz = 0;       // 0: unknown, then there are no spectral features
  Taper taper = Taper::hann;
  double envelope_low_hz = 0, envelope_high_hz = 0;
  BearingRatios bearing;
  int harmonics = 3;          // envelope(x) adds up the amplitudes at x, 2x, … harmonics x
  double slip = 0.01;         // how far beside its computed place a line may lie, relative
  double velocity_scale = 1;  // from the signal's unit times s to mm/s
};

// Plans and scratch of one plan; computes record after record. Not thread-safe; compute() does not allocate.
class FeatureExtractor {
 public:
  explicit FeatureExtractor(const FeaturePlan& plan);
  ~FeatureExtractor();
  FeatureExtractor(const FeatureExtractor&) = delete;
  FeatureExtractor& operator=(const FeatureExtractor&) = delete;

  // record: plan.samples finite values. shaft_hz: turns per second, NaN when unknown (then envelopes are NaN).
  // One value per feature into `out`. What is undefined (the crest of silence) is NaN.
  void compute(std::span<const double> record, double shaft_hz, std::span<double> out);
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Scratch;
  std::unique_ptr<Scratch> scratch_;
};

// "1797rpm", "29.95Hz" as turns per second; nullopt when the text names a signal instead.
[[nodiscard]] Result<std::optional<double>> parse_shaft_speed(std::string_view text);

}  // namespace alara::flow
