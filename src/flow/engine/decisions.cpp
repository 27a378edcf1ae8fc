// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/decisions.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "flow/engine/pipeline.hpp"

namespace alara::flow {
namespace {

template <std::size_t N>
void copy_cut(std::string_view text, std::array<char, N>& to) {
  const std::size_t length = std::min(text.size(), N - 1);
  std::memcpy(to.data(), text.data(), length);
  to[length] = '\0';
}

}  // namespace

DecisionDesk::DecisionDesk(std::size_t shard, const DecisionOptions& options, const Clock& clock)
    : shard_(shard),
      clock_(clock),
      pending_(std::bit_ceil(std::max<std::size_t>(options.pending_commands, 2))),
      events_(options.events),
      audit_(options.audit_lines),
      dead_letters_(options.dead_letters) {}

CommandId DecisionDesk::next_command_id() {
  return CommandId{static_cast<std::uint64_t>(shard_) << kShardBitsAt | next_id_++};
}

bool DecisionDesk::send(const Command& command) {
  const std::size_t actuator = index_of(command.actuator);
  CommandLane* lane = actuator < routes_.lane_of_actuator.size() ? routes_.lane_of_actuator[actuator] : nullptr;
  Pending& pending = slot_of(command.id);
  const char* refusal = lane == nullptr                   ? "no connector has this actuator"
                        : pending.open && !pending.missed ? "too many commands without an answer"
                                                          : nullptr;
  if (refusal == nullptr && !lane->send(command)) refusal = "the connector's queue is full";
  if (refusal != nullptr) {
    if (caller_.stats != nullptr) caller_.stats->commands_refused.add();
    audit("refused", command, refusal);
    return false;
  }
  if (!pending.open) pending_count_.set(pending_count_.get() + 1);
  pending = {command, caller_, true, false};
  next_deadline_ = std::min(next_deadline_, command.deadline);
  if (caller_.stats != nullptr) {
    caller_.stats->commands_sent.add();
    caller_.stats->arrival_to_decision.record(clock_.monotonic() - command.arrival);
  }
  audit("sent", command, "");
  return true;
}

void DecisionDesk::publish(Event&& event) {
  if (caller_.stats != nullptr) caller_.stats->events.add();
  if (!events_.push(std::move(event))) lost_events_.add();
}

bool DecisionDesk::hand_out(const OutletSample& sample) {
  const std::size_t outlet = index_of(sample.outlet);
  OutletLane* lane = outlet < routes_.lane_of_outlet.size() ? routes_.lane_of_outlet[outlet] : nullptr;
  return lane != nullptr && lane->hand_out(sample);
}

void DecisionDesk::audit(std::string_view what, const Command& command, std::string_view why) {
  AuditLine line;
  line.wall = clock_.wall();
  line.monotonic = clock_.monotonic();
  line.pipeline = caller_.id;
  line.step = caller_.step;
  line.command = command;
  copy_cut(what, line.what);
  copy_cut(why, line.why);
  if (!audit_.push(std::move(line))) lost_audit_.add();
}

bool DecisionDesk::put_aside(SignalId signal, double value, Nanos time, Quality quality, TurnedAway reason) {
  return dead_letters_.push({caller_.id, signal, value, time, quality, reason, clock_.wall()});
}

void DecisionDesk::forget(const Pipeline* pipeline) {
  for (Pending& pending : pending_) {
    if (!pending.open || pending.caller.pipeline != pipeline) continue;
    pending.open = false;
    pending_count_.set(pending_count_.get() - 1);
  }
}

bool DecisionDesk::has_acks() const {
  return std::any_of(routes_.lanes.begin(), routes_.lanes.end(),
                     [](const CommandLane* lane) { return lane->has_acks(); });
}

bool DecisionDesk::take_acks() {
  bool any = false;
  Ack ack;
  for (CommandLane* lane : routes_.lanes) {
    while (lane->next_ack(ack)) {
      any = true;
      Pending& pending = slot_of(ack.command);
      if (pending.open && pending.command.id == ack.command)
        settle(pending, ack);
      else
        unmatched_acks_.add();
    }
  }
  return any;
}

void DecisionDesk::settle(Pending& pending, const Ack& ack) {
  pending.open = false;
  pending_count_.set(pending_count_.get() - 1);
  const Pending settled = pending;  // the operator may send again, into this very slot
  PipelineStats& stats = *settled.caller.stats;
  stats.acks[static_cast<std::size_t>(ack.outcome)].add();
  if (ack.outcome == Outcome::done) stats.arrival_to_ack.record(ack.at - settled.command.arrival);
  speak_as(settled.caller);
  if (!settled.missed && ack.at > settled.command.deadline) {
    stats.deadline_misses.add();
    audit("late", settled.command, name_of(ack.outcome));
  }
  audit("acknowledged", settled.command, name_of(ack.outcome));
  settled.caller.pipeline->acknowledged(settled.caller.step, ack);
}

void DecisionDesk::miss(Pending& pending) {
  pending.missed = true;
  pending.caller.stats->deadline_misses.add();
  speak_as(pending.caller);
  audit("late", pending.command, "no answer before the deadline");
}

void DecisionDesk::check_deadlines(Nanos monotonic) {
  if (monotonic <= next_deadline_) return;
  next_deadline_ = kNever;
  for (Pending& pending : pending_) {
    if (!pending.open || pending.missed) continue;
    if (pending.command.deadline < monotonic)
      miss(pending);
    else
      next_deadline_ = std::min(next_deadline_, pending.command.deadline);
  }
}

}  // namespace alara::flow
