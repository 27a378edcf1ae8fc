// SPDX-License-Identifier: Apache-2.0
// Windows of which each asset has at most one open: sessions (until a gap), counts (every N samples) and states (while
// a value is past a threshold, or unchanged). One accumulator a slot, whatever the window's length.
#pragma once

#include "flow/window/accumulator.hpp"
#include "flow/window/event_time.hpp"

namespace alara::flow {

class RunWindows final : public SlotWindows {
 public:
  [[nodiscard]] static Result<std::unique_ptr<SlotWindows>> make(const WindowOptions& options, std::size_t slots);

  void add(std::uint32_t slot, const Sample& sample, Emitter& emit) override;
  void pass(std::uint32_t slot, Nanos mark, Emitter& emit) override;
  [[nodiscard]] Nanos closes_at(std::uint32_t slot) const override;
  void restart(std::uint32_t slot, Emitter& emit) override;
  [[nodiscard]] std::size_t memory_bytes() const override;

 private:
  struct Run {
    Accumulator sum;
    Nanos start = 0;
    Nanos newest = 0;  // time of the last sample
    double by = 0;     // the value whose change ends the run
    bool open = false;
  };

  explicit RunWindows(const WindowOptions& options);
  void add_to_session(std::uint32_t slot, const Sample& sample, Emitter& emit);
  void add_to_count(std::uint32_t slot, const Sample& sample, Emitter& emit);
  void add_to_state(std::uint32_t slot, const Sample& sample, Emitter& emit);
  void put(std::uint32_t slot, const Sample& sample);
  // The result's time is `at`: the last sample of a session or count, the sample that ended a state.
  void close(std::uint32_t slot, Nanos at, Emitter& emit);
  [[nodiscard]] bool opens(double by) const;
  [[nodiscard]] bool closes(const Run& run, double by) const;
  [[nodiscard]] Nanos longest_until(const Run& run) const { return saturating_add(run.start, max_); }

  const WindowShape shape_;
  const Needs needs_;
  const std::uint64_t count_;
  const Nanos gap_, max_;
  const bool has_thresholds_;
  const double open_at_, close_at_;
  Arena runs_, sketches_;
};

}  // namespace alara::flow
