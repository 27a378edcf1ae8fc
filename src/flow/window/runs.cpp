// SPDX-License-Identifier: Apache-2.0
#include "flow/window/runs.hpp"

#include <algorithm>

namespace alara::flow {

RunWindows::RunWindows(const WindowOptions& options)
    : shape_(options.shape),
      needs_(options.needs),
      count_(options.count),
      gap_(options.gap),
      max_(options.max),
      has_thresholds_(options.has_thresholds),
      open_at_(options.open),
      close_at_(options.close) {}

Result<std::unique_ptr<SlotWindows>> RunWindows::make(const WindowOptions& options, std::size_t slots) {
  std::unique_ptr<RunWindows> windows(new RunWindows(options));
  ALARA_TRY(const std::size_t bytes, checked_bytes(slots, sizeof(Run)));
  ALARA_TRY(windows->runs_, Arena::make(bytes));
  if (options.needs.sketch) {
    ALARA_TRY(const std::size_t sketch_bytes, checked_bytes(slots, sizeof(Sketch)));
    ALARA_TRY(windows->sketches_, Arena::make(sketch_bytes));
  }
  return std::unique_ptr<SlotWindows>(std::move(windows));
}

void RunWindows::put(std::uint32_t slot, const Sample& sample) {
  Run& run = runs_.as<Run>()[slot];
  if (!run.open) {
    run.open = true;
    run.start = sample.time;
    run.sum.clear();
    if (needs_.sketch) sketches_.as<Sketch>()[slot].clear();
  }
  run.newest = sample.time;
  run.by = sample.by;
  run.sum.add(sample.time, sample.value, sample.uncertain, needs_);
  if (needs_.sketch) sketches_.as<Sketch>()[slot].add(sample.value);
}

void RunWindows::close(std::uint32_t slot, Nanos at, Emitter& emit) {
  Run& run = runs_.as<Run>()[slot];
  run.open = false;
  const Quality quality = run.sum.uncertain() ? Quality::uncertain : Quality::good;
  emit.result(slot, at, quality, run.sum.summary(needs_.sketch ? sketches_.as<Sketch>() + slot : nullptr));
}

void RunWindows::add(std::uint32_t slot, const Sample& sample, Emitter& emit) {
  switch (shape_) {
    case WindowShape::session:
      return add_to_session(slot, sample, emit);
    case WindowShape::count:
      return add_to_count(slot, sample, emit);
    default:
      return add_to_state(slot, sample, emit);
  }
}

void RunWindows::add_to_session(std::uint32_t slot, const Sample& sample, Emitter& emit) {
  const Run& run = runs_.as<Run>()[slot];
  if (run.open && sample.time >= closes_at(slot)) close(slot, run.newest, emit);
  put(slot, sample);
}

void RunWindows::add_to_count(std::uint32_t slot, const Sample& sample, Emitter& emit) {
  put(slot, sample);
  if (runs_.as<Run>()[slot].sum.count() >= count_) close(slot, sample.time, emit);
}

bool RunWindows::opens(double by) const {
  if (!has_thresholds_) return true;
  return close_at_ <= open_at_ ? by >= open_at_ : by <= open_at_;
}

bool RunWindows::closes(const Run& run, double by) const {
  if (!has_thresholds_) return by != run.by;
  return close_at_ <= open_at_ ? by < close_at_ : by > close_at_;
}

void RunWindows::add_to_state(std::uint32_t slot, const Sample& sample, Emitter& emit) {
  const Run& run = runs_.as<Run>()[slot];
  if (run.open && sample.time >= longest_until(run)) close(slot, longest_until(run), emit);
  if (run.open && closes(run, sample.by)) close(slot, sample.time, emit);
  if (run.open || opens(sample.by)) put(slot, sample);
}

Nanos RunWindows::closes_at(std::uint32_t slot) const {
  const Run& run = runs_.as<Run>()[slot];
  if (!run.open || shape_ == WindowShape::count) return kNever;
  if (shape_ == WindowShape::state) return longest_until(run);
  return std::min(saturating_add(run.newest, gap_), longest_until(run));
}

void RunWindows::pass(std::uint32_t slot, Nanos mark, Emitter& emit) {
  const Nanos until = closes_at(slot);
  if (until == kNever || mark < until) return;
  close(slot, shape_ == WindowShape::session ? runs_.as<Run>()[slot].newest : until, emit);
}

void RunWindows::restart(std::uint32_t slot, Emitter& emit) {
  const Run& run = runs_.as<Run>()[slot];
  if (run.open) close(slot, run.newest, emit);
}

std::size_t RunWindows::memory_bytes() const { return sizeof(*this) + runs_.bytes() + sketches_.bytes(); }

}  // namespace alara::flow
