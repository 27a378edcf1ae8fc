// SPDX-License-Identifier: Apache-2.0
// The running parts of the `filter` step that keep a row per sample or per few samples. All bridge a bad sample with
// the last good one, so that a filter's state is never spoilt, and begin anew after a gap.
#pragma once

#include <cstdint>
#include <vector>

#include "core/operator.hpp"
#include "flow/feature/filter_design.hpp"

namespace alara::flow {

// Watches one slot's samples for gaps and bad values.
class Continuity {
 public:
  explicit Continuity(Nanos max_gap) : max_gap_(max_gap) {}  // 0: gaps are not watched

  struct Slot {
    bool seen = false;
    Nanos previous = 0;
    double held = 0;
  };
  // True when this sample begins anew: the first one, one after a gap, one of an earlier time.
  [[nodiscard]] bool begins(Slot& slot, Nanos time) const;

 private:
  Nanos max_gap_;
};

// A cascade of sections. It begins settled on its first sample, as if that value had always been there: a low-pass
// starts at the signal, a high-pass at 0.
class CascadeOperator final : public Operator {
 public:
  CascadeOperator(std::vector<Section> sections, Nanos max_gap, std::size_t slots);
  void process(const Frame& in, FrameBuilder& out) override;
  [[nodiscard]] std::size_t memory_bytes() const override;
  void counters(std::vector<Counter>& out) const override;

 private:
  struct State {
    double first = 0, second = 0;
  };
  void settle(std::uint32_t slot, double value);
  void filter_run(std::uint32_t slot, std::span<double> values);

  const std::vector<Section> sections_;
  const Continuity continuity_;
  std::vector<Continuity::Slot> slots_;
  std::vector<State> states_;  // sections per slot
  std::uint64_t bad_samples_ = 0, restarts_ = 0;
};

// Every factor-th sample after the anti-alias low-pass. A row has the time of the newest sample that went in; the
// signal in it is (taps - 1) / 2 samples older. Uncertain while the filter fills or a bad sample is bridged, bad when
// all were bad.
class DecimateOperator final : public Operator {
 public:
  DecimateOperator(int factor, Nanos max_gap, std::size_t slots);
  void process(const Frame& in, FrameBuilder& out) override;
  [[nodiscard]] std::size_t memory_bytes() const override;
  void counters(std::vector<Counter>& out) const override;

 private:
  struct Slot {
    Continuity::Slot continuity;
    std::size_t next = 0;  // where the next sample goes in the history
    int phase = 0;         // samples since the last row
    int bad = 0;
    std::size_t fresh = 0;  // samples since the beginning, up to the number of taps
    Quality worst = Quality::good;
  };
  const std::size_t factor_;
  const std::vector<double> taps_;
  const Continuity continuity_;
  std::vector<Slot> slots_;
  std::vector<double> history_;  // per slot twice the taps, each sample written twice: the newest lie in one piece
  std::uint64_t bad_samples_ = 0, restarts_ = 0;
};

// Median of the last `size` good samples (fewer at the beginning).
class MedianOperator final : public Operator {
 public:
  static constexpr std::size_t kMostSamples = 31;
  MedianOperator(std::size_t size, std::size_t slots);
  void process(const Frame& in, FrameBuilder& out) override;
  [[nodiscard]] std::size_t memory_bytes() const override;
  void counters(std::vector<Counter>& out) const override;

 private:
  struct Slot {
    std::size_t held = 0, oldest = 0;
    double ring[kMostSamples], sorted[kMostSamples];
  };
  static void insert(Slot& slot, double value, std::size_t size);

  const std::size_t size_;
  std::vector<Slot> slots_;
  std::uint64_t bad_samples_ = 0;
};

}  // namespace alara::flow
