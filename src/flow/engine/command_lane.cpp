// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/command_lane.hpp"

namespace alara::flow {

CommandLane::CommandLane(std::size_t capacity, EngineInbox& inbox, Wake& shard)
    : commands_(capacity), acks_(capacity * 4), inbox_(inbox), shard_(shard) {}

bool CommandLane::send(const Command& command) {
  if (!commands_.push(command)) return false;
  inbox_.bell_.ring();
  return true;
}

Result<std::unique_ptr<EngineInbox>> EngineInbox::create(std::size_t capacity) {
  ALARA_TRY(const int fd, Doorbell::open());
  return std::unique_ptr<EngineInbox>(new EngineInbox(fd, capacity));
}

EngineInbox::~EngineInbox() {
  for (auto& lane : lanes_) delete lane.load();
}

CommandLane& EngineInbox::lane_of(std::size_t shard, Wake& wake) {
  ALARA_ASSERT(shard < kMaxShards, "too many shards");
  if (CommandLane* lane = existing_lane_of(shard)) return *lane;
  CommandLane* lane = new CommandLane(capacity_, *this, wake);
  lanes_[shard].store(lane, std::memory_order_release);
  return *lane;
}

bool EngineInbox::pop_any(Command& command) {
  for (std::size_t i = 0; i < kMaxShards; ++i) {
    const std::size_t at = (next_ + i) % kMaxShards;
    CommandLane* lane = existing_lane_of(at);
    if (lane == nullptr || !lane->commands_.pop(command)) continue;
    next_ = at + 1;
    return true;
  }
  return false;
}

bool EngineInbox::pop(Command& command) {
  if (pop_any(command)) return true;
  bell_.quiet();
  return pop_any(command);
}

void EngineInbox::acknowledge(const Ack& ack) {
  const std::size_t shard = shard_of(ack.command);
  CommandLane* lane = shard < kMaxShards ? existing_lane_of(shard) : nullptr;
  if (lane == nullptr || !lane->acks_.push(ack)) return lost_acks_.add();
  lane->shard_.tell();
}

}  // namespace alara::flow
