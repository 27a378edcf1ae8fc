// SPDX-License-Identifier: Apache-2.0
#include "flow/feature/compress.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace alara::flow {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Quality true_quality(double value, Quality quality) { return std::isfinite(value) ? quality : Quality::bad; }

}  // namespace

DeadbandOperator::DeadbandOperator(const DeadbandRules& rules, std::size_t slots) : rules_(rules), slots_(slots) {}

void DeadbandOperator::process(const Frame& in, FrameBuilder& out) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    Slot& slot = slots_[in.slot_at(i)];
    const double value = in.column(0)[i];
    const Quality quality = true_quality(value, in.quality_at(i));
    const double allowed = std::max(rules_.absolute, rules_.relative * std::fabs(slot.value));
    const bool moved = quality != Quality::bad && !(std::fabs(value - slot.value) <= allowed);
    const Nanos pause = std::abs(saturating_sub(in.time[i], slot.time));
    if (slot.seen && !moved && quality == slot.quality && pause < rules_.max_interval) {
      ++suppressed_;
      continue;
    }
    slot = {true, quality, value, in.time[i]};
    out.append(in.slot_at(i), in.time[i], quality, {&value, 1});
  }
}

std::size_t DeadbandOperator::memory_bytes() const { return sizeof *this + slots_.capacity() * sizeof(Slot); }
void DeadbandOperator::counters(std::vector<Counter>& out) const { out.push_back({"suppressed", suppressed_}); }

SwingingDoorOperator::SwingingDoorOperator(double deviation, Nanos max_interval, std::size_t slots)
    : deviation_(deviation), max_interval_(max_interval), slots_(slots) {}

void SwingingDoorOperator::process(const Frame& in, FrameBuilder& out) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    const double value = in.column(0)[i];
    take(in.slot_at(i), {in.time[i], value, true_quality(value, in.quality_at(i))}, out);
  }
}

void SwingingDoorOperator::emit(std::uint32_t index, const Point& point, FrameBuilder& out) {
  out.append(index, point.time, point.quality, {&point.value, 1});
}

// `point` becomes a corner and a row.
void SwingingDoorOperator::begin(std::uint32_t index, const Point& point, FrameBuilder& out) {
  Slot& slot = slots_[index];
  emit(index, point, out);
  slot.phase = Slot::Phase::at_corner;
  slot.corner = point;
  slot.least = -kInfinity;
  slot.most = kInfinity;
}

// Narrows the doors so that the line keeps within the deviation of `point`.
void SwingingDoorOperator::extend(Slot& slot, const Point& point) const {
  const double elapsed = static_cast<double>(saturating_sub(point.time, slot.corner.time)),
               rise = point.value - slot.corner.value;
  slot.least = std::max(slot.least, (rise - deviation_) / elapsed);
  slot.most = std::min(slot.most, (rise + deviation_) / elapsed);
  slot.phase = Slot::Phase::on_line;
  slot.latest = point;
}

void SwingingDoorOperator::take(std::uint32_t index, const Point& point, FrameBuilder& out) {
  using Phase = Slot::Phase;
  Slot& slot = slots_[index];
  if (point.quality == Quality::bad) {
    if (slot.phase == Phase::on_line) emit(index, slot.latest, out);
    if (slot.phase != Phase::in_bad)
      emit(index, point, out);
    else
      ++suppressed_;
    slot.phase = Phase::in_bad;
    return;
  }
  if (slot.phase == Phase::empty || slot.phase == Phase::in_bad) return begin(index, point, out);
  const Point newest = slot.phase == Phase::on_line ? slot.latest : slot.corner;
  if (point.time <= newest.time) {  // a line needs rising times: begin anew
    ++out_of_order_;
    if (slot.phase == Phase::on_line) emit(index, slot.latest, out);
    return begin(index, point, out);
  }
  if (slot.phase == Phase::on_line) {
    const Nanos elapsed = saturating_sub(point.time, slot.corner.time);
    const double slope = (point.value - slot.corner.value) / static_cast<double>(elapsed);
    const bool straight = slope >= slot.least && slope <= slot.most;
    if (straight && elapsed <= max_interval_ && point.quality == slot.latest.quality) {
      ++suppressed_;
      return extend(slot, point);
    }
    begin(index, slot.latest, out);
  }
  extend(slot, point);
  due_ = std::min(due_, saturating_add(slot.corner.time, max_interval_));
}

// A line that no sample has bent for max_interval: its newest sample is told, so that nobody waits for it.
void SwingingDoorOperator::advance(Nanos now, Nanos, FrameBuilder& out) {
  if (now < due_) return;
  due_ = kNever;
  for (std::uint32_t index = 0; index < slots_.size(); ++index) {
    Slot& slot = slots_[index];
    if (slot.phase != Slot::Phase::on_line) continue;
    const Nanos due = saturating_add(slot.corner.time, max_interval_);
    if (due <= now)
      begin(index, Point(slot.latest), out);
    else
      due_ = std::min(due_, due);
  }
}

std::size_t SwingingDoorOperator::memory_bytes() const { return sizeof *this + slots_.capacity() * sizeof(Slot); }

void SwingingDoorOperator::counters(std::vector<Counter>& out) const {
  out.push_back({"suppressed", suppressed_});
  out.push_back({"out_of_order", out_of_order_});
}

}  // namespace alara::flow
