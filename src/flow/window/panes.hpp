// SPDX-License-Identifier: Apache-2.0
// Tumbling and hopping windows: each sample goes into one pane, panes are gcd(size, every) long, and a window is merged
// from its size/pane panes when the watermark passes its end. A ring of panes reaches over size + lateness.
#pragma once

#include "flow/window/accumulator.hpp"
#include "flow/window/event_time.hpp"

namespace alara::flow {

class PaneWindows final : public SlotWindows {
 public:
  [[nodiscard]] static Result<std::unique_ptr<SlotWindows>> make(const WindowOptions& options, std::size_t slots);

  void add(std::uint32_t slot, const Sample& sample, Emitter& emit) override;
  void pass(std::uint32_t slot, Nanos mark, Emitter& emit) override;
  [[nodiscard]] Nanos closes_at(std::uint32_t slot) const override;
  void restart(std::uint32_t slot, Emitter& emit) override;
  [[nodiscard]] bool takes(std::uint32_t slot, Nanos time, Nanos mark) const override;
  [[nodiscard]] std::size_t memory_bytes() const override;

 private:
  // Panes are numbered from the epoch; a window is named by the number of the pane after its last.
  struct Open {
    std::int64_t next_end = 0;  // of the oldest window that may hold samples
    std::int64_t newest = 0;    // pane with samples
    Nanos mark = kLongAgo;
    bool any = false;
  };
  struct Pane {
    std::int64_t number = 0;
    Accumulator sum;
  };

  PaneWindows(const WindowOptions& options, std::size_t slots);
  [[nodiscard]] std::int64_t pane_of(Nanos time) const;
  [[nodiscard]] std::int64_t first_end_after(std::int64_t pane) const;
  [[nodiscard]] Pane& pane(std::uint32_t slot, std::int64_t number) const;
  [[nodiscard]] Sketch* sketch(std::uint32_t slot, std::int64_t number) const;  // nullptr when not needed
  [[nodiscard]] std::size_t place(std::uint32_t slot, std::int64_t number) const;
  void close(std::uint32_t slot, std::int64_t end, Emitter& emit);

  const Needs needs_;
  const Nanos length_;        // of a pane
  const std::int64_t size_;   // of a window, in panes
  const std::int64_t every_;  // distance of windows, in panes
  const std::int64_t ring_;   // panes kept for a slot
  std::vector<Open> open_;
  Arena panes_, sketches_;
  Sketch merged_;
};

}  // namespace alara::flow
