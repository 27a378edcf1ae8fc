// SPDX-License-Identifier: Apache-2.0
// A latency histogram with bounded relative error (1/64, i.e. < 1.6 %) over 1 ns … 2^40 ns, as HdrHistogram: linear
// sub-buckets within powers of two. Recording is wait-free for one writer; any thread may read a moment later's truth.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>

#include "base/clock.hpp"

namespace alara {

class Histogram {
 public:
  Histogram();

  void record(Nanos value) { record(value, 1); }
  void record(Nanos value, std::uint64_t count);
  // Corrects coordinated omission: a value longer than the expected interval also stands for the samples that could
  // not be taken meanwhile (value - interval, value - 2 interval, …), as HdrHistogram's recordWithExpectedInterval.
  void record_corrected(Nanos value, Nanos expected_interval);
  void add(const Histogram& other);
  void reset();

  [[nodiscard]] std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  [[nodiscard]] Nanos max() const { return max_.load(std::memory_order_relaxed); }
  [[nodiscard]] double mean() const;
  // The value below which `fraction` (0…1) of the records lie; 0 when empty.
  [[nodiscard]] Nanos quantile(double fraction) const;

 private:
  static constexpr int kSubBits = 6;
  static constexpr int kRanges = 41 - kSubBits;
  static constexpr std::size_t kBuckets = static_cast<std::size_t>(kRanges + 1) << kSubBits;

  static std::size_t bucket_of(std::uint64_t value);
  static Nanos highest_in(std::size_t bucket);

  std::unique_ptr<std::array<std::atomic<std::uint32_t>, kBuckets>> buckets_;
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::uint64_t> sum_{0};
  std::atomic<Nanos> max_{0};
};

}  // namespace alara
