// SPDX-License-Identifier: Apache-2.0
// Sliding windows by time, and by count where times matter (slope, rate, duration), order is asked for, or quantiles
// are: one ring of samples a slot, every aggregate kept as samples come and go. Extremes are a two-stack queue in the
// ring: the older part holds its running extremes from the back, the newer part one pair. When the older part is used
// up it is built anew, and with it every sum, about a shift near the data: errors of subtraction live one window at
// most, or shorter, since they also end when the spread falls far below what it was (see `peak`).
#pragma once

#include "flow/window/event_time.hpp"
#include "flow/window/sketch.hpp"

namespace alara::flow {

class SlidingRing final : public SlotWindows {
 public:
  [[nodiscard]] static Result<std::unique_ptr<SlotWindows>> make(const WindowOptions& options, std::size_t slots);

  void add(std::uint32_t slot, const Sample& sample, Emitter& emit) override;
  void pass(std::uint32_t slot, Nanos mark, Emitter& emit) override;
  [[nodiscard]] Nanos closes_at(std::uint32_t slot) const override;
  void restart(std::uint32_t slot, Emitter& emit) override;
  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::uint64_t overflow() const override { return overflow_; }

 private:
  struct Head {
    std::uint32_t oldest = 0;  // place in the ring
    std::uint32_t n = 0;
    std::uint32_t older = 0;    // samples in the older part
    std::uint32_t tainted = 0;  // samples from now on, oldest out first, until the last uncertain one has left
    double shift = 0;
    double s1 = 0, s2 = 0;     // sums of deviations from shift, and of their squares
    double peak = 0;           // largest s2 since the sums were built
    double low = 0, high = 0;  // of the newer part
    Nanos anchor = 0;          // times below are seconds after it
    double t1 = 0, tt = 0, tv = 0;
    double increase = 0;  // of a counter
  };
  // The rings of one slot, one after the other.
  struct Ring {
    Nanos* time;
    double* value;
    double* low;  // of this and all newer samples of the older part
    double* high;
  };

  SlidingRing(const WindowOptions& options, std::size_t slots);
  [[nodiscard]] Ring ring(std::uint32_t slot) const;
  [[nodiscard]] Head& head(std::uint32_t slot) const { return heads_.as<Head>()[slot]; }
  [[nodiscard]] std::uint32_t place(const Head& head, std::uint32_t age_from_oldest) const;
  void push(std::uint32_t slot, const Sample& sample);
  void pop(std::uint32_t slot);
  void build_older(std::uint32_t slot);
  void build_sums(std::uint32_t slot);
  [[nodiscard]] Summary summary(std::uint32_t slot);

  const Needs needs_;
  const Nanos size_;          // 0 = by count
  const std::uint32_t room_;  // samples in a ring
  const double loss_;         // spread / peak below which the sums are built anew
  const std::size_t stride_;  // bytes of one slot's rings
  Arena heads_, rings_, sketches_;
  std::uint64_t overflow_ = 0;
};

}  // namespace alara::flow
