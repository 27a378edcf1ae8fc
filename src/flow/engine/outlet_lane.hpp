// SPDX-License-Identifier: Apache-2.0
// The way of published values from shards to one connector: a bounded queue from each shard, united as one OutletQueue.
//
// The account, exact whenever the shards and the connector's thread are quiet:
//     published = delivered + buffered + dropped{reason}
// Buffered is what waits in the queues and what the connector has taken and not settled yet.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/connector.hpp"
#include "flow/engine/counter.hpp"
#include "flow/engine/doorbell.hpp"
#include "flow/engine/inlet.hpp"
#include "flow/engine/reasons.hpp"
#include "flow/engine/spsc_queue.hpp"

namespace alara::flow {

class EngineOutlets;

class OutletLane {
 public:
  OutletLane(std::size_t capacity, EngineOutlets& outlets) : samples_(capacity), outlets_(outlets) {}

  // The shard's thread. False when the queue is full: counted as dropped{queue_full}.
  bool hand_out(const OutletSample& sample);

 private:
  friend class EngineOutlets;
  SpscQueue<OutletSample> samples_;
  Counter published_, full_;
  EngineOutlets& outlets_;
};

struct OutletAccount {
  std::uint64_t published = 0, delivered = 0, buffered = 0;
  std::vector<std::pair<std::string, std::uint64_t>> dropped;
  [[nodiscard]] std::uint64_t unaccounted() const;  // 0 when the law holds
};

class EngineOutlets final : public OutletQueue {
 public:
  // `capacity`: values waiting per shard.
  [[nodiscard]] static Result<std::unique_ptr<EngineOutlets>> create(std::size_t capacity = 4096);
  ~EngineOutlets() override;

  // Control thread: the lane of shard `shard`, made at the first call.
  OutletLane& lane_of(std::size_t shard);

  // OutletQueue: the connector's thread.
  [[nodiscard]] bool pop(OutletSample& sample) override;
  [[nodiscard]] int event_fd() const override { return bell_.event_fd(); }
  void delivered(std::uint64_t values) override { delivered_.add(values); }
  void dropped(std::string_view reason, std::uint64_t values) override { dropped_.add(reason, values); }

  [[nodiscard]] OutletAccount account() const;  // any thread

 private:
  friend class OutletLane;
  EngineOutlets(int event_fd, std::size_t capacity) : bell_(event_fd), capacity_(capacity) {}
  [[nodiscard]] OutletLane* existing_lane_of(std::size_t shard) const {
    return lanes_[shard].load(std::memory_order_acquire);
  }
  [[nodiscard]] bool pop_any(OutletSample& sample);

  Doorbell bell_;
  const std::size_t capacity_;
  std::array<std::atomic<OutletLane*>, kMaxShards> lanes_{};
  std::size_t next_ = 0;  // lane to look at first: none starves
  Counter popped_, delivered_;
  Reasons dropped_;
};

}  // namespace alara::flow
