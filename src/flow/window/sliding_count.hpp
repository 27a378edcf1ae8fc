// SPDX-License-Identifier: Apache-2.0
// The hot path: sliding windows over the last N samples with count, mean, variance, std, min, max, range, sum, rms,
// first, last. One output row for each usable input row, written straight into the output's columns.
//
// State of a slot: a head of one cache line and N cells {value, low, high}. Cells of 16 slots lie side by side, place
// by place: where a plant is sampled in lockstep, neighbours' cells of the moment share cache lines, and rows run
// through memory in order. A ring's turn ends at a fixed place. The cells written since hold this turn's values, the
// others the last turn's, and each of those also the extremes of the last turn's values after it (van Herk: "A fast
// algorithm for local minimum and maximum filters", Pattern Recognition Letters 13, 1992; Gil, Werman, IEEE PAMI 15(5),
// 1993): a window's extremes are one pair from the cell and one running pair. When a turn ends the cells' extremes and
// the sums are built anew; turns of different tiles end at different places, so that not all are built at the same
// moment.
//
// Blocks of one slot go through kernels.hpp instead and keep their values in a row of their own (`lines_`); the
// cells are filled from it when a single row comes next.
#pragma once

#include <array>
#include <vector>

#include "core/operator.hpp"
#include "flow/window/arena.hpp"
#include "flow/window/kernels.hpp"
#include "flow/window/options.hpp"

namespace alara::flow {

template <typename T>  // float or double: how a sample is kept
class SlidingCount final : public Operator {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Operator>> make(const WindowOptions& options, std::size_t slots);

  void process(const Frame& in, FrameBuilder& out) override;
  [[nodiscard]] std::size_t memory_bytes() const override;
  void counters(std::vector<Counter>& out) const override;

 private:
  static constexpr std::size_t kChunk = 512;            // rows worked on at a time: their results stay in the L1 cache
  static constexpr std::size_t kMaxBlockWindow = 4096;  // longer windows in blocks would leave the L2 cache

  struct alignas(64) Head {
    double s1, s2;       // sums of deviations from shift, and of their squares, over the window
    double shift;        // representable as T, so that an empty cell counts as exactly 0
    double peak;         // largest s2 since the sums were built
    T low, high;         // of this turn's values
    std::uint32_t head;  // next cell to replace, the oldest
    std::uint32_t n;
    std::uint32_t tainted;  // samples to come until the last uncertain one has left
    std::uint32_t in_line;  // the values are in lines_, the cells and sums behind
  };
  struct Cell {
    T value, low, high;
  };
  // Usable rows of one chunk; `ahead` rows beyond them may be looked at to prefetch.
  struct Rows {
    const std::uint32_t* slot;  // nullptr: all of only_slot
    std::uint32_t only_slot;
    const double* value;
    const Quality* quality;  // nullptr: all good
    std::size_t n;
    std::size_t ahead;
    std::size_t out_row;  // where their results go

    [[nodiscard]] std::uint32_t slot_at(std::size_t i) const { return slot != nullptr ? slot[i] : only_slot; }
  };

  SlidingCount(const WindowOptions& options, std::size_t slots);
  [[nodiscard]] Head& head(std::uint32_t slot) const { return heads_.as<Head>()[slot]; }
  // The cell of `slot` at a place of its ring.
  [[nodiscard]] Cell& cell(std::uint32_t slot, std::uint32_t place) const {
    const std::size_t tile = std::size_t{slot >> tile_bits_} * window_ + place;
    return cells_.as<Cell>()[(tile << tile_bits_) + (slot & ((1u << tile_bits_) - 1))];
  }
  [[nodiscard]] T* line(std::uint32_t slot) const { return lines_.as<T>() + std::size_t{slot} * window_; }
  // Where the turn of a slot's ring ends: the same for a tile, spread over the ring from tile to tile.
  [[nodiscard]] std::uint32_t turn(std::uint32_t slot) const {
    return static_cast<std::uint32_t>((std::uint64_t{(slot >> tile_bits_) * 0x9E3779B1u} * window_) >> 32);
  }
  [[nodiscard]] std::uint32_t wrapped(std::uint32_t place) const { return place >= window_ ? place - window_ : place; }

  void process_chunk(const Frame& in, std::size_t first, std::size_t n, FrameBuilder& out);
  Rows pick_usable(const Frame& in, std::size_t first, std::size_t n, FrameBuilder& out);
  void step_rows(const Rows& rows, FrameBuilder& out);
  void step(Head& h, std::uint32_t slot, double value, std::size_t row);
  [[nodiscard]] bool step_block(const Rows& rows);
  void begin_slot(std::uint32_t slot, Head& h, T value);
  void build(std::uint32_t slot, Head& h);
  void build_extremes(std::uint32_t slot, Head& h);
  void build_sums(std::uint32_t slot, Head& h);
  void leave_line(std::uint32_t slot, Head& h);
  void prefetch(const Rows& rows, std::size_t i) const;
  void write(const Rows& rows, FrameBuilder& out);

  const std::vector<Wanted> use_;
  const bool late_column_;
  const std::uint32_t window_;
  const double share_;  // 1 / window
  const double loss_;   // spread / peak below which the sums are built anew
  const double limit_;  // largest usable magnitude
  const unsigned tile_bits_;
  Arena heads_, cells_, lines_;

  // Where the results of the chunk in work go: into the output's column where there is one, else into spare_.
  struct Results {
    double *mean, *variance, *low, *high;
    double *std, *rms;  // nullptr: not asked for
  };
  [[nodiscard]] Results aim(FrameBuilder& out, std::size_t row);
  Results to_{};
  std::array<std::array<double, kChunk>, 4> spare_;
  std::array<double, kChunk> n_, first_;
  const bool wants_n_, wants_first_;
  // Usable rows picked out of a chunk with others among them.
  std::array<std::uint32_t, kChunk> picked_slot_;
  std::array<Nanos, kChunk> picked_time_;
  std::array<double, kChunk> picked_value_;
  std::array<Quality, kChunk> picked_quality_;
  Arena block_arena_;
  // Parts of block_arena_, each with room for a window and a chunk.
  T *block_ = nullptr, *block_low_ = nullptr, *block_high_ = nullptr;
  std::array<double*, 4> block_sums_{};
  bool rooted_ = false;  // std and rms of the chunk in work are there already

  std::uint64_t unusable_ = 0;
};

extern template class SlidingCount<float>;
extern template class SlidingCount<double>;

}  // namespace alara::flow
