// SPDX-License-Identifier: Apache-2.0
// The operator around every window but the fastest: judges each sample by quality and event time, puts samples in order
// where `lateness` asks for it, and tells the windows behind it (SlotWindows) when the watermark has moved.
#pragma once

#include <memory>
#include <vector>

#include "core/operator.hpp"
#include "flow/window/arena.hpp"
#include "flow/window/emitter.hpp"
#include "flow/window/options.hpp"
#include "flow/window/watermark.hpp"

namespace alara::flow {

inline constexpr double kMaxMagnitude = 1e150;     // beyond it squares overflow: such a value is no measurement
inline constexpr Nanos kMaxTime = Nanos{1} << 62;  // the year 2116, and 1823 below zero
[[nodiscard]] inline bool usable(double value) { return value <= kMaxMagnitude && value >= -kMaxMagnitude; }
[[nodiscard]] inline bool usable_time(Nanos time) { return time <= kMaxTime && time >= -kMaxTime; }

struct Sample {
  Nanos time = 0;
  double value = 0;
  double by = 0;  // what opens and closes state windows
  bool uncertain = false;

  [[nodiscard]] Quality quality() const { return uncertain ? Quality::uncertain : Quality::good; }
};

// The windows of all slots of one operator. States lie in memory taken at load time.
class SlotWindows {
 public:
  virtual ~SlotWindows() = default;
  // One more sample; its result, if it has one at once, goes to `emit`. Where samples are ordered, times do not fall.
  virtual void add(std::uint32_t slot, const Sample& sample, Emitter& emit) = 0;
  // No more samples before `mark`: close what ends at or before it.
  virtual void pass(std::uint32_t slot, Nanos mark, Emitter& emit) = 0;
  // The watermark at which pass() will have something to do; kNever when nothing is open.
  [[nodiscard]] virtual Nanos closes_at(std::uint32_t slot) const = 0;
  // The stream's clock has jumped: give out what is open and begin anew.
  virtual void restart(std::uint32_t slot, Emitter& emit) = 0;
  // A sample before the watermark that still has an open window.
  [[nodiscard]] virtual bool takes(std::uint32_t slot, Nanos time, Nanos mark) const;
  [[nodiscard]] virtual std::size_t memory_bytes() const = 0;
  [[nodiscard]] virtual std::uint64_t overflow() const { return 0; }
};

// Samples held back until the watermark passes, in order of time, equal times in order of arrival; one fixed ring for
// each slot. Inserting costs as many moves as the sample is out of place.
class PendingSamples {
 public:
  PendingSamples() = default;
  [[nodiscard]] static Result<PendingSamples> make(std::size_t slots, std::size_t capacity);

  [[nodiscard]] bool in_use() const { return capacity_ > 0; }
  [[nodiscard]] bool full(std::uint32_t slot) const { return size_[slot] == capacity_; }
  [[nodiscard]] bool empty(std::uint32_t slot) const { return size_[slot] == 0; }
  void insert(std::uint32_t slot, const Sample& sample);  // not full
  [[nodiscard]] const Sample& oldest(std::uint32_t slot) const;
  void drop_oldest(std::uint32_t slot);
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  [[nodiscard]] Sample& at(std::uint32_t slot, std::size_t place) const;

  std::size_t capacity_ = 0;
  Arena arena_;
  std::vector<std::uint32_t> head_;
  std::vector<std::uint32_t> size_;
};

class EventTimeOperator final : public Operator {
 public:
  EventTimeOperator(const WindowOptions& options, std::size_t slots, PendingSamples pending,
                    std::unique_ptr<SlotWindows> windows);

  void process(const Frame& in, FrameBuilder& out) override;
  void advance(Nanos now, Nanos monotonic, FrameBuilder& out) override;
  [[nodiscard]] Nanos next_due() const override { return due_; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  void counters(std::vector<Counter>& out) const override;

 private:
  void take(std::uint32_t slot, const Sample& sample);
  void accept(std::uint32_t slot, const Sample& sample);
  void drain(std::uint32_t slot, Nanos mark);
  void begin_anew(std::uint32_t slot);
  [[nodiscard]] Nanos due_of(std::uint32_t slot) const;

  const Watermark::Policy policy_;
  const bool ordered_;
  const bool has_by_;
  Emitter emit_;
  std::vector<Watermark> marks_;
  PendingSamples pending_;
  std::unique_ptr<SlotWindows> windows_;
  Nanos now_ = kLongAgo;  // engine's event time at the last turn
  Nanos due_ = kNever;    // at or before the earliest due of all slots

  std::uint64_t unusable_ = 0, late_ = 0, suspect_ = 0, jumps_ = 0, pushed_out_ = 0;
};

}  // namespace alara::flow
