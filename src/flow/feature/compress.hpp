// SPDX-License-Identifier: Apache-2.0
// The running parts of the `filter` step that leave rows out, with a stated bound on what is lost.
#pragma once

#include <cstdint>
#include <vector>

#include "core/operator.hpp"

namespace alara::flow {

// Passes a sample when it differs from the last one passed by more than `absolute`, or by more than `relative` times
// its magnitude. Bound: holding the last row gives every good sample to within that amount.
struct DeadbandRules {
  double absolute = 0, relative = 0;
  Nanos max_interval = kNever;  // a sample this long after the last row passes in any case
};

class DeadbandOperator final : public Operator {
 public:
  DeadbandOperator(const DeadbandRules& rules, std::size_t slots);
  void process(const Frame& in, FrameBuilder& out) override;
  [[nodiscard]] std::size_t memory_bytes() const override;
  void counters(std::vector<Counter>& out) const override;

 private:
  struct Slot {
    bool seen = false;
    Quality quality = Quality::good;
    double value = 0;
    Nanos time = 0;
  };
  const DeadbandRules rules_;
  std::vector<Slot> slots_;
  std::uint64_t suppressed_ = 0;
};

// Keeps the corners of a polyline. Bound: the straight line between two rows passes every good sample between them at a
// distance of at most `deviation`. The doors are those of Bristol (US patent 4,669,097), but a sample may be a corner
// only if the line to it lies within both doors; without that the error can come to twice the deviation. A row is known
// only when the line has to bend, or after max_interval.
class SwingingDoorOperator final : public Operator {
 public:
  SwingingDoorOperator(double deviation, Nanos max_interval, std::size_t slots);
  void process(const Frame& in, FrameBuilder& out) override;
  void advance(Nanos now, Nanos monotonic, FrameBuilder& out) override;
  [[nodiscard]] Nanos next_due() const override { return due_; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  void counters(std::vector<Counter>& out) const override;

 private:
  struct Point {
    Nanos time = 0;
    double value = 0;
    Quality quality = Quality::good;
  };
  struct Slot {
    enum class Phase : std::uint8_t { empty, at_corner, on_line, in_bad } phase = Phase::empty;
    Point corner, latest;        // on_line: latest is the newest sample, and may become the next corner
    double least = 0, most = 0;  // slopes that the line from the corner may have, value per nanosecond
  };
  void take(std::uint32_t index, const Point& point, FrameBuilder& out);
  void emit(std::uint32_t index, const Point& point, FrameBuilder& out);
  void begin(std::uint32_t index, const Point& point, FrameBuilder& out);
  void extend(Slot& slot, const Point& point) const;

  const double deviation_;
  const Nanos max_interval_;
  std::vector<Slot> slots_;
  Nanos due_ = kNever;
  std::uint64_t suppressed_ = 0, out_of_order_ = 0;
};

}  // namespace alara::flow
