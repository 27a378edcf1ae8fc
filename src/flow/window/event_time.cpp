// SPDX-License-Identifier: Apache-2.0
#include "flow/window/event_time.hpp"

#include <algorithm>
#include <utility>

namespace alara::flow {

bool SlotWindows::takes(std::uint32_t slot, Nanos time, Nanos mark) const {
  static_cast<void>(slot);
  return time >= mark;
}

Result<PendingSamples> PendingSamples::make(std::size_t slots, std::size_t capacity) {
  PendingSamples pending;
  if (capacity == 0) return pending;
  ALARA_TRY(const std::size_t bytes, checked_bytes(slots, capacity * sizeof(Sample)));
  ALARA_TRY(pending.arena_, Arena::make(bytes));
  pending.capacity_ = capacity;
  pending.head_.resize(slots);
  pending.size_.resize(slots);
  return pending;
}

Sample& PendingSamples::at(std::uint32_t slot, std::size_t place) const {
  std::size_t i = head_[slot] + place;
  if (i >= capacity_) i -= capacity_;
  return arena_.as<Sample>()[slot * capacity_ + i];
}

void PendingSamples::insert(std::uint32_t slot, const Sample& sample) {
  std::size_t place = size_[slot]++;
  for (; place > 0 && at(slot, place - 1).time > sample.time; --place) at(slot, place) = at(slot, place - 1);
  at(slot, place) = sample;
}

const Sample& PendingSamples::oldest(std::uint32_t slot) const { return at(slot, 0); }

void PendingSamples::drop_oldest(std::uint32_t slot) {
  head_[slot] = head_[slot] + 1 == capacity_ ? 0 : head_[slot] + 1;
  --size_[slot];
}

std::size_t PendingSamples::memory_bytes() const {
  return arena_.bytes() + (head_.capacity() + size_.capacity()) * sizeof(std::uint32_t);
}

EventTimeOperator::EventTimeOperator(const WindowOptions& options, std::size_t slots, PendingSamples pending,
                                     std::unique_ptr<SlotWindows> windows)
    : policy_(options.time),
      ordered_(options.ordered),
      has_by_(!options.by.empty() && options.by != options.of),
      emit_(options.use, options.emit_late),
      marks_(slots),
      pending_(std::move(pending)),
      windows_(std::move(windows)) {}

void EventTimeOperator::process(const Frame& in, FrameBuilder& out) {
  emit_.to(out);
  if (in.now > 0) now_ = in.now;
  const std::span<const double> values = in.column(0);
  const std::span<const double> by = in.column(has_by_ ? 1 : 0);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const Quality quality = in.quality_at(i);
    if (quality == Quality::bad || !usable(values[i]) || !usable(by[i]) || !usable_time(in.time[i])) {
      ++unusable_;
      continue;
    }
    take(in.slot_at(i), Sample{in.time[i], values[i], by[i], quality != Quality::good});
  }
}

void EventTimeOperator::take(std::uint32_t slot, const Sample& sample) {
  if (!ordered_) {
    windows_->add(slot, sample, emit_);
    return;
  }
  Watermark& mark = marks_[slot];
  switch (mark.observe(sample.time, now_, policy_)) {
    case Watermark::Verdict::suspect:
      ++suspect_;
      return;
    case Watermark::Verdict::jumped:
      ++jumps_;
      begin_anew(slot);
      break;
    case Watermark::Verdict::late:
      if (!windows_->takes(slot, sample.time, mark.mark())) {
        ++late_;
        emit_.late(slot, sample.time, sample.quality(), sample.value);
        return;
      }
      break;
    case Watermark::Verdict::on_time:
      break;
  }
  accept(slot, sample);
  due_ = std::min(due_, due_of(slot));
}

void EventTimeOperator::accept(std::uint32_t slot, const Sample& sample) {
  Watermark& mark = marks_[slot];
  if (!pending_.in_use()) {
    windows_->pass(slot, mark.mark(), emit_);
    windows_->add(slot, sample, emit_);
    return;
  }
  if (pending_.full(slot)) {  // the oldest leaves before its time, and with it the right of older ones to come
    ++pushed_out_;
    mark.raise(pending_.oldest(slot).time);
    drain(slot, mark.mark());
  }
  pending_.insert(slot, sample);
  drain(slot, mark.mark());
  windows_->pass(slot, mark.mark(), emit_);
}

void EventTimeOperator::drain(std::uint32_t slot, Nanos mark) {
  if (!pending_.in_use()) return;
  while (!pending_.empty(slot) && pending_.oldest(slot).time <= mark) {
    const Sample sample = pending_.oldest(slot);
    pending_.drop_oldest(slot);
    windows_->add(slot, sample, emit_);
  }
}

void EventTimeOperator::begin_anew(std::uint32_t slot) {
  drain(slot, kNever);
  windows_->restart(slot, emit_);
}

Nanos EventTimeOperator::due_of(std::uint32_t slot) const {
  Nanos instant = windows_->closes_at(slot);
  if (pending_.in_use() && !pending_.empty(slot)) instant = std::min(instant, pending_.oldest(slot).time);
  return instant == kNever ? kNever : marks_[slot].due(instant, policy_);
}

void EventTimeOperator::advance(Nanos now, Nanos monotonic, FrameBuilder& out) {
  static_cast<void>(monotonic);
  if (now > 0) now_ = now;  // 0 and below: an engine that has no event time yet
  if (now < due_) return;
  emit_.to(out);
  due_ = kNever;
  for (std::uint32_t slot = 0; slot < marks_.size(); ++slot) {
    Watermark& mark = marks_[slot];
    if (mark.advance(now, policy_)) {
      drain(slot, mark.mark());
      windows_->pass(slot, mark.mark(), emit_);
    }
    due_ = std::min(due_, due_of(slot));
  }
}

std::size_t EventTimeOperator::memory_bytes() const {
  return sizeof(*this) + marks_.capacity() * sizeof(Watermark) + pending_.memory_bytes() + windows_->memory_bytes();
}

void EventTimeOperator::counters(std::vector<Counter>& out) const {
  out.push_back({"unusable", unusable_});
  out.push_back({"late", late_});
  out.push_back({"far_off", suspect_});
  out.push_back({"clock_jumps", jumps_});
  out.push_back({"overflow", pushed_out_ + windows_->overflow()});
}

}  // namespace alara::flow
