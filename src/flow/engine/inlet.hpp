// SPDX-License-Identifier: Apache-2.0
// The way of one connector's samples into the engine: checks them, keeps the newest values, and copies each sample into
// the ring of every shard that uses its signal.
//
// The account, exact whenever the connector's thread and the shards are quiet:
//     received  = accepted + rejected{reason}
//     accepted  = delivered + buffered + dropped{reason}
// A sample that several shards use is counted once here: its fate is that of its copy for its home shard, the lowest
// numbered shard that uses it (give fast lanes the low numbers). A sample that no shard uses is delivered when it has
// been written to LatestValues. Each ring keeps the same law for its own copies (rings()).
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/connector.hpp"
#include "flow/engine/latest.hpp"
#include "flow/engine/reasons.hpp"
#include "flow/engine/ring.hpp"

namespace alara::flow {

inline constexpr std::size_t kMaxShards = 8;
using ShardMask = std::uint8_t;

struct InletOptions {
  std::string name;               // of the connector, for reports
  bool live = true;               // event times are held against the wall clock; false for replays
  Nanos max_skew = 10 * kSecond;  // a later event time than this ahead of the wall clock is replaced by the wall time
  RingOptions ring = {};          // of each ring to a shard
};

struct InletAccount {
  std::uint64_t received = 0, accepted = 0, delivered = 0, buffered = 0;
  std::uint64_t unused = 0;  // of `delivered`: samples that no shard uses
  std::uint64_t skewed = 0;  // of `accepted`: event time replaced
  std::vector<std::pair<std::string, std::uint64_t>> rejected, dropped;
  [[nodiscard]] std::uint64_t rejected_points() const;
  [[nodiscard]] std::uint64_t dropped_points() const;
};

class ConnectorInlet final : public Inlet {
 public:
  ConnectorInlet(InletOptions options, const Clock& clock, LatestValues& latest);
  ~ConnectorInlet() override;

  // Inlet: the connector's thread.
  void push(const Batch& batch) override;
  void reject(std::string_view reason, std::uint64_t points) override { rejected_.add(reason, points); }
  void finished() override { finished_.store(true, std::memory_order_release); }

  // Control thread. The ring to shard `shard`, made at the first call; `consumer` is that shard's.
  Ring& ring_to(std::size_t shard, Wake& consumer);
  [[nodiscard]] Ring* existing_ring_to(std::size_t shard) const {
    return rings_[shard].load(std::memory_order_acquire);
  }
  // Which shards use each signal id, and which ids are this connector's; takes effect at its next push. Rings for all
  // shards named for its own ids must exist. Ids at or beyond the table's end are rejected as unknown_signal; pushing
  // another connector's id is a bug.
  void route(std::vector<ShardMask> shards_of_signal, std::span<const SignalId> own);
  // Called instead of waiting when a ring is full, for engines without threads (set before the first push).
  void when_full_call(std::function<void()> make_room) { make_room_ = std::move(make_room); }
  void stop();  // blocked pushes give up; for the connector's end
  void resume();

  // Any thread.
  [[nodiscard]] bool is_finished() const { return finished_.load(std::memory_order_acquire); }
  [[nodiscard]] InletAccount account() const;
  [[nodiscard]] const InletOptions& options() const { return options_; }

 private:
  struct Table {
    std::vector<ShardMask> shards;
    bool uniform = false;  // all of the connector's signals have the mask `common`
    ShardMask common = 0;
  };
  struct Copy;  // which samples of a batch go to a ring

  void take_new_table();
  [[nodiscard]] bool leave_out_unknown(Batch& batch, std::uint32_t& greatest);
  [[nodiscard]] bool hold_to_wall_clock(Batch& batch);
  void write_latest(const Batch& batch);
  void push_block(const Batch& batch);
  void push_rows(const Batch& batch, std::uint32_t greatest);
  void push_mixed(const Batch& batch, ShardMask any, std::uint32_t greatest);
  void send_whole(const Batch& batch, ShardMask mask, std::uint32_t greatest);
  void copy_to(Ring& ring, const Batch& part, std::size_t home_points, std::uint32_t greatest);
  [[nodiscard]] bool reserve(Ring& ring, const Ring::Shape& shape, Ring::Draft& draft);

  const InletOptions options_;
  const Clock& clock_;
  LatestValues& latest_;
  std::function<void()> make_room_;
  std::array<std::atomic<Ring*>, kMaxShards> rings_{};

  std::atomic<Table*> next_table_{nullptr};     // from control to the connector's thread
  std::atomic<Table*> retired_table_{nullptr};  // and back, to be freed
  std::unique_ptr<Table> table_;                // the connector's thread

  // Scratch of the connector's thread; grows while warming up. `known_` is what a batch with unknown ids has besides.
  struct Known {
    std::vector<SignalId> signal;
    std::vector<double> value;
    std::vector<Nanos> time;
    std::vector<Quality> quality;
  } known_;
  std::vector<Nanos> times_;
  std::vector<Quality> qualities_;
  std::array<std::vector<std::uint32_t>, kMaxShards> chosen_;

  Counter accepted_, unused_, skewed_;
  Reasons rejected_;
  std::atomic<bool> finished_{false};
};

}  // namespace alara::flow
