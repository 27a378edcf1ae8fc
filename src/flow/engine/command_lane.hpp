// SPDX-License-Identifier: Apache-2.0
// The way of commands from shards to one connector and of acks back. Each shard has its own lane, a pair of bounded
// queues; the connector sees them united as one CommandInbox with one eventfd (doorbell.hpp).
#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "core/connector.hpp"
#include "flow/engine/counter.hpp"
#include "flow/engine/doorbell.hpp"
#include "flow/engine/inlet.hpp"
#include "flow/engine/spsc_queue.hpp"
#include "flow/engine/wake.hpp"

namespace alara::flow {

// Command ids carry their shard in the highest bits, so that acks find their way back; within a shard they rise.
inline constexpr int kShardBitsAt = 56;
inline std::size_t shard_of(CommandId id) { return static_cast<std::uint64_t>(id) >> kShardBitsAt; }

class EngineInbox;

class CommandLane {
 public:
  CommandLane(std::size_t capacity, EngineInbox& inbox, Wake& shard);

  // The shard's thread.
  bool send(const Command& command);  // false when full
  bool next_ack(Ack& ack) { return acks_.pop(ack); }
  [[nodiscard]] bool has_acks() const { return !acks_.empty(); }

 private:
  friend class EngineInbox;
  SpscQueue<Command> commands_;
  SpscQueue<Ack> acks_;
  EngineInbox& inbox_;
  Wake& shard_;
};

class EngineInbox final : public CommandInbox {
 public:
  // `capacity`: commands waiting per shard; acks have room for four times as many.
  [[nodiscard]] static Result<std::unique_ptr<EngineInbox>> create(std::size_t capacity = 256);
  ~EngineInbox() override;

  // Control thread: the lane of shard `shard`, made at the first call.
  CommandLane& lane_of(std::size_t shard, Wake& wake);
  [[nodiscard]] CommandLane* existing_lane_of(std::size_t shard) const {
    return lanes_[shard].load(std::memory_order_acquire);
  }

  // CommandInbox: the connector's thread.
  [[nodiscard]] bool pop(Command& command) override;
  [[nodiscard]] int event_fd() const override { return bell_.event_fd(); }
  void acknowledge(const Ack& ack) override;

  [[nodiscard]] std::uint64_t lost_acks() const {
    return lost_acks_.get();
  }  // for commands nobody sent, or twice too many

 private:
  friend class CommandLane;
  EngineInbox(int event_fd, std::size_t capacity) : bell_(event_fd), capacity_(capacity) {}
  [[nodiscard]] bool pop_any(Command& command);

  Doorbell bell_;
  const std::size_t capacity_;
  std::array<std::atomic<CommandLane*>, kMaxShards> lanes_{};
  std::size_t next_ = 0;  // lane to look at first: none starves
  Counter lost_acks_;
};

}  // namespace alara::flow
