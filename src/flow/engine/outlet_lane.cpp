// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/outlet_lane.hpp"

namespace alara::flow {

bool OutletLane::hand_out(const OutletSample& sample) {
  published_.add();
  if (!samples_.push(sample)) {
    full_.add();
    return false;
  }
  outlets_.bell_.ring();
  return true;
}

std::uint64_t OutletAccount::unaccounted() const {
  std::uint64_t known = delivered + buffered;
  for (const auto& [reason, values] : dropped) known += values;
  return published > known ? published - known : known - published;
}

Result<std::unique_ptr<EngineOutlets>> EngineOutlets::create(std::size_t capacity) {
  ALARA_TRY(const int fd, Doorbell::open());
  return std::unique_ptr<EngineOutlets>(new EngineOutlets(fd, capacity));
}

EngineOutlets::~EngineOutlets() {
  for (auto& lane : lanes_) delete lane.load();
}

OutletLane& EngineOutlets::lane_of(std::size_t shard) {
  ALARA_ASSERT(shard < kMaxShards, "too many shards");
  if (OutletLane* lane = existing_lane_of(shard)) return *lane;
  OutletLane* lane = new OutletLane(capacity_, *this);
  lanes_[shard].store(lane, std::memory_order_release);
  return *lane;
}

bool EngineOutlets::pop_any(OutletSample& sample) {
  for (std::size_t i = 0; i < kMaxShards; ++i) {
    const std::size_t at = (next_ + i) % kMaxShards;
    OutletLane* lane = existing_lane_of(at);
    if (lane == nullptr || !lane->samples_.pop(sample)) continue;
    next_ = at + 1;
    popped_.add();
    return true;
  }
  return false;
}

bool EngineOutlets::pop(OutletSample& sample) {
  if (pop_any(sample)) return true;
  bell_.quiet();
  return pop_any(sample);
}

OutletAccount EngineOutlets::account() const {
  OutletAccount account;
  account.delivered = delivered_.get();
  dropped_.append_to(account.dropped);
  const std::uint64_t settled = account.delivered + dropped_.sum(), popped = popped_.get();
  account.buffered = popped > settled ? popped - settled : 0;
  std::uint64_t full = 0;
  for (std::size_t shard = 0; shard < kMaxShards; ++shard) {
    const OutletLane* lane = existing_lane_of(shard);
    if (lane == nullptr) continue;
    account.buffered += lane->samples_.size();
    full += lane->full_.get();
    account.published += lane->published_.get();
  }
  if (full != 0) account.dropped.emplace_back("queue_full", full);
  return account;
}

}  // namespace alara::flow
