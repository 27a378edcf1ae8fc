// SPDX-License-Identifier: Apache-2.0
#include "base/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace alara {

Histogram::Histogram() : buckets_(std::make_unique<std::array<std::atomic<std::uint32_t>, kBuckets>>()) {}

// Values below 2^kSubBits have a bucket each; above, each power of two is cut into 2^kSubBits equal parts.
std::size_t Histogram::bucket_of(std::uint64_t value) {
  const int width = static_cast<int>(std::bit_width(value));
  if (width <= kSubBits) return value;
  const int shift = std::min(width - 1 - kSubBits, kRanges - 1);
  const std::uint64_t sub = std::min<std::uint64_t>((value >> shift) - (1u << kSubBits), (1u << kSubBits) - 1);
  return (static_cast<std::size_t>(shift + 1) << kSubBits) + sub;
}

Nanos Histogram::highest_in(std::size_t bucket) {
  const std::size_t range = bucket >> kSubBits;
  if (range == 0) return static_cast<Nanos>(bucket);
  const std::uint64_t sub = (bucket & ((1u << kSubBits) - 1)) + (1u << kSubBits);
  return static_cast<Nanos>(((sub + 1) << (range - 1)) - 1);
}

void Histogram::record(Nanos value, std::uint64_t count) {
  if (value < 0) value = 0;
  auto& bucket = (*buckets_)[bucket_of(static_cast<std::uint64_t>(value))];
  bucket.fetch_add(static_cast<std::uint32_t>(count), std::memory_order_relaxed);
  count_.fetch_add(count, std::memory_order_relaxed);
  sum_.fetch_add(static_cast<std::uint64_t>(value) * count, std::memory_order_relaxed);
  if (value > max_.load(std::memory_order_relaxed)) max_.store(value, std::memory_order_relaxed);
}

void Histogram::record_corrected(Nanos value, Nanos expected_interval) {
  record(value);
  if (expected_interval <= 0) return;
  for (Nanos missing = value - expected_interval; missing >= expected_interval; missing -= expected_interval)
    record(missing);
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i)
    (*buckets_)[i].fetch_add((*other.buckets_)[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
  count_.fetch_add(other.count(), std::memory_order_relaxed);
  sum_.fetch_add(other.sum_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  max_.store(std::max(max(), other.max()), std::memory_order_relaxed);
}

void Histogram::reset() {
  for (auto& bucket : *buckets_) bucket.store(0, std::memory_order_relaxed);
  count_.store(0, std::memory_order_relaxed);
  sum_.store(0, std::memory_order_relaxed);
  max_.store(0, std::memory_order_relaxed);
}

double Histogram::mean() const {
  const std::uint64_t records = count();
  return records == 0 ? 0 : static_cast<double>(sum_.load(std::memory_order_relaxed)) / static_cast<double>(records);
}

Nanos Histogram::quantile(double fraction) const {
  const std::uint64_t records = count();
  if (records == 0) return 0;
  const auto rank = static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(records)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += (*buckets_)[i].load(std::memory_order_relaxed);
    if (seen >= std::max<std::uint64_t>(rank, 1)) return std::min(highest_in(i), max());
  }
  return max();
}

}  // namespace alara
