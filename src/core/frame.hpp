// SPDX-License-Identifier: Apache-2.0
// Frames: what flows between the operators of one pipeline. A frame is a block of rows; a row is one moment of one
// asset and has one value per column. Columns are contiguous, so operators loop over them with SIMD.
#pragma once

#include <span>
#include <vector>

#include "base/clock.hpp"
#include "core/sample.hpp"

namespace alara {

// Borrowed, read-only. `slot` numbers the pipeline's assets densely from 0. All spans have `size()` elements, except
// `slot`, which is empty when every row belongs to `only_slot`, and `quality`, which is empty when every row is good.
// Rows of one slot come in the order in which they arrived; their times need not be sorted.
struct Frame {
  std::span<const std::uint32_t> slot;
  std::uint32_t only_slot = 0;
  std::span<const Nanos> time;  // event time, wall nanoseconds
  std::span<const Quality> quality;
  std::span<const std::span<const double>> columns;
  Nanos arrival = 0;  // monotonic arrival of the newest sample that went into these rows
  // Of joined rows: when the value that has waited longest arrived (monotonic). Empty: all values are as new as
  // `arrival`.
  std::span<const Nanos> oldest = {};
  Nanos now = 0;  // the engine's event time when it hands these rows over; 0: it has none yet

  [[nodiscard]] std::size_t size() const { return time.size(); }
  [[nodiscard]] std::span<const double> column(std::size_t k) const { return columns[k]; }
  [[nodiscard]] bool single_slot() const { return slot.empty(); }
  [[nodiscard]] std::uint32_t slot_at(std::size_t i) const { return slot.empty() ? only_slot : slot[i]; }
  [[nodiscard]] Quality quality_at(std::size_t i) const { return quality.empty() ? Quality::good : quality[i]; }
  [[nodiscard]] Nanos oldest_at(std::size_t i) const { return oldest.empty() ? arrival : oldest[i]; }
};

// An operator's output, reused from call to call: grows while warming up, then never allocates again.
// Owned by the executor, written by one operator on the shard's thread.
class FrameBuilder {
 public:
  explicit FrameBuilder(std::size_t columns, std::size_t reserve_rows = 0);

  void clear();
  // Makes room for `rows` rows in all, so that appending them allocates nothing. Never shrinks.
  void reserve(std::size_t rows);
  [[nodiscard]] std::size_t size() const { return time_.size(); }
  [[nodiscard]] std::size_t columns() const { return values_.size(); }

  // Adds one row; `values` has columns() elements.
  void append(std::uint32_t slot, Nanos time, Quality quality, std::span<const double> values);

  // Adds `rows.size()` rows with the slots, times and qualities of `rows`; the columns' new parts are left to be
  // written by the caller through column(k). Returns the index of the first new row. This is the fast path of
  // operators that emit one row per input row.
  std::size_t append_like(const Frame& rows);
  [[nodiscard]] std::span<double> column(std::size_t k) { return values_[k]; }
  void set_quality(std::size_t row, Quality quality);

  // The rows as a frame; valid until the next change. `arrival` is passed on to it.
  [[nodiscard]] Frame view(Nanos arrival);

 private:
  void spell_out_slots();    // from "all rows have only_slot_" to one slot per row
  void spell_out_quality();  // from "all good" to one quality per row

  std::vector<std::uint32_t> slot_;  // empty while every row has only_slot_
  std::uint32_t only_slot_ = 0;
  std::vector<Nanos> time_;
  std::vector<Quality> quality_;  // empty while every row is good
  std::vector<std::vector<double>> values_;
  std::vector<std::span<const double>> spans_;
  std::size_t reserved_ = 0;
};

}  // namespace alara
