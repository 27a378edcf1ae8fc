// SPDX-License-Identifier: Apache-2.0
#include "flow/window/sliding_count.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "flow/window/event_time.hpp"

namespace alara::flow {
namespace {

constexpr double kLoss = 0x1p-20;        // keeps about 9 of a double's 16 digits in the variance
constexpr std::size_t kHeadDistance = 24;  // rows between asking for a head and using it
constexpr std::size_t kCellDistance = 10;
constexpr std::size_t kLine = 64;
constexpr std::size_t kLeastBlock = 16;  // shorter blocks are faster row by row
constexpr std::size_t kBlockShare = 4;   // so are blocks shorter than window / kBlockShare

template <typename T>
constexpr double largest() {
  return std::min(kMaxMagnitude, static_cast<double>(std::numeric_limits<T>::max()));
}

}  // namespace

template <typename T>
SlidingCount<T>::SlidingCount(const WindowOptions& options, std::size_t slots)
    : use_(options.use),
      late_column_(options.emit_late),
      window_(static_cast<std::uint32_t>(options.count)),
      share_(1.0 / static_cast<double>(options.count)),
      loss_(std::min(kLoss, 0.25 / static_cast<double>(options.count))),
      limit_(largest<T>()),
      stride_((sizeof(Head) + options.count * sizeof(Cell) + kLine - 1) / kLine * kLine) {
  static_cast<void>(slots);
}

template <typename T>
Result<std::unique_ptr<Operator>> SlidingCount<T>::make(const WindowOptions& options, std::size_t slots) {
  std::unique_ptr<SlidingCount> code(new SlidingCount(options, slots));
  ALARA_TRY(const std::size_t bytes, checked_bytes(slots, code->stride_));
  ALARA_TRY(code->arena_, Arena::make(bytes));
  if (options.count <= kMaxBlockWindow) {
    const std::size_t n = options.count + kChunk + kLine;
    ALARA_TRY(code->block_arena_, Arena::make(n * (3 * sizeof(T) + 4 * sizeof(double)) + kLine));
    auto* const d = code->block_arena_.template as<double>();
    auto* const t = reinterpret_cast<T*>(d + 4 * n);
    code->block_ = {t, t + n, t + 2 * n, d, d + n, d + 2 * n, d + 3 * n};
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
    const Frame part{in.single_slot() ? in.slot : in.slot.subspan(first, n), in.only_slot, in.time.subspan(first, n), {}, {}, 0};
    rows = {in.single_slot() ? nullptr : in.slot.data() + first, in.only_slot, values, nullptr, n, in.size() - first - n,
            out.append_like(part)};
  } else {
    rows = pick_usable(in, first, n, out);
  }
  if (!step_block(rows)) step_rows(rows, out);
  write(rows, out);
}

template <typename T>
typename SlidingCount<T>::Rows SlidingCount<T>::pick_usable(const Frame& in, std::size_t first, std::size_t n, FrameBuilder& out) {
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
  const Frame part{in.single_slot() ? in.slot : of(picked_slot_), in.only_slot, of(picked_time_), of(picked_quality_), {}, 0};
  return {in.single_slot() ? nullptr : picked_slot_.data(), in.only_slot, picked_value_.data(), picked_quality_.data(),
          picked, 0, picked == 0 ? out.size() : out.append_like(part)};
}

template <typename T>
inline void SlidingCount<T>::prefetch(const Rows& rows, std::size_t i) const {
  const std::size_t end = rows.n + rows.ahead;
  if (i + kHeadDistance < end) __builtin_prefetch(&head(rows.slot[i + kHeadDistance]), 1);
  if (i + kCellDistance >= end) return;
  Head& soon = head(rows.slot[i + kCellDistance]);
  const auto* const at = reinterpret_cast<const std::byte*>(cells(soon) + soon.head);
  __builtin_prefetch(at, 1);
  __builtin_prefetch(at + sizeof(Cell) - 1, 1);
  if (soon.head + 1 == window_ && window_ <= 1024)  // its turn ends: all its cells will be read
    for (std::size_t byte = 0; byte < window_ * sizeof(Cell); byte += kLine)
      __builtin_prefetch(reinterpret_cast<const std::byte*>(cells(soon)) + byte, 1);
}

template <typename T>
void SlidingCount<T>::step_rows(const Rows& rows, FrameBuilder& out) {
  for (std::size_t i = 0; i < rows.n; ++i) {
    if (rows.slot != nullptr) prefetch(rows, i);
    const std::uint32_t slot = rows.slot_at(i);
    step(slot, rows.value[i], i);
    Head& h = head(slot);
    if (rows.quality != nullptr && rows.quality[i] != Quality::good) h.tainted = window_;
    if (h.tainted == 0) continue;
    --h.tainted;
    out.set_quality(rows.out_row + i, Quality::uncertain);
  }
}

template <typename T>
inline void SlidingCount<T>::step(std::uint32_t slot, double value, std::size_t row) {
  Head& h = head(slot);
  const T kept = static_cast<T>(value);
  if (h.n == 0) begin_slot(slot, h, kept);
  if (h.stale != 0) build(h);
  Cell& cell = cells(h)[h.head];
  const double in = static_cast<double>(kept) - h.shift;
  const double gone = static_cast<double>(cell.value) - h.shift;
  h.s1 += in - gone;
  h.s2 += in * in - gone * gone;
  h.peak = std::max(h.peak, h.s2);
  h.low = std::min(h.low, kept);
  h.high = std::max(h.high, kept);
  low_[row] = static_cast<double>(std::min(h.low, cell.low));
  high_[row] = static_cast<double>(std::max(h.high, cell.high));
  cell.value = kept;
  if (h.n < window_) ++h.n;
  double share = h.n == window_ ? share_ : 1.0 / h.n;
  if (++h.head == window_) {
    h.head = 0;
    build(h);
  } else if (h.s2 - h.s1 * h.s1 * share < loss_ * h.peak) {
    build(h);
  }
  const double offset = h.s1 * share;
  n_[row] = h.n;
  mean_[row] = h.shift + offset;
  variance_[row] = std::max(0.0, h.s2 - h.s1 * offset) * share;
  const std::uint32_t oldest = h.head >= h.n ? h.head - h.n : h.head + window_ - h.n;
  first_[row] = static_cast<double>(cells(h)[oldest].value);
}

template <typename T>
void SlidingCount<T>::begin_slot(std::uint32_t slot, Head& h, T value) {
  h = Head{};
  h.shift = static_cast<double>(value);
  h.low = std::numeric_limits<T>::infinity();
  h.high = -std::numeric_limits<T>::infinity();
  h.head = static_cast<std::uint32_t>((std::uint64_t{slot * 0x9E3779B1u} * window_) >> 32);  // spread over the ring
  std::fill_n(cells(h), window_, Cell{value, h.low, h.high});
}

// Brings cells and sums up to date with the values; any place of `head`. Cells that hold no sample yet take the shift.
template <typename T>
void SlidingCount<T>::build(Head& h) {
  Cell* const c = cells(h);
  const std::uint32_t oldest = h.n > h.head ? window_ - (h.n - h.head) : window_;  // first sample of the last turn
  const std::uint32_t newer = h.n >= h.head ? 0 : h.head - h.n;                    // first sample of this turn
  T low = std::numeric_limits<T>::infinity();
  T high = -low;
  h.low = low;
  h.high = high;
  for (std::uint32_t j = window_; j-- > oldest;) {
    const T value = c[j].value;
    c[j].low = low;
    c[j].high = high;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  for (std::uint32_t j = h.head; j < oldest; ++j) c[j].low = low, c[j].high = high;
  for (std::uint32_t j = newer; j < h.head; ++j) {
    h.low = std::min(h.low, c[j].value);
    h.high = std::max(h.high, c[j].value);
  }
  const auto least = static_cast<double>(std::min(low, h.low));
  const T middle = static_cast<T>(least + (static_cast<double>(std::max(high, h.high)) - least) / 2);
  for (std::uint32_t j = h.head; j < oldest; ++j) c[j].value = middle;
  for (std::uint32_t j = 0; j < newer; ++j) c[j].value = middle;
  h.shift = static_cast<double>(middle);
  double s1[4] = {};
  double s2[4] = {};
  for (std::uint32_t j = 0; j < window_; ++j) {  // four chains: an addition need not wait for the last
    const double d = static_cast<double>(c[j].value) - h.shift;
    s1[j % 4] += d;
    s2[j % 4] += d * d;
  }
  h.s1 = (s1[0] + s1[1]) + (s1[2] + s1[3]);
  h.s2 = h.peak = (s2[0] + s2[1]) + (s2[2] + s2[3]);
  h.stale = 0;
}

template <typename T>
bool SlidingCount<T>::step_block(const Rows& rows) {
  if (rows.slot != nullptr || rows.quality != nullptr || window_ > kMaxBlockWindow || rows.n < kLeastBlock ||
      rows.n * kBlockShare < window_)
    return false;
  Head& h = head(rows.only_slot);
  if (h.n < window_ || h.tainted > 0) return false;
  Cell* const c = cells(h);
  T* x = block_.x;  // all but the oldest value, then the new ones
  for (std::uint32_t j = h.head + 1; j < window_; ++j) *x++ = c[j].value;
  for (std::uint32_t j = 0; j < h.head; ++j) *x++ = c[j].value;
  for (std::size_t i = 0; i < rows.n; ++i) x[i] = static_cast<T>(rows.value[i]);
  if (!kernels::slide(block_, window_, rows.n, loss_, mean_.data(), variance_.data(), low_.data(), high_.data())) return false;
  const std::size_t kept = std::min<std::size_t>(rows.n, window_);
  std::size_t place = (h.head + (rows.n - kept)) % window_;
  for (std::size_t i = rows.n - kept; i < rows.n; ++i) {
    c[place].value = x[i];
    if (++place == window_) place = 0;
  }
  h.head = static_cast<std::uint32_t>(place);
  h.stale = 1;
  std::fill_n(n_.data(), rows.n, static_cast<double>(window_));
  for (std::size_t i = 0; i < rows.n; ++i) first_[i] = static_cast<double>(block_.x[i]);
  return true;
}

template <typename T>
void SlidingCount<T>::write(const Rows& rows, FrameBuilder& out) {
  const auto copy = [&](const double* from, double* to) { std::memcpy(to, from, rows.n * sizeof(double)); };
  for (std::size_t k = 0; k < use_.size(); ++k) {
    double* const to = out.column(k).data() + rows.out_row;
    switch (use_[k].what) {
      case Aggregate::count: copy(n_.data(), to); break;
      case Aggregate::mean: copy(mean_.data(), to); break;
      case Aggregate::variance: copy(variance_.data(), to); break;
      case Aggregate::std: kernels::root(variance_.data(), to, rows.n); break;
      case Aggregate::min: copy(low_.data(), to); break;
      case Aggregate::max: copy(high_.data(), to); break;
      case Aggregate::range: kernels::difference(high_.data(), low_.data(), to, rows.n); break;
      case Aggregate::sum: kernels::product(mean_.data(), n_.data(), to, rows.n); break;
      case Aggregate::rms: kernels::root_mean_square(mean_.data(), variance_.data(), to, rows.n); break;
      case Aggregate::first: copy(first_.data(), to); break;
      case Aggregate::last: copy(rows.value, to); break;
      default: ALARA_ASSERT(false, "an aggregate that needs times or a sketch came to the count path");
    }
  }
  if (late_column_) std::fill_n(out.column(use_.size()).data() + rows.out_row, rows.n, Summary::kNone);
}

template <typename T>
std::size_t SlidingCount<T>::memory_bytes() const {
  return sizeof(*this) + arena_.bytes() + block_arena_.bytes();
}

template <typename T>
void SlidingCount<T>::counters(std::vector<Counter>& out) const {
  out.push_back({"unusable", unusable_});
}

template class SlidingCount<float>;
template class SlidingCount<double>;

}  // namespace alara::flow
