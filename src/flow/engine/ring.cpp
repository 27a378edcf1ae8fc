// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/ring.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>
#include <string_view>

#include "base/result.hpp"

namespace alara::flow {

// One unit. Written by the producer only; ordered by head_, tail_ and pinned_.
struct alignas(64) Ring::Header {
  std::uint32_t units;  // length of the entry, header included
  std::uint32_t points;
  std::uint32_t home_points;
  std::uint32_t flags;
  std::uint32_t block_signal;
  std::uint32_t greatest_signal;
  Nanos time0, step, arrival;
};

namespace {

constexpr std::uint32_t kSkip = 1, kRows = 2, kTimes = 4, kQualities = 8;
constexpr std::uint64_t kLeastBytes = 4096;
constexpr std::uint64_t kHotBytes =
    32 << 10;  // an empty ring starts over here: it stays in cache, and resident memory small
constexpr std::uint64_t kEntryShare =
    8;  // an entry takes at most this part of the ring, so dropping can always make room

constexpr std::uint64_t padded(std::uint64_t bytes, std::uint64_t unit) { return (bytes + unit - 1) / unit * unit; }

constexpr std::uint64_t kBytesPerPoint = sizeof(double) + sizeof(Nanos) + sizeof(SignalId) + sizeof(Quality);
constexpr std::uint64_t kPadding = 16;  // of the two narrow columns

}  // namespace

std::string_view name_of(DropReason reason) {
  constexpr std::array<std::string_view, kDropReasons> kNames{"full_newest", "full_oldest", "full_blocked", "stopping"};
  return kNames[static_cast<std::size_t>(reason)];
}

void Ring::Free::operator()(std::byte* bytes) const { std::free(bytes); }

Ring::Ring(const RingOptions& options, Wake& consumer)
    : mask_(std::bit_ceil(std::max<std::uint64_t>(options.bytes, kLeastBytes)) - 1),
      when_full_(options.when_full),
      block_at_most_(options.block_at_most),
      max_points_(((mask_ + 1) / kEntryShare - 2 * kUnit - kPadding) / kBytesPerPoint),
      buffer_(static_cast<std::byte*>(std::aligned_alloc(4096, mask_ + 1))),
      consumer_(consumer) {
  ALARA_ASSERT(buffer_ != nullptr, "no memory for a ring");
}

Ring::Header& Ring::header_at(std::uint64_t position) const {
  return *std::launder(reinterpret_cast<Header*>(buffer_.get() + (position & mask_)));
}

// Finds the first place at or after tail_ where `bytes` fit contiguously, clear of the pinned entry and of the entries
// not yet taken. False when there is none now.
bool Ring::place(std::uint64_t bytes, std::uint64_t& start) const {
  const std::uint64_t capacity = mask_ + 1;
  const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  const std::uint64_t head = head_.load(std::memory_order_seq_cst);
  const std::uint64_t pinned = pinned_.load(std::memory_order_seq_cst);
  std::uint64_t pin_begin = UINT64_MAX, pin_end = UINT64_MAX;
  // A pin at or after `head` is an entry that has not been taken (or a look that will fail): covered by head.
  if (pinned != kUnpinned && pinned < head) {
    pin_begin = tail + ((pinned - tail) & mask_);
    // The bound matters when the consumer is about to find its entry stolen: the header may then be overwritten.
    pin_end = pin_begin + std::min(header_at(pinned).units * kUnit, capacity / kEntryShare);
  }
  start = tail;
  const bool restart = head == tail && (tail & mask_) >= std::max(kHotBytes, bytes + kUnit);
  if (restart) start = (tail | mask_) + 1;
  for (int pass = 0; pass < 3; ++pass) {
    if ((start & mask_) + bytes > capacity) start = (start | mask_) + 1;
    if (start < pin_end && start + bytes + kUnit > pin_begin)
      start = pin_end;
    else if ((start & mask_) + bytes <= capacity)
      break;
  }
  return restart || start + bytes + kUnit <= head + capacity;  // reserve() takes head_ along over a restart's gap
}

// Drops the oldest entry unless the consumer takes it first. False when there is none.
bool Ring::steal_oldest() {
  std::uint64_t head = head_.load(std::memory_order_seq_cst);
  if (head == tail_.load(std::memory_order_relaxed)) return false;
  const Header oldest = header_at(head);  // written by this thread; stays until this thread overwrites it
  if (head_.compare_exchange_strong(head, head + oldest.units * kUnit, std::memory_order_seq_cst) &&
      (oldest.flags & kSkip) == 0)
    dropped_[static_cast<std::size_t>(DropReason::oldest)].add(oldest.points, oldest.home_points);
  return true;
}

bool Ring::wait_for_room(std::uint64_t bytes, std::uint64_t& start, DropReason& reason) {
  SystemClock clock;  // a limit on blocking a real thread: real time, whatever the samples' clock
  const Nanos now = clock.monotonic();
  const Nanos until = block_at_most_ > kNever - now ? kNever : now + block_at_most_;
  for (;;) {
    const std::uint32_t prepared = room_.prepare();
    const bool fits = place(bytes, start);
    const bool stopping = stopping_.load(std::memory_order_seq_cst);
    const Nanos left = until - clock.monotonic();
    if (fits || stopping || left <= 0) {
      room_.cancel();
      reason = stopping ? DropReason::stopping : DropReason::blocked_too_long;
      return fits;
    }
    room_.wait(prepared, left);
  }
}

bool Ring::make_room(std::uint64_t bytes, std::uint64_t& start, DropReason& reason) {
  if (place(bytes, start)) return true;
  reason = DropReason::newest;
  switch (when_full_) {
    case WhenFull::drop_newest:
      return false;
    case WhenFull::block:
      return wait_for_room(bytes, start, reason);
    case WhenFull::drop_oldest:
      while (steal_oldest())
        if (place(bytes, start)) return true;
      return place(bytes, start);
  }
  return false;
}

std::uint64_t Ring::bytes_of(const Shape& shape) {
  const std::uint64_t n = shape.points;
  return padded(sizeof(Header) + n * sizeof(double) + (shape.times ? n * sizeof(Nanos) : 0) +
                    (shape.rows ? padded(n * sizeof(SignalId), 8) : 0) + (shape.qualities ? n : 0),
                kUnit);
}

bool Ring::has_room(const Shape& shape) const {
  std::uint64_t start = 0;
  return place(bytes_of(shape), start);
}

bool Ring::reserve(const Shape& shape, Draft& draft) {
  ALARA_ASSERT(shape.points <= max_points_, "a batch larger than the ring allows");
  const std::uint64_t n = shape.points;
  const std::uint64_t bytes = bytes_of(shape);
  std::uint64_t start = 0;
  DropReason reason{};
  if (!make_room(bytes, start, reason)) {
    dropped_[static_cast<std::size_t>(reason)].add(shape.points, shape.home_points);
    return false;
  }
  if (const std::uint64_t tail = tail_.load(std::memory_order_relaxed); start != tail) {
    Header& gap = header_at(tail);
    gap.units = static_cast<std::uint32_t>((start - tail) / kUnit);
    gap.flags = kSkip;
    // An empty ring: the gap must not take room until the consumer has passed it.
    if (std::uint64_t head = head_.load(std::memory_order_seq_cst); head == tail) {
      tail_.store(start, std::memory_order_seq_cst);
      head_.compare_exchange_strong(head, start, std::memory_order_seq_cst);  // else the consumer has taken the gap
    }
  }
  Header& header = header_at(start);
  header.units = static_cast<std::uint32_t>(bytes / kUnit);
  header.points = static_cast<std::uint32_t>(n);
  header.home_points = static_cast<std::uint32_t>(shape.home_points);
  header.flags = (shape.rows ? kRows : 0) | (shape.times ? kTimes : 0) | (shape.qualities ? kQualities : 0);
  reserved_start_ = start;
  reserved_end_ = start + bytes;

  std::byte* at = reinterpret_cast<std::byte*>(&header + 1);
  draft.value = {reinterpret_cast<double*>(at), n};
  at += draft.value.size_bytes();
  draft.time = {reinterpret_cast<Nanos*>(at), shape.times ? n : 0};
  at += draft.time.size_bytes();
  draft.signal = {reinterpret_cast<SignalId*>(at), shape.rows ? n : 0};
  at += padded(draft.signal.size_bytes(), 8);
  draft.quality = {reinterpret_cast<Quality*>(at), shape.qualities ? n : 0};
  return true;
}

void Ring::commit(const Draft& draft) {
  Header& header = header_at(reserved_start_);
  header.block_signal = index_of(draft.block_signal);
  header.greatest_signal = draft.greatest_signal;
  header.time0 = draft.time0;
  header.step = draft.step;
  header.arrival = draft.arrival;
  put_.add(header.points, header.home_points);
  tail_.store(reserved_end_, std::memory_order_seq_cst);
  consumer_.tell();
}

void Ring::stop() {
  stopping_.store(true, std::memory_order_seq_cst);
  room_.tell();
}

bool Ring::front(Entry& entry) {
  std::uint64_t head = 0;
  for (;;) {
    head = head_.load(std::memory_order_seq_cst);
    if (head == tail_.load(std::memory_order_seq_cst)) {
      pinned_.store(kUnpinned, std::memory_order_release);
      return false;
    }
    pinned_.store(head, std::memory_order_seq_cst);
    if (head_.load(std::memory_order_seq_cst) != head) continue;
    const Header& header = header_at(head);
    const std::uint64_t next = head + header.units * kUnit;
    const bool skip = (header.flags & kSkip) != 0;
    if (head_.compare_exchange_strong(head, next, std::memory_order_seq_cst) && !skip) {
      head = next - header.units * kUnit;
      break;
    }
  }
  const Header& header = header_at(head);
  const std::size_t n = header.points;
  taken_points_ = n;
  taken_home_ = header.home_points;
  const std::byte* at = reinterpret_cast<const std::byte*>(&header + 1);
  Batch& batch = entry.batch;
  batch.value = {reinterpret_cast<const double*>(at), n};
  at += n * sizeof(double);
  batch.time = {reinterpret_cast<const Nanos*>(at), (header.flags & kTimes) != 0 ? n : 0};
  at += batch.time.size_bytes();
  batch.signal = {reinterpret_cast<const SignalId*>(at), (header.flags & kRows) != 0 ? n : 0};
  at += padded(batch.signal.size_bytes(), 8);
  batch.quality = {reinterpret_cast<const Quality*>(at), (header.flags & kQualities) != 0 ? n : 0};
  batch.block_signal = SignalId{header.block_signal};
  batch.time0 = header.time0;
  batch.step = header.step;
  batch.arrival = header.arrival;
  entry.greatest_signal = header.greatest_signal;
  return true;
}

void Ring::pop() {
  taken_.add(taken_points_, taken_home_);
  pinned_.store(kUnpinned, std::memory_order_seq_cst);
  room_.tell();
}

RingAccount Ring::account() const {
  RingAccount account;
  // Taken is read before put: while both sides run, `buffered` can then only be too large, never negative.
  account.taken = taken_.all.get();
  account.home_taken = taken_.home.get();
  std::uint64_t refused = 0, home_refused = 0;
  for (std::size_t i = 0; i < kDropReasons; ++i) {
    account.dropped[i] = dropped_[i].all.get();
    account.home_dropped[i] = dropped_[i].home.get();
    if (i == static_cast<std::size_t>(DropReason::oldest)) continue;
    refused += account.dropped[i];
    home_refused += account.home_dropped[i];
  }
  const std::size_t oldest = static_cast<std::size_t>(DropReason::oldest);
  const std::uint64_t put = put_.all.get(), home_put = put_.home.get();
  account.buffered = put - account.taken - account.dropped[oldest];
  account.home_buffered = home_put - account.home_taken - account.home_dropped[oldest];
  account.offered = put + refused;
  account.home_offered = home_put + home_refused;
  return account;
}

}  // namespace alara::flow
