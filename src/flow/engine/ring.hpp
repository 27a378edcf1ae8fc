// SPDX-License-Identifier: Apache-2.0
// A bounded ring of batches from one connector to one shard: one contiguous buffer, allocated once; the producer writes
// a batch's columns into it, the consumer views them in place. What happens when it is full is declared, and counted.
//
// Safety rules. One producer thread, one consumer thread.
//  - Positions are byte offsets that only rise; position p lives at buffer[p mod capacity]. Entries are multiples of
//    64 bytes and contiguous; gaps (end of the buffer, or a jump over the pinned entry) are entries marked as skips.
//  - [head_, tail_) are the entries not yet taken. tail_ is moved by the producer only. head_ moves by
//  compare-and-swap:
//    by the consumer when it takes the oldest entry, by the producer when it drops it (drop_oldest). Whoever wins
//    owns the entry.
//  - pinned_ is the position the consumer is looking at. It stores pinned_ = p, then checks head_ == p; the producer
//  moves
//    head_, then reads pinned_ (all sequentially consistent): so either the producer sees the pin and keeps off those
//    bytes, or the consumer sees that the entry is gone. Only then does the consumer read the entry's header.
//  - At least one 64-byte header stays free in front of head_ and of the pinned entry, so a skip can always be written.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "base/clock.hpp"
#include "core/sample.hpp"
#include "flow/engine/counter.hpp"
#include "flow/engine/wake.hpp"

namespace alara::flow {

enum class WhenFull : std::uint8_t {
  block,        // the connector waits; after `block_at_most`, or when stopping, the new batch is dropped
  drop_newest,  // the arriving batch is dropped
  drop_oldest,  // the oldest batches not being read are dropped until the new one fits
};

enum class DropReason : std::uint8_t { newest, oldest, blocked_too_long, stopping };
inline constexpr std::size_t kDropReasons = 4;
[[nodiscard]] std::string_view name_of(DropReason reason);

struct RingOptions {
  std::size_t bytes = std::size_t{1} << 20;  // rounded up to a power of two; 20 bytes a point and 64 a batch
  WhenFull when_full = WhenFull::block;
  Nanos block_at_most = 200 * kMillisecond;  // kNever for finite sources that may be slowed down
};

// Points by fate, at one moment. Exact when producer and consumer are quiet: offered == taken + buffered + all dropped.
// `home` counts the points for which this ring is the one that the connector's own account follows.
struct RingAccount {
  std::uint64_t offered = 0, taken = 0, buffered = 0;
  std::uint64_t home_offered = 0, home_taken = 0, home_buffered = 0;
  std::array<std::uint64_t, kDropReasons> dropped{}, home_dropped{};
};

class Ring {
 public:
  // `consumer` is told after each commit; it outlives the ring.
  Ring(const RingOptions& options, Wake& consumer);

  struct Shape {
    std::size_t points = 0;
    std::size_t home_points = 0;
    bool rows = false, times = false, qualities = false;  // which columns there are
  };
  // The columns of an entry being written; empty where the shape has none.
  struct Draft {
    std::span<SignalId> signal;
    std::span<double> value;
    std::span<Nanos> time;
    std::span<Quality> quality;
    // Plain fields of the batch, to be set before commit().
    SignalId block_signal{};
    Nanos time0 = 0, step = 0, arrival = 0;
    std::uint32_t greatest_signal = 0;
  };
  struct Entry {
    Batch batch;  // borrowed from the ring until pop()
    std::uint32_t greatest_signal = 0;
  };

  // Producer. Room for at most max_points(); false when dropped (counted). When true, commit() must follow.
  [[nodiscard]] bool reserve(const Shape& shape, Draft& draft);
  void commit(const Draft& draft);
  [[nodiscard]] bool has_room(const Shape& shape) const;  // now, without dropping or waiting
  [[nodiscard]] std::size_t max_points() const { return max_points_; }
  // Makes waiting and future blocked producers give up. Any thread.
  void stop();
  void resume() { stopping_.store(false, std::memory_order_seq_cst); }

  // Consumer. The oldest entry, or false when there is none; pop() ends its use.
  [[nodiscard]] bool front(Entry& entry);
  void pop();
  // True when nothing is waiting. Sequentially consistent: may stand between Wake::prepare() and wait().
  [[nodiscard]] bool empty() const {
    return head_.load(std::memory_order_seq_cst) == tail_.load(std::memory_order_seq_cst);
  }

  [[nodiscard]] RingAccount account() const;
  [[nodiscard]] std::size_t bytes() const { return mask_ + 1; }

 private:
  struct Header;
  static constexpr std::uint64_t kUnpinned = UINT64_MAX;
  static constexpr std::uint64_t kUnit = 64;

  [[nodiscard]] Header& header_at(std::uint64_t position) const;
  [[nodiscard]] static std::uint64_t bytes_of(const Shape& shape);
  [[nodiscard]] bool place(std::uint64_t bytes, std::uint64_t& start) const;
  [[nodiscard]] bool steal_oldest();
  [[nodiscard]] bool make_room(std::uint64_t bytes, std::uint64_t& start, DropReason& reason);
  [[nodiscard]] bool wait_for_room(std::uint64_t bytes, std::uint64_t& start, DropReason& reason);

  struct Free {
    void operator()(std::byte* bytes) const;
  };
  const std::uint64_t mask_;
  const WhenFull when_full_;
  const Nanos block_at_most_;
  const std::size_t max_points_;
  std::unique_ptr<std::byte[], Free> buffer_;
  Wake& consumer_;

  struct Points {
    Counter all, home;
    void add(std::uint64_t points, std::uint64_t home_points) {
      all.add(points);
      home.add(home_points);
    }
  };

  // Producer's.
  alignas(64) std::atomic<std::uint64_t> tail_{0};
  std::uint64_t reserved_start_ = 0, reserved_end_ = 0;
  Points put_;
  std::array<Points, kDropReasons> dropped_;
  std::atomic<bool> stopping_{false};
  Wake room_;

  // Consumer's.
  alignas(64) std::atomic<std::uint64_t> pinned_{kUnpinned};
  std::uint64_t taken_points_ = 0, taken_home_ = 0;
  Points taken_;

  alignas(64) std::atomic<std::uint64_t> head_{0};
};

}  // namespace alara::flow
