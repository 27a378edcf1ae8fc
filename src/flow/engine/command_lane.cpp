// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/command_lane.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace alara::flow {

CommandLane::CommandLane(std::size_t capacity, EngineInbox& inbox, Wake& shard)
    : commands_(capacity), acks_(capacity * 4), inbox_(inbox), shard_(shard) {}

bool CommandLane::send(const Command& command) {
  if (!commands_.push(command)) return false;
  inbox_.signal();
  return true;
}

Result<std::unique_ptr<EngineInbox>> EngineInbox::create(std::size_t capacity) {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) return fail(ErrorKind::exhausted, "can not make an eventfd: {}", std::strerror(errno));
  return std::unique_ptr<EngineInbox>(new EngineInbox(fd, capacity));
}

EngineInbox::~EngineInbox() {
  for (auto& lane : lanes_) delete lane.load();
  close(event_fd_);
}

CommandLane& EngineInbox::lane_of(std::size_t shard, Wake& wake) {
  ALARA_ASSERT(shard < kMaxShards, "too many shards");
  if (CommandLane* lane = existing_lane_of(shard)) return *lane;
  CommandLane* lane = new CommandLane(capacity_, *this, wake);
  lanes_[shard].store(lane, std::memory_order_release);
  return *lane;
}

void EngineInbox::signal() {
  if (signalled_.exchange(true, std::memory_order_seq_cst)) return;
  const std::uint64_t one = 1;
  // Can only fail when the counter would overflow, and then the descriptor is readable anyway.
  static_cast<void>(!write(event_fd_, &one, sizeof one));
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

// When empty, the signal is taken back before the last look, so a command pushed meanwhile signals anew or is seen.
bool EngineInbox::pop(Command& command) {
  if (pop_any(command)) return true;
  std::uint64_t count = 0;
  static_cast<void>(!read(event_fd_, &count, sizeof count));
  signalled_.store(false, std::memory_order_seq_cst);
  return pop_any(command);
}

void EngineInbox::acknowledge(const Ack& ack) {
  const std::size_t shard = shard_of(ack.command);
  CommandLane* lane = shard < kMaxShards ? existing_lane_of(shard) : nullptr;
  if (lane == nullptr || !lane->acks_.push(ack)) return lost_acks_.add();
  lane->shard_.tell();
}

}  // namespace alara::flow
