// SPDX-License-Identifier: Apache-2.0
// A shard: one thread that owns pipelines and runs them to completion. Drains its rings, hands acks to their operators,
// lets time pass, sleeps until there is something to do. The same class serves the fast and the slow lane, with other
// options. Without a thread, turn() does one round of all that: for tests, replays and `alara test`, bit-identical for
// the same pushes, turns and clock.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "flow/engine/decisions.hpp"
#include "flow/engine/pipeline.hpp"
#include "flow/engine/replay_time.hpp"
#include "flow/engine/ring.hpp"
#include "flow/engine/router.hpp"

namespace alara::flow {

struct ShardOptions {
  std::string name = "shard";
  bool live = true;           // event time is the wall clock; false: a replay's greatest event time
  Nanos replay_jump = kHour;  // see ReplayTime
  Nanos gather = 0;           // slow lane: after work, sleep this long before looking again (fewer, larger rounds)
  int cpu = -1;               // pin to this core
  int fifo_priority = 0;      // 1…99: SCHED_FIFO, where the system allows it
  Nanos spin = 0;             // look again for this long before sleeping: shorter wake-up, a busy core
  DecisionOptions decisions = {};
};

// Written by the shard, read by any thread.
struct ShardStats {
  Counter turns, batches, points, unused, sleeps;
  Counter busy_ns;                   // spent in turns that did something
  Counter held_back;                 // samples whose far-ahead time did not move the replay's time
  std::atomic<Nanos> last_turn{0};   // monotonic; a thread that hangs stops moving it
  std::atomic<Nanos> event_time{0};  // `now` as operators see it
};

class Shard {
 public:
  Shard(std::size_t index, ShardOptions options, Clock& clock, LatestValues& latest);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  // What the operators of this shard's pipelines are made with (OperatorContext::decisions), and the node drains.
  [[nodiscard]] DecisionDesk& decisions() { return desk_; }
  [[nodiscard]] Wake& wake() { return wake_; }

  // The shard's whole work. Pipelines marked `keep` go on as they are; rings and lanes not named any more are let go,
  // rings after they have been drained. Nothing changes on error.
  struct Plan {
    std::vector<PipelinePlan> pipelines;
    std::size_t signals = 0;
    std::vector<Ring*> rings;
    DecisionDesk::Routes routes;
  };
  // Control thread. Takes effect between two turns, before it returns; no sample is lost or seen twice.
  [[nodiscard]] Status replace(Plan plan);

  // Any thread: lets all operators command their safe values in the next turn (Operator::make_safe).
  void make_safe();

  void start();  // runs on a thread of its own
  void stop();   // drains what is in the rings, then ends the thread; idempotent
  [[nodiscard]] bool running() const { return thread_.joinable(); }
  // Why priority or pinning was not granted; "" when all was. After start().
  [[nodiscard]] std::string scheduling_note() const;

  // One turn; false when there was nothing to do. Not while the thread runs.
  bool turn();
  // The earliest event time or monotonic deadline at which a turn has work without new data; for drivers of virtual
  // time.
  [[nodiscard]] Nanos next_due() const;
  [[nodiscard]] Nanos next_deadline() const { return desk_.next_deadline(); }

  // Any thread.
  [[nodiscard]] const ShardStats& stats() const { return stats_; }
  [[nodiscard]] std::vector<std::shared_ptr<const PipelineStats>> pipelines() const;
  [[nodiscard]] const ShardOptions& options() const { return options_; }

 private:
  struct Work {
    std::vector<std::unique_ptr<Pipeline>> pipelines;
    std::unique_ptr<Router> router;
    std::vector<Ring*> rings;
  };
  struct Replacement;

  void install(Replacement& replacement);
  [[nodiscard]] bool drain_rings(std::span<Ring* const> rings, Nanos monotonic);
  void take(const Ring::Entry& entry, Nanos monotonic);
  bool let_time_pass(Nanos now, Nanos monotonic);
  [[nodiscard]] bool pass_live_time(Nanos monotonic);
  void publish_counters(Nanos monotonic);
  void run(const std::stop_token& stop);
  [[nodiscard]] bool has_news() const;
  [[nodiscard]] Nanos sleep_limit() const;
  void ask_for_priority();

  const std::size_t index_;
  const ShardOptions options_;
  Clock& clock_;
  LatestValues& latest_;
  Wake wake_;
  DecisionDesk desk_;
  ShardStats stats_;

  // The shard's thread, or the caller of turn().
  Work work_;
  ReplayTime replay_;
  Nanos next_publication_ = 0;
  Nanos wall_ahead_ = kNever;  // wall minus monotonic when last looked at; kNever before the first look

  std::atomic<bool> safe_wanted_{false};     // from any thread; taken at the start of a turn
  std::atomic<Replacement*> mail_{nullptr};  // from control; taken at the start of a turn

  mutable std::mutex control_;  // guards what follows; never taken on the shard's thread while it works
  std::vector<std::shared_ptr<const PipelineStats>> shown_;
  std::string scheduling_note_;
  std::jthread thread_;
};

}  // namespace alara::flow
