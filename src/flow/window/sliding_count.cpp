// SPDX-License-Identifier: Apache-2.0
#include "flow/window/sliding_count.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "flow/window/accumulator.hpp"
#include "flow/window/event_time.hpp"

namespace alara::flow {
namespace {

constexpr std::size_t kHeadDistance = 24;  // rows between asking for a head and using it
constexpr std::size_t kCellDistance = 10;
constexpr std::size_t kLine = 64;
constexpr unsigned kTileBits = 4;
constexpr std::size_t kLeastBlock = 16;  // shorter blocks are faster row by row
constexpr std::size_t kBlockShare = 4;   // so are blocks shorter than window / kBlockShare

template <typename T>
constexpr double largest() {
  return std::min(kMaxMagnitude, static_cast<double>(std::numeric_limits<T>::max()));
}

bool asks_for(const std::vector<Wanted>& use, Aggregate what) {
  return std::any_of(use.begin(), use.end(), [&](const Wanted& wanted) { return wanted.what == what; });
}

}  // namespace

template <typename T>
SlidingCount<T>::SlidingCount(const WindowOptions& options, std::size_t slots)
    : use_(options.use),
      late_column_(options.emit_late),
      window_(static_cast<std::uint32_t>(options.count)),
      share_(1.0 / static_cast<double>(options.count)),
      loss_(std::min(kVarianceLoss, 0.25 / static_cast<double>(options.count))),
      limit_(largest<T>()),
      tile_bits_(std::min(kTileBits, static_cast<unsigned>(std::bit_width(slots > 0 ? slots - 1 : 0)))),
      wants_n_(asks_for(use_, Aggregate::count) || asks_for(use_, Aggregate::sum)),
      wants_first_(asks_for(use_, Aggregate::first)) {}

template <typename T>
Result<std::unique_ptr<Operator>> SlidingCount<T>::make(const WindowOptions& options, std::size_t slots) {
  std::unique_ptr<SlidingCount> code(new SlidingCount(options, slots));
  const std::size_t tile = std::size_t{1} << code->tile_bits_;
  const std::size_t tiled = (slots + tile - 1) / tile * tile;
  ALARA_TRY(const std::size_t head_bytes, checked_bytes(tiled, sizeof(Head)));
  ALARA_TRY(code->heads_, Arena::make(head_bytes));
  ALARA_TRY(const std::size_t cell_bytes, checked_bytes(tiled, options.count * sizeof(Cell)));
  ALARA_TRY(code->cells_, Arena::make(cell_bytes));
  if (options.count <= kMaxBlockWindow) {
    ALARA_TRY(const std::size_t line_bytes, checked_bytes(slots, options.count * sizeof(T)));
    ALARA_TRY(code->lines_, Arena::make(line_bytes));
    const std::size_t n = options.count + kChunk + kLine;
    ALARA_TRY(code->block_arena_, Arena::make(n * (3 * sizeof(T) + 4 * sizeof(double)) + kLine));
    auto* const d = code->block_arena_.template as<double>();
    auto* const t = reinterpret_cast<T*>(d + 4 * n);
    code->block_ = t;
    code->block_low_ = t + n;
    code->block_high_ = t + 2 * n;
    code->block_sums_ = {d, d + n, d + 2 * n, d + 3 * n};
  }
  return std::unique_ptr<Operator>(std::move(code));
}

template <typename T>
void SlidingCount<T>::process(const Frame& in, FrameBuilder& out) {
  for (std::size_t first = 0; first < in.size(); first += kChunk)
    process_chunk(in, first, std::min(kChunk, in.size() - first), out);
}

template <typename T>
void SlidingCount<T>::process_chunk(const Frame& in, std::size_t first, std::size_t n, FrameBuilder& out) {
  const double* const values = in.column(0).data() + first;
  const bool all_good = in.quality.empty() || kernels::count_not_good(in.quality.data() + first, n) == 0;
  Rows rows{};
  if (all_good && kernels::count_unusable(values, n, limit_) == 0) {
    const Frame part{
        in.single_slot() ? in.slot : in.slot.subspan(first, n), in.only_slot, in.time.subspan(first, n), {}, {}, 0};
    rows = {in.single_slot() ? nullptr : in.slot.data() + first,
            in.only_slot,
            values,
            nullptr,
            n,
            in.size() - first - n,
            out.append_like(part)};
  } else {
    rows = pick_usable(in, first, n, out);
  }
  if (rows.n == 0) return;
  to_ = aim(out, rows.out_row);
  rooted_ = false;
  if (!step_block(rows)) step_rows(rows, out);
  write(rows, out);
}

template <typename T>
typename SlidingCount<T>::Rows SlidingCount<T>::pick_usable(const Frame& in, std::size_t first, std::size_t n,
                                                            FrameBuilder& out) {
  std::size_t picked = 0;
  for (std::size_t i = first; i < first + n; ++i) {
    const double value = in.column(0)[i];
    const Quality quality = in.quality_at(i);
    if (quality == Quality::bad || !(value <= limit_ && value >= -limit_)) {
      ++unusable_;
      continue;
    }
    picked_slot_[picked] = in.slot_at(i);
    picked_time_[picked] = in.time[i];
    picked_value_[picked] = value;
    picked_quality_[picked++] = quality;
  }
  const auto of = [&](const auto& array) { return std::span(array.data(), picked); };
  const Frame part{
      in.single_slot() ? in.slot : of(picked_slot_), in.only_slot, of(picked_time_), of(picked_quality_), {}, 0};
  return {in.single_slot() ? nullptr : picked_slot_.data(),
          in.only_slot,
          picked_value_.data(),
          picked_quality_.data(),
          picked,
          0,
          picked == 0 ? out.size() : out.append_like(part)};
}

template <typename T>
inline void SlidingCount<T>::prefetch(const Rows& rows, std::size_t i) const {
  const std::size_t end = rows.n + rows.ahead;
  if (i + kHeadDistance < end) __builtin_prefetch(&head(rows.slot[i + kHeadDistance]), 1);
  if (i + kCellDistance >= end) return;
  const std::uint32_t slot = rows.slot[i + kCellDistance];
  const auto* const at = reinterpret_cast<const std::byte*>(&cell(slot, head(slot).head));
  __builtin_prefetch(at, 1);
  __builtin_prefetch(at + sizeof(Cell) - 1, 1);
}

template <typename T>
void SlidingCount<T>::step_rows(const Rows& rows, FrameBuilder& out) {
  for (std::size_t i = 0; i < rows.n; ++i) {
    if (rows.slot != nullptr) prefetch(rows, i);
    const std::uint32_t slot = rows.slot_at(i);
    Head& h = head(slot);
    step(h, slot, rows.value[i], i);
    if (rows.quality != nullptr && rows.quality[i] != Quality::good) h.tainted = window_;
    if (h.tainted == 0) continue;
    --h.tainted;
    out.set_quality(rows.out_row + i, Quality::uncertain);
  }
}

template <typename T>
inline void SlidingCount<T>::step(Head& h, std::uint32_t slot, double value, std::size_t row) {
  const T kept = static_cast<T>(value);
  if (h.n < window_) [[unlikely]] {
    if (h.n == 0) begin_slot(slot, h, kept);
    ++h.n;
  }
  if (h.in_line != 0) [[unlikely]]
    leave_line(slot, h);
  Cell& mine = cell(slot, h.head);
  const double in = static_cast<double>(kept) - h.shift;
  const double gone = static_cast<double>(mine.value) - h.shift;
  h.s1 += in - gone;
  h.s2 += in * in - gone * gone;
  h.peak = std::max(h.peak, h.s2);
  h.low = std::min(h.low, kept);
  h.high = std::max(h.high, kept);
  to_.low[row] = static_cast<double>(std::min(h.low, mine.low));
  to_.high[row] = static_cast<double>(std::max(h.high, mine.high));
  mine.value = kept;
  const double share = h.n == window_ ? share_ : 1.0 / h.n;
  h.head = wrapped(h.head + 1);
  if (h.head == turn(slot) || h.s2 - h.s1 * h.s1 * share < loss_ * h.peak) [[unlikely]]
    build(slot, h);
  const double offset = h.s1 * share;
  to_.mean[row] = h.shift + offset;
  to_.variance[row] = std::max(0.0, h.s2 - h.s1 * offset) * share;
  if (wants_n_) n_[row] = h.n;
  if (wants_first_) first_[row] = static_cast<double>(cell(slot, wrapped(h.head + window_ - h.n)).value);
}

template <typename T>
void SlidingCount<T>::begin_slot(std::uint32_t slot, Head& h, T value) {
  h = Head{};
  h.shift = static_cast<double>(value);
  h.low = std::numeric_limits<T>::infinity();
  h.high = -std::numeric_limits<T>::infinity();
  for (std::uint32_t place = 0; place < window_; ++place) cell(slot, place) = {value, h.low, h.high};
}

// Brings cells and sums up to date with the values; any place of `head`. Below, k counts a slot's places from the
// oldest, the one at `head`; cells that hold no sample yet are those with k < window - n.
template <typename T>
void SlidingCount<T>::build(std::uint32_t slot, Head& h) {
  build_extremes(slot, h);
  build_sums(slot, h);
}

template <typename T>
void SlidingCount<T>::build_extremes(std::uint32_t slot, Head& h) {
  const std::uint32_t end = turn(slot);
  const std::uint32_t older = end > h.head ? end - h.head : end + window_ - h.head;  // places of the last turn
  const std::uint32_t none = window_ - h.n;
  T low = std::numeric_limits<T>::infinity();
  T high = -low;
  h.low = low;
  h.high = high;
  for (std::uint32_t k = std::max(older, none); k < window_; ++k) {
    const T value = cell(slot, wrapped(h.head + k)).value;
    h.low = std::min(h.low, value);
    h.high = std::max(h.high, value);
  }
  for (std::uint32_t k = older; k-- > 0;) {
    Cell& c = cell(slot, wrapped(h.head + k));
    c.low = low;
    c.high = high;
    if (k < none) continue;
    low = std::min(low, c.value);
    high = std::max(high, c.value);
  }
  const auto least = static_cast<double>(std::min(low, h.low));
  h.shift = static_cast<double>(static_cast<T>(least + (static_cast<double>(std::max(high, h.high)) - least) / 2));
}

template <typename T>
void SlidingCount<T>::build_sums(std::uint32_t slot, Head& h) {
  const std::uint32_t none = window_ - h.n;
  for (std::uint32_t k = 0; k < none; ++k) cell(slot, wrapped(h.head + k)).value = static_cast<T>(h.shift);
  double s1[4] = {};
  double s2[4] = {};
  for (std::uint32_t k = none; k < window_; ++k) {  // four chains: an addition need not wait for the last
    const double d = static_cast<double>(cell(slot, wrapped(h.head + k)).value) - h.shift;
    s1[k % 4] += d;
    s2[k % 4] += d * d;
  }
  h.s1 = (s1[0] + s1[1]) + (s1[2] + s1[3]);
  h.s2 = h.peak = (s2[0] + s2[1]) + (s2[2] + s2[3]);
}

template <typename T>
void SlidingCount<T>::leave_line(std::uint32_t slot, Head& h) {
  const T* const values = line(slot);
  for (std::uint32_t k = 0; k < window_; ++k) cell(slot, wrapped(h.head + k)).value = values[k];
  h.in_line = 0;
  build(slot, h);
}

template <typename T>
bool SlidingCount<T>::step_block(const Rows& rows) {
  if (rows.slot != nullptr || rows.quality != nullptr || window_ > kMaxBlockWindow || rows.n < kLeastBlock ||
      rows.n * kBlockShare < window_)
    return false;
  Head& h = head(rows.only_slot);
  if (h.n < window_ || h.tainted > 0) return false;
  T* const kept = line(rows.only_slot);  // the last `window` values, oldest first
  if (h.in_line == 0)
    for (std::uint32_t k = 0; k < window_; ++k) kept[k] = cell(rows.only_slot, wrapped(h.head + k)).value;
  std::memcpy(block_, kept, window_ * sizeof(T));
  kernels::convert(rows.value, block_ + window_, rows.n);
  const kernels::Moments moments{to_.mean, to_.variance, to_.std, to_.rms};
  rooted_ = kernels::running_moments(block_, window_, rows.n, loss_, moments);
  if (!rooted_ && !kernels::separate_moments(block_, block_sums_.data(), window_, rows.n, loss_, moments)) return false;
  kernels::extremes(block_, block_low_, block_high_, window_, rows.n, to_.low, to_.high);
  std::memcpy(kept, block_ + rows.n, window_ * sizeof(T));
  h.head = static_cast<std::uint32_t>((h.head + rows.n) % window_);
  h.in_line = 1;
  if (wants_n_) std::fill_n(n_.data(), rows.n, static_cast<double>(window_));
  if (wants_first_)
    for (std::size_t i = 0; i < rows.n; ++i) first_[i] = static_cast<double>(block_[i + 1]);
  return true;
}

template <typename T>
typename SlidingCount<T>::Results SlidingCount<T>::aim(FrameBuilder& out, std::size_t row) {
  Results to{spare_[0].data(), spare_[1].data(), spare_[2].data(), spare_[3].data(), nullptr, nullptr};
  for (std::size_t k = 0; k < use_.size(); ++k) {
    double* const column = out.column(k).data() + row;
    switch (use_[k].what) {
      case Aggregate::mean:
        to.mean = column;
        break;
      case Aggregate::variance:
        to.variance = column;
        break;
      case Aggregate::min:
        to.low = column;
        break;
      case Aggregate::max:
        to.high = column;
        break;
      case Aggregate::std:
        to.std = column;
        break;
      case Aggregate::rms:
        to.rms = column;
        break;
      default:
        break;
    }
  }
  return to;
}

template <typename T>
void SlidingCount<T>::write(const Rows& rows, FrameBuilder& out) {
  const auto copy = [&](const double* from, double* to) { std::memcpy(to, from, rows.n * sizeof(double)); };
  for (std::size_t k = 0; k < use_.size(); ++k) {
    double* const to = out.column(k).data() + rows.out_row;
    switch (use_[k].what) {
      case Aggregate::mean:
      case Aggregate::variance:
      case Aggregate::min:
      case Aggregate::max:
        break;  // already there: aim()
      case Aggregate::count:
        copy(n_.data(), to);
        break;
      case Aggregate::std:
        if (!rooted_) kernels::root(to_.variance, to, rows.n);
        break;
      case Aggregate::range:
        kernels::difference(to_.high, to_.low, to, rows.n);
        break;
      case Aggregate::sum:
        kernels::product(to_.mean, n_.data(), to, rows.n);
        break;
      case Aggregate::rms:
        if (!rooted_) kernels::root_mean_square(to_.mean, to_.variance, to, rows.n);
        break;
      case Aggregate::first:
        copy(first_.data(), to);
        break;
      case Aggregate::last:
        copy(rows.value, to);
        break;
      default:
        ALARA_ASSERT(false, "an aggregate that needs times or a sketch came to the count path");
    }
  }
  if (late_column_) std::fill_n(out.column(use_.size()).data() + rows.out_row, rows.n, Summary::kNone);
}

template <typename T>
std::size_t SlidingCount<T>::memory_bytes() const {
  return sizeof(*this) + heads_.bytes() + cells_.bytes() + lines_.bytes() + block_arena_.bytes();
}

template <typename T>
void SlidingCount<T>::counters(std::vector<Counter>& out) const {
  out.push_back({"unusable", unusable_});
}

template class SlidingCount<float>;
template class SlidingCount<double>;

}  // namespace alara::flow
