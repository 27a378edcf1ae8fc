// SPDX-License-Identifier: Apache-2.0
// Makes the one frame that a step sees out of the frames of its producers (signal inputs and earlier steps).
// One producer: its frame with columns selected, nothing copied. Several: rows with the same slot and time become one
// row (no glitches); values that did not change in this round are the latest known ones, NaN before the first. A row's
// quality is the worst over its values, bad while one has never been seen; its age is that of its oldest value.
#pragma once

#include <cstdint>
#include <vector>

#include "core/frame.hpp"

namespace alara::flow {

class Join {
 public:
  struct Input {
    std::uint32_t producer = 0;  // index into the frames given to join()
    std::uint32_t column = 0;
  };
  // `first_drives`: only new values of the first input make a row; those of the others are remembered for it.
  Join(std::vector<Input> inputs, std::size_t slots, bool first_drives = false);

  // The joined rows of this round; empty when no producer has any. Valid until the next call and as long as the
  // producers' frames. Rows of one slot come in the order of their producer when only one has rows, in the order of
  // their times otherwise.
  [[nodiscard]] Frame join(std::span<const Frame> produced, Nanos arrival);

  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  // A producer and the inputs that read from it.
  struct Source {
    std::uint32_t producer = 0;
    std::vector<Input> reads;          // `producer` is here the index of the input
    std::vector<std::uint32_t> order;  // rows by (slot, time), when they are not in that order already
    std::size_t next = 0;
    bool drives = true;  // its rows are wanted
  };

  [[nodiscard]] bool aligned(std::span<const Frame> produced) const;
  [[nodiscard]] Frame select(const Frame& frame);
  [[nodiscard]] Frame join_aligned(std::span<const Frame> produced, Nanos arrival);
  [[nodiscard]] Frame join_one(std::span<const Frame> produced, Source& source, Nanos arrival);
  [[nodiscard]] Frame join_merged(std::span<const Frame> produced, Nanos arrival);
  void remember(const Source& source, const Frame& frame, std::size_t row);
  void emit(std::uint32_t slot, Nanos time);
  [[nodiscard]] Frame emitted(Nanos arrival);
  void clear_emitted();
  static void sort_rows(const Frame& frame, std::vector<std::uint32_t>& order);

  const std::size_t inputs_;
  std::vector<Source> sources_;
  // The latest known per slot: [slot * inputs + input].
  std::vector<double> value_;
  std::vector<Quality> quality_;
  std::vector<Nanos> arrival_;  // monotonic, of the frame that brought it
  // The rows being made.
  std::vector<std::uint32_t> slots_;
  std::vector<Nanos> times_;
  std::vector<Quality> qualities_;
  std::vector<Nanos> oldest_;
  bool any_not_good_ = false;
  std::vector<std::vector<double>> columns_;
  std::vector<std::span<const double>> spans_;
};

}  // namespace alara::flow
