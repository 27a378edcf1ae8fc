// SPDX-License-Identifier: Apache-2.0
#include "flow/feature/record_operator.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace alara::flow {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// Gives every missing (NaN) value the one before it, and those at the front the first known one.
void bridge(std::span<double> record) {
  const auto known = std::find_if(record.begin(), record.end(), [](double v) { return std::isfinite(v); });
  double last = known == record.end() ? 0 : *known;
  for (double& value : record) {
    if (!std::isfinite(value)) value = last;
    last = value;
  }
}

}  // namespace

RecordOperator::RecordOperator(const FeaturePlan& plan, const RecordRules& rules, std::size_t slots)
    : rules_(rules),
      samples_(plan.samples),
      slip_(plan.slip),
      period_(plan.rate_hz > 0 ? static_cast<Nanos>(1e9 / plan.rate_hz) : 0),
      extractor_(plan),
      slots_(slots),
      records_(slots * plan.samples),
      row_(plan.features.size()) {}

void RecordOperator::process(const Frame& in, FrameBuilder& out) {
  const std::span<const double> values = in.column(0);
  const bool with_speed = rules_.speed == RecordRules::Speed::signal;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::uint32_t index = in.slot_at(i);
    Quality quality = in.quality_at(i);
    if (with_speed) {
      Slot& slot = slots_[index];
      const double speed = in.column(1)[i];
      take_speed(slot, speed);
      if (only_speed(slot, in.time[i], values[i])) continue;
      if (!std::isfinite(speed) && std::isfinite(values[i])) quality = Quality::good;  // it is the speed that is bad
    }
    take(index, in.time[i], values[i], quality, out);
  }
}

// Where inputs are joined, a row may be news of the speed only and repeat the waveform's last value. It is told from a
// sample by its time, which is not one sample period after the last.
bool RecordOperator::only_speed(const Slot& slot, Nanos time, double value) const {
  if (!slot.seen) return !std::isfinite(value);
  const bool repeated = value == slot.last_value || (std::isnan(value) && std::isnan(slot.last_value));
  const Nanos pause = saturating_sub(time, slot.previous);
  return repeated && (pause < period_ - period_ / 4 || pause > period_ + period_ / 4);
}

void RecordOperator::take_speed(Slot& slot, double speed) {
  slot.last_speed = speed;
  if (!std::isfinite(speed)) return;
  slot.speed_least = slot.speeds == 0 ? speed : std::min(slot.speed_least, speed);
  slot.speed_most = slot.speeds == 0 ? speed : std::max(slot.speed_most, speed);
  slot.speed_sum += speed;
  ++slot.speeds;
}

void RecordOperator::take(std::uint32_t index, Nanos time, double value, Quality quality, FrameBuilder& out) {
  Slot& slot = slots_[index];
  const Nanos pause = saturating_sub(time, slot.previous);
  const bool gap = slot.seen && rules_.max_gap > 0 && (pause > rules_.max_gap || pause < 0);
  if (gap && slot.filled > 0) {
    ++records_broken_;
    discard(slot);
    slot.next_start = 0;
  }
  slot.seen = true;
  slot.previous = time;
  slot.last_value = value;
  if (slot.filled == 0) {
    if (!begins(slot, time, gap)) return;
    slot.speeds = 0;
    slot.speed_sum = 0;
    take_speed(slot, slot.last_speed);  // what was known before holds until news of it come
  }
  const bool bad = quality == Quality::bad || !std::isfinite(value);
  records_[index * samples_ + slot.filled++] = bad ? kMissing : value;
  slot.bad += bad ? 1 : 0;
  slot.worst = std::max(slot.worst, bad ? Quality::uncertain : quality);
  if (slot.filled == samples_) emit(index, time, out);
}

// With `every`, records start a fixed time apart as long as samples come without a break. Where they come in bursts, a
// burst starts a record also when it is up to a twentieth of `every` early: its sender's clock has jitter.
bool RecordOperator::begins(Slot& slot, Nanos time, bool after_gap) const {
  if (rules_.every == 0) return true;
  const Nanos early = after_gap ? rules_.every / 20 : 0;
  const Nanos wait = slot.next_start == 0 ? 0 : saturating_sub(slot.next_start, time);
  const bool clock_went_back = wait / 2 > rules_.every;
  if (wait > early && !clock_went_back) return false;
  const bool kept_pace = !after_gap && slot.next_start != 0 && wait <= 0 && wait > -rules_.every;
  slot.next_start = saturating_add(kept_pace ? slot.next_start : time, rules_.every);
  return true;
}

void RecordOperator::discard(Slot& slot) {
  samples_bad_ += slot.bad;
  slot.filled = 0;
  slot.bad = 0;
  slot.worst = Quality::good;
}

double RecordOperator::shaft_hz(const Slot& slot, Quality& quality) const {
  if (rules_.speed == RecordRules::Speed::constant) return rules_.shaft_hz;
  if (rules_.speed == RecordRules::Speed::none) return kMissing;
  if (slot.speeds == 0) return kMissing;
  const double mean = slot.speed_sum / static_cast<double>(slot.speeds);
  if (slot.speed_most - slot.speed_least > 2 * slip_ * std::fabs(mean)) quality = std::max(quality, Quality::uncertain);
  return mean * rules_.speed_factor;
}

void RecordOperator::emit(std::uint32_t index, Nanos time, FrameBuilder& out) {
  Slot& slot = slots_[index];
  const std::span<double> record(records_.data() + index * samples_, samples_);
  Quality quality = slot.worst;
  ++records_made_;
  if (static_cast<double>(slot.bad) > rules_.max_bad * static_cast<double>(samples_)) {
    quality = Quality::bad;
    std::fill(row_.begin(), row_.end(), kMissing);
  } else {
    if (slot.bad > 0) bridge(record);
    extractor_.compute(record, shaft_hz(slot, quality), row_);
    if (!std::all_of(row_.begin(), row_.end(), [](double v) { return std::isfinite(v); }))
      quality = std::max(quality, Quality::uncertain);
  }
  records_uncertain_ += quality == Quality::uncertain ? 1 : 0;
  records_bad_ += quality == Quality::bad ? 1 : 0;
  out.append(index, time, quality, row_);
  discard(slot);
}

std::size_t RecordOperator::memory_bytes() const {
  return sizeof *this + slots_.capacity() * sizeof(Slot) + (records_.capacity() + row_.capacity()) * sizeof(double) +
         extractor_.memory_bytes();
}

void RecordOperator::counters(std::vector<Counter>& out) const {
  out.push_back({"records", records_made_});
  out.push_back({"uncertain_records", records_uncertain_});
  out.push_back({"bad_records", records_bad_});
  out.push_back({"bad_samples", samples_bad_});
  out.push_back({"broken_records", records_broken_});
}

}  // namespace alara::flow
