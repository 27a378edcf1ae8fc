// SPDX-License-Identifier: Apache-2.0
#include "flow/window/panes.hpp"

#include <algorithm>
#include <numeric>

namespace alara::flow {
namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }
std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return floor_div(a + b - 1, b); }

}  // namespace

PaneWindows::PaneWindows(const WindowOptions& options, std::size_t slots)
    : needs_(options.needs),
      length_(std::gcd(options.size, options.every)),
      size_(options.size / length_),
      every_(options.every / length_),
      ring_(size_ + ceil_div(options.time.lateness, length_) + 2),
      open_(slots) {}

Result<std::unique_ptr<SlotWindows>> PaneWindows::make(const WindowOptions& options, std::size_t slots) {
  std::unique_ptr<PaneWindows> windows(new PaneWindows(options, slots));
  const auto ring = static_cast<std::size_t>(windows->ring_);
  ALARA_TRY(const std::size_t bytes, checked_bytes(slots, ring * sizeof(Pane)));
  ALARA_TRY(windows->panes_, Arena::make(bytes));
  if (options.needs.sketch) {
    ALARA_TRY(const std::size_t sketch_bytes, checked_bytes(slots, ring * sizeof(Sketch)));
    ALARA_TRY(windows->sketches_, Arena::make(sketch_bytes));
  }
  return std::unique_ptr<SlotWindows>(std::move(windows));
}

std::int64_t PaneWindows::pane_of(Nanos time) const { return floor_div(time, length_); }

// Windows begin at multiples of every_: the first that holds `pane` is the last to have begun size_ - 1 panes earlier.
std::int64_t PaneWindows::first_end_after(std::int64_t pane) const {
  return ceil_div(pane - size_ + 1, every_) * every_ + size_;
}

std::size_t PaneWindows::place(std::uint32_t slot, std::int64_t number) const {
  const std::int64_t in_ring = number - floor_div(number, ring_) * ring_;
  return slot * static_cast<std::size_t>(ring_) + static_cast<std::size_t>(in_ring);
}

PaneWindows::Pane& PaneWindows::pane(std::uint32_t slot, std::int64_t number) const {
  return panes_.as<Pane>()[place(slot, number)];
}

Sketch* PaneWindows::sketch(std::uint32_t slot, std::int64_t number) const {
  return needs_.sketch ? sketches_.as<Sketch>() + place(slot, number) : nullptr;
}

bool PaneWindows::takes(std::uint32_t slot, Nanos time, Nanos mark) const {
  static_cast<void>(slot);
  const std::int64_t last_end = floor_div(pane_of(time), every_) * every_ + size_;
  return last_end * length_ > mark;
}

void PaneWindows::add(std::uint32_t slot, const Sample& sample, Emitter& emit) {
  static_cast<void>(emit);
  Open& open = open_[slot];
  const std::int64_t number = pane_of(sample.time);
  std::int64_t end = first_end_after(number);
  if (open.mark != kLongAgo) {  // windows that have been given out stay as they are
    const std::int64_t open_end = first_end_after(pane_of(open.mark));
    end = std::max(end, open_end);
  }
  open.next_end = open.any ? std::min(open.next_end, end) : end;
  open.newest = open.any ? std::max(open.newest, number) : number;
  open.any = true;
  Pane& into = pane(slot, number);
  Sketch* const quantiles = sketch(slot, number);
  if (into.number != number || into.sum.empty()) {
    into.number = number;
    into.sum.clear();
    if (quantiles != nullptr) quantiles->clear();
  }
  into.sum.add(sample.time, sample.value, sample.uncertain, needs_);
  if (quantiles != nullptr) quantiles->add(sample.value);
}

void PaneWindows::pass(std::uint32_t slot, Nanos mark, Emitter& emit) {
  Open& open = open_[slot];
  open.mark = mark;
  while (open.any && open.next_end * length_ <= mark) {
    close(slot, open.next_end, emit);
    open.next_end += every_;
    open.any = open.newest >= open.next_end - size_;
  }
}

void PaneWindows::close(std::uint32_t slot, std::int64_t end, Emitter& emit) {
  Accumulator sum;
  if (needs_.sketch) merged_.clear();
  for (std::int64_t number = end - size_; number < end; ++number) {
    const Pane& part = pane(slot, number);
    if (part.number != number || part.sum.empty()) continue;
    sum.merge(part.sum, needs_);
    if (needs_.sketch) merged_.merge(*sketch(slot, number));
  }
  if (sum.empty()) return;
  const Quality quality = sum.uncertain() ? Quality::uncertain : Quality::good;
  emit.result(slot, end * length_, quality, sum.summary(needs_.sketch ? &merged_ : nullptr));
}

Nanos PaneWindows::closes_at(std::uint32_t slot) const {
  return open_[slot].any ? open_[slot].next_end * length_ : kNever;
}

void PaneWindows::restart(std::uint32_t slot, Emitter& emit) {
  Open& open = open_[slot];
  if (open.any) pass(slot, kNever, emit);
  open = Open{};
  for (std::int64_t i = 0; i < ring_; ++i) pane(slot, i).sum.clear();
}

std::size_t PaneWindows::memory_bytes() const {
  return sizeof(*this) + open_.capacity() * sizeof(Open) + panes_.bytes() + sketches_.bytes();
}

}  // namespace alara::flow
