// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/inlet.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "flow/engine/columns.hpp"

namespace alara::flow {
namespace {

// The event time of the last sample of a regular batch; false when it does not fit a Nanos.
bool regular_end(const Batch& batch, Nanos& end) {
  Nanos span = 0;
  return !__builtin_mul_overflow(batch.step, static_cast<Nanos>(batch.size()), &span) &&
         !__builtin_add_overflow(batch.time0, span - batch.step, &end);
}

Batch part_of(const Batch& batch, std::size_t first, std::size_t count) {
  Batch part = batch;
  if (!batch.is_block()) part.signal = batch.signal.subspan(first, count);
  part.value = batch.value.subspan(first, count);
  if (batch.time.empty())
    part.time0 = batch.time_at(first);
  else
    part.time = batch.time.subspan(first, count);
  if (!batch.quality.empty()) part.quality = batch.quality.subspan(first, count);
  return part;
}

template <typename T>
void copy_column(std::span<const T> from, std::span<T> to) {
  if (!to.empty()) std::memcpy(to.data(), from.data(), to.size_bytes());
}

std::size_t home_of(ShardMask mask) { return static_cast<std::size_t>(std::countr_zero(mask)); }

}  // namespace

std::uint64_t InletAccount::rejected_points() const {
  std::uint64_t sum = 0;
  for (const auto& [reason, points] : rejected) sum += points;
  return sum;
}

std::uint64_t InletAccount::dropped_points() const {
  std::uint64_t sum = 0;
  for (const auto& [reason, points] : dropped) sum += points;
  return sum;
}

ConnectorInlet::ConnectorInlet(InletOptions options, const Clock& clock, LatestValues& latest)
    : options_(std::move(options)), clock_(clock), latest_(latest), table_(std::make_unique<Table>()) {}

ConnectorInlet::~ConnectorInlet() {
  delete next_table_.load();
  delete retired_table_.load();
  for (auto& ring : rings_) delete ring.load();
}

Ring& ConnectorInlet::ring_to(std::size_t shard, Wake& consumer) {
  ALARA_ASSERT(shard < kMaxShards, "too many shards");
  if (Ring* ring = existing_ring_to(shard)) return *ring;
  Ring* ring = new Ring(options_.ring, consumer);
  rings_[shard].store(ring, std::memory_order_release);
  return *ring;
}

void ConnectorInlet::route(std::vector<ShardMask> shards_of_signal, std::span<const SignalId> own) {
  auto table = std::make_unique<Table>();
  if (!own.empty()) table->common = shards_of_signal[index_of(own.front())];
  table->uniform =
      std::all_of(own.begin(), own.end(), [&](SignalId id) { return shards_of_signal[index_of(id)] == table->common; });
  table->shards = std::move(shards_of_signal);
  delete retired_table_.exchange(nullptr, std::memory_order_acq_rel);
  delete next_table_.exchange(table.release(), std::memory_order_acq_rel);
}

// The used table goes back to the control thread, which frees it; should it not have fetched the previous one yet, that
// one is freed here (a reload is no hot path).
void ConnectorInlet::take_new_table() {
  Table* next = next_table_.exchange(nullptr, std::memory_order_acq_rel);
  if (next == nullptr) return;
  delete retired_table_.exchange(table_.release(), std::memory_order_acq_rel);
  table_.reset(next);
}

void ConnectorInlet::stop() {
  for (auto& slot : rings_)
    if (Ring* ring = slot.load(std::memory_order_acquire)) ring->stop();
}

void ConnectorInlet::resume() {
  for (auto& slot : rings_)
    if (Ring* ring = slot.load(std::memory_order_acquire)) ring->resume();
}

void ConnectorInlet::push(const Batch& batch) {
  const std::size_t n = batch.size();
  ALARA_ASSERT((batch.is_block() || batch.signal.size() == n) && (batch.time.empty() || batch.time.size() == n) &&
                   (batch.quality.empty() || batch.quality.size() == n),
               "a batch whose columns differ in length");
  if (n == 0) return;
  if (next_table_.load(std::memory_order_relaxed) != nullptr) take_new_table();
  Batch checked = batch;
  std::uint32_t greatest = batch.is_block() ? index_of(batch.block_signal) : greatest_id(batch.signal);
  if (greatest >= table_->shards.size() && !leave_out_unknown(checked, greatest)) return;
  if (!hold_to_wall_clock(checked)) return reject("bad_time", checked.size());
  accepted_.add(checked.size());
  write_latest(checked);
  if (checked.is_block())
    push_block(checked);
  else
    push_rows(checked, greatest);
}

// Rejects the samples of ids that the table does not have; false when none is left.
bool ConnectorInlet::leave_out_unknown(Batch& batch, std::uint32_t& greatest) {
  Nanos end = 0;
  const bool spell_out = !batch.time.empty() || batch.step != 0;
  if (batch.time.empty() && !regular_end(batch, end)) {
    reject("bad_time", batch.size());
    return false;
  }
  known_.signal.clear();
  known_.value.clear();
  known_.time.clear();
  known_.quality.clear();
  for (std::size_t i = 0; i < batch.signal.size(); ++i) {
    if (index_of(batch.signal[i]) >= table_->shards.size()) continue;
    known_.signal.push_back(batch.signal[i]);
    known_.value.push_back(batch.value[i]);
    if (spell_out) known_.time.push_back(batch.time_at(i));
    if (!batch.quality.empty()) known_.quality.push_back(batch.quality[i]);
  }
  reject("unknown_signal", batch.size() - known_.signal.size());
  if (known_.signal.empty()) return false;
  greatest = greatest_id(known_.signal);
  batch.signal = known_.signal;
  batch.value = known_.value;
  batch.time = known_.time;
  batch.quality = known_.quality;
  return true;
}

// Replaces event times too far ahead; false when a regular batch's times overflow.
bool ConnectorInlet::hold_to_wall_clock(Batch& batch) {
  const std::size_t n = batch.size();
  Nanos end = 0;
  if (!batch.time.empty())
    end = greatest_time(batch.time);
  else if (!regular_end(batch, end))
    return false;
  if (!options_.live) return true;
  const Nanos now = clock_.wall();
  const Nanos limit = options_.max_skew > kNever - now ? kNever : now + options_.max_skew;
  if (end <= limit && (!batch.time.empty() || batch.time0 <= limit)) return true;

  qualities_.assign(n, Quality::good);
  if (!batch.quality.empty()) std::copy(batch.quality.begin(), batch.quality.end(), qualities_.begin());
  std::size_t replaced = 0;
  if (batch.time.empty()) {  // moved as a whole: the step between samples stays true
    batch.time0 = batch.step < 0 ? now : now - (end - batch.time0);
    for (Quality& quality : qualities_) quality = std::max(quality, Quality::uncertain);
    replaced = n;
  } else {
    times_.assign(batch.time.begin(), batch.time.end());
    for (std::size_t i = 0; i < n; ++i) {
      if (times_[i] <= limit) continue;
      times_[i] = now;
      qualities_[i] = std::max(qualities_[i], Quality::uncertain);
      ++replaced;
    }
    batch.time = times_;
  }
  batch.quality = qualities_;
  skewed_.add(replaced);
  return true;
}

void ConnectorInlet::write_latest(const Batch& batch) {
  const std::size_t n = batch.size();
  if (batch.is_block()) {
    latest_.write(batch.block_signal, batch.value[n - 1], batch.time_at(n - 1), batch.quality_at(n - 1));
    return;
  }
  for (std::size_t i = 0; i < n; ++i)
    latest_.write(batch.signal[i], batch.value[i], batch.time_at(i), batch.quality_at(i));
}

void ConnectorInlet::push_block(const Batch& batch) {
  send_whole(batch, table_->shards[index_of(batch.block_signal)], index_of(batch.block_signal));
}

void ConnectorInlet::push_rows(const Batch& batch, std::uint32_t greatest) {
  const ShardMask* shards = table_->shards.data();
  if (table_->uniform) return send_whole(batch, table_->common, greatest);
  ShardMask any = 0, all = 0xff;
  for (const SignalId id : batch.signal) {
    any |= shards[index_of(id)];
    all &= shards[index_of(id)];
  }
  if (any == all)
    send_whole(batch, any, greatest);
  else
    push_mixed(batch, any, greatest);
}

// All samples go to all shards in `mask`.
void ConnectorInlet::send_whole(const Batch& batch, ShardMask mask, std::uint32_t greatest) {
  if (mask == 0) return unused_.add(batch.size());
  for (ShardMask left = mask; left != 0; left &= static_cast<ShardMask>(left - 1)) {
    const std::size_t shard = home_of(left);
    Ring& ring = *existing_ring_to(shard);
    for (std::size_t first = 0; first < batch.size(); first += ring.max_points()) {
      const Batch part = part_of(batch, first, std::min(ring.max_points(), batch.size() - first));
      copy_to(ring, part, shard == home_of(mask) ? part.size() : 0, greatest);
    }
  }
}

bool ConnectorInlet::reserve(Ring& ring, const Ring::Shape& shape, Ring::Draft& draft) {
  if (make_room_ && options_.ring.when_full == WhenFull::block && !ring.has_room(shape)) make_room_();
  return ring.reserve(shape, draft);
}

void ConnectorInlet::copy_to(Ring& ring, const Batch& part, std::size_t home_points, std::uint32_t greatest) {
  Ring::Draft draft;
  const Ring::Shape shape{part.size(), home_points, !part.is_block(), !part.time.empty(), !part.quality.empty()};
  if (!reserve(ring, shape, draft)) return;
  copy_column(part.value, draft.value);
  copy_column(part.time, draft.time);
  copy_column(part.signal, draft.signal);
  copy_column(part.quality, draft.quality);
  draft.block_signal = part.block_signal;
  draft.time0 = part.time0;
  draft.step = part.step;
  draft.arrival = part.arrival;
  draft.greatest_signal = greatest;
  ring.commit(draft);
}

// Samples of one batch go different ways: list each shard's, then copy them column by column.
void ConnectorInlet::push_mixed(const Batch& batch, ShardMask any, std::uint32_t greatest) {
  const ShardMask* shards = table_->shards.data();
  for (auto& list : chosen_) list.clear();
  std::uint64_t unused = 0;
  for (std::uint32_t i = 0; i < batch.size(); ++i) {
    ShardMask left = shards[index_of(batch.signal[i])];
    unused += left == 0;
    for (; left != 0; left &= static_cast<ShardMask>(left - 1)) chosen_[home_of(left)].push_back(i);
  }
  unused_.add(unused);
  for (ShardMask left = any; left != 0; left &= static_cast<ShardMask>(left - 1)) {
    const std::size_t shard = home_of(left);
    Ring& ring = *existing_ring_to(shard);
    const std::span<const std::uint32_t> all = chosen_[shard];
    for (std::size_t first = 0; first < all.size(); first += ring.max_points()) {
      const auto list = all.subspan(first, std::min(ring.max_points(), all.size() - first));
      std::size_t home_points = 0;
      for (const std::uint32_t i : list) home_points += home_of(shards[index_of(batch.signal[i])]) == shard;
      Ring::Draft draft;
      if (!reserve(ring, {list.size(), home_points, true, true, !batch.quality.empty()}, draft)) continue;
      for (std::size_t k = 0; k < list.size(); ++k) {
        draft.signal[k] = batch.signal[list[k]];
        draft.value[k] = batch.value[list[k]];
        draft.time[k] = batch.time_at(list[k]);
      }
      for (std::size_t k = 0; k < draft.quality.size(); ++k) draft.quality[k] = batch.quality[list[k]];
      draft.arrival = batch.arrival;
      draft.greatest_signal = greatest;
      ring.commit(draft);
    }
  }
}

InletAccount ConnectorInlet::account() const {
  InletAccount account;
  std::array<std::uint64_t, kDropReasons> dropped{};
  for (const auto& slot : rings_) {
    const Ring* ring = slot.load(std::memory_order_acquire);
    if (ring == nullptr) continue;
    const RingAccount of_ring = ring->account();
    account.delivered += of_ring.home_taken;
    account.buffered += of_ring.home_buffered;
    for (std::size_t i = 0; i < kDropReasons; ++i) dropped[i] += of_ring.home_dropped[i];
  }
  account.unused = unused_.get();
  account.delivered += account.unused;
  account.skewed = skewed_.get();
  account.accepted = accepted_.get();
  for (std::size_t i = 0; i < kDropReasons; ++i)
    if (dropped[i] != 0) account.dropped.emplace_back(name_of(static_cast<DropReason>(i)), dropped[i]);
  rejected_.append_to(account.rejected);
  account.received = account.accepted + account.rejected_points();
  return account;
}

}  // namespace alara::flow
