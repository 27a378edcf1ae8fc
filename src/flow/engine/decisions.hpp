// SPDX-License-Identifier: Apache-2.0
// The decisions of one shard: commands on their way to connectors and back, events, audit lines. Everything is bounded
// and preallocated; on the hot path nothing allocates but the text of an event.
// Called on the shard's thread; the queues are drained by one thread of the node.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/command.hpp"
#include "flow/engine/admission.hpp"
#include "flow/engine/command_lane.hpp"
#include "flow/engine/counter.hpp"
#include "flow/engine/outlet_lane.hpp"
#include "flow/engine/spsc_queue.hpp"
#include "flow/engine/stats.hpp"

namespace alara::flow {

class Pipeline;

// One line of the append-only audit log. Longer texts are cut.
struct AuditLine {
  Nanos wall = 0;
  Nanos monotonic = 0;
  PipelineId pipeline{};
  std::uint16_t step = 0;
  Command command{};
  std::array<char, 24> what{};
  std::array<char, 96> why{};
  [[nodiscard]] std::string_view what_text() const { return what.data(); }
  [[nodiscard]] std::string_view why_text() const { return why.data(); }
};

struct DecisionOptions {
  std::size_t pending_commands = 1024;  // sent and not acknowledged; more are refused. Rounded up to a power of two
  std::size_t events = 1024;            // waiting to be drained; more are counted as lost
  std::size_t audit_lines = 4096;
  std::size_t dead_letters = 4096;
};

class DecisionDesk final : public Decisions {
 public:
  DecisionDesk(std::size_t shard, const DecisionOptions& options, const Clock& clock);

  // Who speaks next: set by the executor before each call of an operator.
  struct Caller {
    Pipeline* pipeline = nullptr;
    PipelineStats* stats = nullptr;
    PipelineId id{};
    std::uint16_t step = 0;
  };
  void speak_as(const Caller& caller) { caller_ = caller; }

  // Decisions. Sent commands and their acks get their audit lines here; the operator writes the others (refused,
  // suppressed).
  bool send(const Command& command) override;
  CommandId next_command_id() override;
  void publish(Event&& event) override;
  bool hand_out(const OutletSample& sample) override;
  void audit(std::string_view what, const Command& command, std::string_view why) override;

  // Takes a sample that the pipeline speaking did not admit. False when the queue is full.
  bool put_aside(SignalId signal, double value, Nanos time, Quality quality, TurnedAway reason);

  // Where decisions go. At a safe point of the shard.
  struct Routes {
    std::vector<CommandLane*> lane_of_actuator;  // nullptr: refused
    std::vector<CommandLane*> lanes;             // each once
    std::vector<OutletLane*> lane_of_outlet;     // nullptr: nobody shows it
  };
  void route(Routes routes) { routes_ = std::move(routes); }
  // Drops what is pending for a pipeline that goes away; its acks are then counted as unmatched.
  void forget(const Pipeline* pipeline);

  // Hands the acks that have come to their operators. True when there was one.
  bool take_acks();
  [[nodiscard]] bool has_acks() const;
  // Counts commands whose deadline has passed without an ack.
  void check_deadlines(Nanos monotonic);
  [[nodiscard]] Nanos next_deadline() const { return next_deadline_; }

  // The node's draining thread.
  bool next_event(Event& event) { return events_.pop(event); }
  bool next_audit_line(AuditLine& line) { return audit_.pop(line); }
  bool next_dead_letter(DeadLetter& letter) { return dead_letters_.pop(letter); }

  // Any thread.
  [[nodiscard]] std::uint64_t lost_events() const { return lost_events_.get(); }
  [[nodiscard]] std::uint64_t lost_audit_lines() const { return lost_audit_.get(); }
  [[nodiscard]] std::uint64_t unmatched_acks() const { return unmatched_acks_.get(); }
  [[nodiscard]] std::uint64_t pending() const { return pending_count_.get(); }

 private:
  struct Pending {
    Command command{};
    Caller caller{};
    bool open = false;
    bool missed = false;  // its deadline has been counted as missed
  };
  [[nodiscard]] Pending& slot_of(CommandId id) {
    return pending_[static_cast<std::uint64_t>(id) & (pending_.size() - 1)];
  }
  void settle(Pending& pending, const Ack& ack);
  void miss(Pending& pending);

  const std::size_t shard_;
  const Clock& clock_;
  Caller caller_;
  std::uint64_t next_id_ = 1;
  std::vector<Pending> pending_;  // by the low bits of the id
  Nanos next_deadline_ = kNever;  // of the open ones not missed; may be too early, never too late
  Routes routes_;
  SpscQueue<Event> events_;
  SpscQueue<AuditLine> audit_;
  SpscQueue<DeadLetter> dead_letters_;
  Counter lost_events_, lost_audit_, unmatched_acks_, pending_count_;
};

}  // namespace alara::flow
