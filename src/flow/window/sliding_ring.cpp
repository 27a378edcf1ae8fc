// SPDX-License-Identifier: Apache-2.0
#include "flow/window/sliding_ring.hpp"

#include <algorithm>
#include <limits>

#include "flow/window/accumulator.hpp"

namespace alara::flow {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::size_t room_for(const WindowOptions& options) {
  return options.size > 0 ? options.capacity : static_cast<std::size_t>(options.count);
}

}  // namespace

SlidingRing::SlidingRing(const WindowOptions& options, std::size_t slots)
    : needs_(options.needs),
      size_(options.size),
      room_(static_cast<std::uint32_t>(room_for(options))),
      loss_(std::min(kVarianceLoss, 0.25 / static_cast<double>(room_))),
      stride_(room_ * (sizeof(Nanos) + sizeof(double) * (options.needs.extremes ? 3 : 1))) {
  static_cast<void>(slots);
}

Result<std::unique_ptr<SlotWindows>> SlidingRing::make(const WindowOptions& options, std::size_t slots) {
  std::unique_ptr<SlidingRing> windows(new SlidingRing(options, slots));
  ALARA_TRY(const std::size_t head_bytes, checked_bytes(slots, sizeof(Head)));
  ALARA_TRY(windows->heads_, Arena::make(head_bytes));
  ALARA_TRY(const std::size_t ring_bytes, checked_bytes(slots, windows->stride_));
  ALARA_TRY(windows->rings_, Arena::make(ring_bytes));
  if (options.needs.sketch) {
    ALARA_TRY(const std::size_t sketch_bytes, checked_bytes(slots, sizeof(Sketch)));
    ALARA_TRY(windows->sketches_, Arena::make(sketch_bytes));
  }
  return std::unique_ptr<SlotWindows>(std::move(windows));
}

SlidingRing::Ring SlidingRing::ring(std::uint32_t slot) const {
  std::byte* const base = rings_.data() + slot * stride_;
  auto* const values = reinterpret_cast<double*>(base + room_ * sizeof(Nanos));
  return {reinterpret_cast<Nanos*>(base), values, values + room_, values + 2 * std::size_t{room_}};
}

std::uint32_t SlidingRing::place(const Head& head, std::uint32_t age_from_oldest) const {
  const std::uint32_t i = head.oldest + age_from_oldest;
  return i >= room_ ? i - room_ : i;
}

void SlidingRing::add(std::uint32_t slot, const Sample& sample, Emitter& emit) {
  Head& h = head(slot);
  const Ring r = ring(slot);
  if (size_ > 0)  // the window is (time - size, time]
    while (h.n > 0 && r.time[h.oldest] <= saturating_sub(sample.time, size_)) pop(slot);
  if (h.n == room_) {
    if (size_ > 0) ++overflow_;
    pop(slot);
  }
  push(slot, sample);
  if (std::max(0.0, h.s2 - h.s1 * h.s1 / h.n) < loss_ * h.peak) build_sums(slot);
  emit.result(slot, sample.time, h.tainted > 0 ? Quality::uncertain : Quality::good, summary(slot));
}

void SlidingRing::push(std::uint32_t slot, const Sample& sample) {
  Head& h = head(slot);
  const Ring r = ring(slot);
  const std::uint32_t i = place(h, h.n);
  r.time[i] = sample.time;
  r.value[i] = sample.value;
  if (h.n == 0) {
    const std::uint32_t oldest = h.oldest;
    h = Head{};
    h.oldest = oldest;
    h.shift = sample.value;
    h.anchor = sample.time;
    h.low = kInfinity;
    h.high = -kInfinity;
  } else {
    h.increase += counter_step(r.value[place(h, h.n - 1)], sample.value);
  }
  ++h.n;
  if (sample.uncertain) h.tainted = h.n;
  const double d = sample.value - h.shift;
  const double t = seconds_between(h.anchor, sample.time);
  h.s1 += d;
  h.s2 += d * d;
  h.peak = std::max(h.peak, h.s2);
  h.t1 += t;
  h.tt += t * t;
  h.tv += t * d;
  h.low = std::min(h.low, sample.value);
  h.high = std::max(h.high, sample.value);
  if (needs_.sketch) sketches_.as<Sketch>()[slot].add(sample.value);
}

void SlidingRing::pop(std::uint32_t slot) {
  Head& h = head(slot);
  const Ring r = ring(slot);
  if (h.older == 0) build_older(slot);
  const double value = r.value[h.oldest];
  const double d = value - h.shift;
  const double t = seconds_between(h.anchor, r.time[h.oldest]);
  h.s1 -= d;
  h.s2 -= d * d;
  h.t1 -= t;
  h.tt -= t * t;
  h.tv -= t * d;
  if (h.n > 1) h.increase -= counter_step(value, r.value[place(h, 1)]);
  if (needs_.sketch) sketches_.as<Sketch>()[slot].remove(value);
  h.oldest = place(h, 1);
  --h.n;
  --h.older;
  if (h.tainted > 0) --h.tainted;
}

// Everything in the ring becomes the older part; each sample goes through here once while it is in the window.
void SlidingRing::build_older(std::uint32_t slot) {
  Head& h = head(slot);
  const Ring r = ring(slot);
  if (needs_.extremes) {
    double low = kInfinity;
    double high = -kInfinity;
    for (std::uint32_t k = h.n; k-- > 0;) {
      const std::uint32_t i = place(h, k);
      r.low[i] = low = std::min(low, r.value[i]);
      r.high[i] = high = std::max(high, r.value[i]);
    }
  }
  h.older = h.n;
  h.low = kInfinity;
  h.high = -kInfinity;
  if (needs_.sketch) {  // collapsed buckets open again
    Sketch& sketch = sketches_.as<Sketch>()[slot];
    sketch.clear();
    for (std::uint32_t k = 0; k < h.n; ++k) sketch.add(r.value[place(h, k)]);
  }
  build_sums(slot);
}

void SlidingRing::build_sums(std::uint32_t slot) {
  Head& h = head(slot);
  const Ring r = ring(slot);
  // A sample near the middle: exact for a constant signal, and never far outside what is summed.
  double low = kInfinity;
  double high = -kInfinity;
  for (std::uint32_t k = 0; k < h.n; ++k) {
    low = std::min(low, r.value[place(h, k)]);
    high = std::max(high, r.value[place(h, k)]);
  }
  h.shift = low + (high - low) / 2;
  h.anchor = r.time[place(h, h.n - 1)];
  h.s1 = h.s2 = h.t1 = h.tt = h.tv = h.increase = 0;
  for (std::uint32_t k = 0; k < h.n; ++k) {
    const std::uint32_t i = place(h, k);
    const double d = r.value[i] - h.shift;
    const double t = seconds_between(h.anchor, r.time[i]);
    h.s1 += d;
    h.s2 += d * d;
    h.t1 += t;
    h.tt += t * t;
    h.tv += t * d;
    if (k > 0) h.increase += counter_step(r.value[place(h, k - 1)], r.value[i]);
  }
  h.peak = h.s2;
}

Summary SlidingRing::summary(std::uint32_t slot) {
  const Head& h = head(slot);
  const Ring r = ring(slot);
  const auto n = static_cast<double>(h.n);
  const std::uint32_t newest = place(h, h.n - 1);
  Summary s;
  s.n = n;
  s.mean = h.shift + h.s1 / n;
  s.variance = std::max(0.0, h.s2 - h.s1 * h.s1 / n) / n;
  s.low = h.low;
  s.high = h.high;
  if (needs_.extremes && h.older > 0) {
    s.low = std::min(s.low, r.low[h.oldest]);
    s.high = std::max(s.high, r.high[h.oldest]);
  }
  s.first = r.value[h.oldest];
  s.last = r.value[newest];
  s.seconds = seconds_between(r.time[h.oldest], r.time[newest]);
  const double spread = h.tt - h.t1 * h.t1 / n;
  if (s.seconds > 0 && spread > 0) s.slope = (h.tv - h.t1 * h.s1 / n) / spread;
  s.increase = std::max(0.0, h.increase);
  s.sketch = needs_.sketch ? sketches_.as<Sketch>() + slot : nullptr;
  return s;
}

void SlidingRing::pass(std::uint32_t slot, Nanos mark, Emitter& emit) {
  static_cast<void>(slot), static_cast<void>(mark), static_cast<void>(emit);
}

Nanos SlidingRing::closes_at(std::uint32_t slot) const {
  static_cast<void>(slot);
  return kNever;
}

void SlidingRing::restart(std::uint32_t slot, Emitter& emit) {
  static_cast<void>(emit);
  head(slot) = Head{};
  if (needs_.sketch) sketches_.as<Sketch>()[slot].clear();
}

std::size_t SlidingRing::memory_bytes() const {
  return sizeof(*this) + heads_.bytes() + rings_.bytes() + sketches_.bytes();
}

}  // namespace alara::flow
