// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/join.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace alara::flow {
namespace {

bool comes_before(const Frame& a, std::size_t i, const Frame& b, std::size_t j) {
  const std::uint32_t slot_a = a.slot_at(i), slot_b = b.slot_at(j);
  return slot_a != slot_b ? slot_a < slot_b : a.time[i] < b.time[j];
}

bool same_slots(const Frame& a, const Frame& b) {
  if (a.single_slot() && b.single_slot()) return a.only_slot == b.only_slot;
  if (!a.single_slot() && !b.single_slot())
    return a.slot.data() == b.slot.data() || std::memcmp(a.slot.data(), b.slot.data(), a.slot.size_bytes()) == 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a.slot_at(i) != b.slot_at(i)) return false;
  return true;
}

}  // namespace

Join::Join(std::vector<Input> inputs, std::size_t slots, bool first_drives)
    : inputs_(inputs.size()), columns_(inputs.size()), spans_(inputs.size()) {
  for (std::uint32_t i = 0; i < inputs.size(); ++i) {
    auto source = std::find_if(sources_.begin(), sources_.end(),
                               [&](const Source& known) { return known.producer == inputs[i].producer; });
    if (source == sources_.end()) source = sources_.insert(source, Source{inputs[i].producer, {}, {}, 0});
    source->reads.push_back({i, inputs[i].column});
  }
  for (Source& source : sources_) source.drives = !first_drives || source.reads.front().producer == 0;
  if (sources_.size() < 2) return;
  value_.assign(slots * inputs_, std::numeric_limits<double>::quiet_NaN());
  quality_.assign(slots * inputs_, Quality::bad);
  arrival_.assign(slots * inputs_, 0);
}

std::size_t Join::memory_bytes() const {
  std::size_t bytes = value_.capacity() * sizeof(double) + quality_.capacity() +
                      (arrival_.capacity() + oldest_.capacity()) * sizeof(Nanos) +
                      slots_.capacity() * sizeof(std::uint32_t) + times_.capacity() * sizeof(Nanos) +
                      qualities_.capacity();
  for (const auto& column : columns_) bytes += column.capacity() * sizeof(double);
  return bytes;
}

Frame Join::join(std::span<const Frame> produced, Nanos arrival) {
  if (sources_.size() == 1) return select(produced[sources_.front().producer]);
  Source* active = nullptr;
  std::size_t actives = 0;
  for (Source& source : sources_) {
    if (produced[source.producer].size() == 0) continue;
    active = &source;
    ++actives;
  }
  if (actives == 0) return {};
  if (actives == sources_.size() && aligned(produced)) return join_aligned(produced, arrival);
  clear_emitted();
  return actives == 1 ? join_one(produced, *active, arrival) : join_merged(produced, arrival);
}

Frame Join::select(const Frame& frame) {
  if (frame.size() == 0) return {};
  for (const Input& read : sources_.front().reads) spans_[read.producer] = frame.columns[read.column];
  Frame selected = frame;
  selected.columns = spans_;
  return selected;
}

// All producers have the same slots and times in the same order, and every moment of a slot once.
bool Join::aligned(std::span<const Frame> produced) const {
  const Frame& first = produced[sources_.front().producer];
  for (const Source& source : std::span(sources_).subspan(1)) {
    const Frame& other = produced[source.producer];
    if (other.size() != first.size() || !same_slots(first, other)) return false;
    if (other.time.data() != first.time.data() &&
        std::memcmp(other.time.data(), first.time.data(), first.time.size_bytes()) != 0)
      return false;
  }
  return true;
}

void Join::remember(const Source& source, const Frame& frame, std::size_t row) {
  const std::size_t base = frame.slot_at(row) * inputs_;
  for (const Input& read : source.reads) {
    value_[base + read.producer] = frame.columns[read.column][row];
    quality_[base + read.producer] = frame.quality_at(row);
    arrival_[base + read.producer] = frame.oldest_at(row);
  }
}

Frame Join::join_aligned(std::span<const Frame> produced, Nanos arrival) {
  Frame joined = produced[sources_.front().producer];
  bool all_good = true;
  for (const Source& source : sources_) {
    const Frame& frame = produced[source.producer];
    all_good = all_good && frame.quality.empty();
    for (const Input& read : source.reads) spans_[read.producer] = frame.columns[read.column];
    // Of a single slot only the last row is remembered: nothing looks in between.
    for (std::size_t row = frame.single_slot() ? frame.size() - 1 : 0; row < frame.size(); ++row)
      remember(source, frame, row);
  }
  joined.columns = spans_;
  joined.arrival = arrival;
  joined.oldest = {};  // every value came in this round
  if (all_good) return joined;
  qualities_.assign(joined.size(), Quality::good);
  for (const Source& source : sources_) {
    const Frame& frame = produced[source.producer];
    for (std::size_t row = 0; row < frame.quality.size(); ++row)
      qualities_[row] = std::max(qualities_[row], frame.quality[row]);
  }
  joined.quality = qualities_;
  return joined;
}

Frame Join::join_one(std::span<const Frame> produced, Source& source, Nanos arrival) {
  const Frame& frame = produced[source.producer];
  for (std::size_t row = 0; row < frame.size(); ++row) {
    remember(source, frame, row);
    if (source.drives) emit(frame.slot_at(row), frame.time[row]);
  }
  return emitted(arrival);
}

void Join::sort_rows(const Frame& frame, std::vector<std::uint32_t>& order) {
  order.clear();
  bool sorted = true;
  for (std::size_t row = 1; row < frame.size() && sorted; ++row) sorted = !comes_before(frame, row, frame, row - 1);
  for (std::uint32_t row = 0; row < frame.size(); ++row) order.push_back(row);
  if (sorted) return;
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    if (comes_before(frame, a, frame, b)) return true;
    return !comes_before(frame, b, frame, a) && a < b;
  });
}

Frame Join::join_merged(std::span<const Frame> produced, Nanos arrival) {
  for (Source& source : sources_) {
    source.next = 0;
    sort_rows(produced[source.producer], source.order);
  }
  for (;;) {
    const Frame* first = nullptr;  // the producer with the earliest (slot, time) left
    std::size_t first_row = 0;
    for (const Source& source : sources_) {
      if (source.next == source.order.size()) continue;
      const Frame& frame = produced[source.producer];
      const std::size_t row = source.order[source.next];
      if (first != nullptr && !comes_before(frame, row, *first, first_row)) continue;
      first = &frame;
      first_row = row;
    }
    if (first == nullptr) return emitted(arrival);
    const std::uint32_t slot = first->slot_at(first_row);
    const Nanos time = first->time[first_row];
    bool wanted = false;
    for (Source& source : sources_) {
      if (source.next == source.order.size()) continue;
      const Frame& frame = produced[source.producer];
      const std::size_t row = source.order[source.next];
      if (frame.slot_at(row) != slot || frame.time[row] != time) continue;
      remember(source, frame, row);
      ++source.next;
      wanted = wanted || source.drives;
    }
    if (wanted) emit(slot, time);
  }
}

void Join::clear_emitted() {
  slots_.clear();
  times_.clear();
  qualities_.clear();
  oldest_.clear();
  for (auto& column : columns_) column.clear();
  any_not_good_ = false;
}

void Join::emit(std::uint32_t slot, Nanos time) {
  const std::size_t base = slot * inputs_;
  Quality worst = Quality::good;
  Nanos oldest = kNever;
  for (std::size_t i = 0; i < inputs_; ++i) {
    columns_[i].push_back(value_[base + i]);
    worst = std::max(worst, quality_[base + i]);
    oldest = std::min(oldest, arrival_[base + i]);
  }
  oldest_.push_back(oldest);
  slots_.push_back(slot);
  times_.push_back(time);
  qualities_.push_back(worst);
  any_not_good_ = any_not_good_ || worst != Quality::good;
}

Frame Join::emitted(Nanos arrival) {
  for (std::size_t i = 0; i < inputs_; ++i) spans_[i] = columns_[i];
  Frame frame;
  frame.slot = slots_;
  frame.time = times_;
  if (any_not_good_) frame.quality = qualities_;
  frame.columns = spans_;
  frame.arrival = arrival;
  frame.oldest = oldest_;
  return frame;
}

}  // namespace alara::flow
