// SPDX-License-Identifier: Apache-2.0
// The running part of the `features` step: one record buffer per asset, one extractor for all of them.
#pragma once

#include <cstdint>
#include <vector>

#include "core/operator.hpp"
#include "flow/feature/features.hpp"

namespace alara::flow {

struct RecordRules {
  enum class Speed : std::uint8_t { none, constant, signal };

  Nanos every = 0;        // from one record's start to the next one's; 0: record follows on record
  Nanos max_gap = 0;      // a longer pause, or a step back, begins a new record; 0: not watched
  double max_bad = 0.01;  // share of bad samples above which a record has no values
  Speed speed = Speed::none;
  double shaft_hz = 0;      // where constant
  double speed_factor = 1;  // from the signal's value to turns per second
};

// Columns: the waveform, and the speed where it is a signal. A record's row carries the time of its last sample; its
// quality is uncertain when samples were bridged, the speed was unknown or wandered by more than twice the slip, or a
// feature is undefined (a flat record has no crest: NaN).
class RecordOperator final : public Operator {
 public:
  RecordOperator(const FeaturePlan& plan, const RecordRules& rules, std::size_t slots);

  void process(const Frame& in, FrameBuilder& out) override;
  [[nodiscard]] std::size_t memory_bytes() const override;
  void counters(std::vector<Counter>& out) const override;

 private:
  struct Slot {
    std::size_t filled = 0;
    std::size_t bad = 0;
    Quality worst = Quality::good;
    bool seen = false;     // any sample yet
    Nanos previous = 0;    // time of the sample before
    Nanos next_start = 0;  // with `every`
    double last_value = 0, last_speed = 0;
    double speed_sum = 0, speed_least = 0, speed_most = 0;
    std::size_t speeds = 0;
  };

  void take(std::uint32_t index, Nanos time, double value, Quality quality, FrameBuilder& out);
  void take_speed(Slot& slot, double speed);
  [[nodiscard]] bool only_speed(const Slot& slot, Nanos time, double value) const;
  [[nodiscard]] bool begins(Slot& slot, Nanos time, bool after_gap) const;
  void discard(Slot& slot);
  void emit(std::uint32_t index, Nanos time, FrameBuilder& out);
  [[nodiscard]] double shaft_hz(const Slot& slot, Quality& quality) const;

  // constant after construction
  const RecordRules rules_;
  const std::size_t samples_;
  const double slip_;
  const Nanos period_;  // of the samples; 0 unknown
  FeatureExtractor extractor_;

  std::vector<Slot> slots_;
  std::vector<double> records_;  // samples_ per slot
  std::vector<double> row_;
  std::uint64_t records_made_ = 0, records_uncertain_ = 0, records_bad_ = 0, samples_bad_ = 0, records_broken_ = 0;
};

}  // namespace alara::flow
