// SPDX-License-Identifier: Apache-2.0
// What a rule does: events, commands, safe values, and what it makes of the acks.
#include <algorithm>

#include "base/hash.hpp"
#include "base/quantity.hpp"
#include "rules/instants.hpp"
#include "rules/rule.hpp"

namespace alara::rules {
namespace {

enum Kind : std::uint32_t { kRule, kSafe, kTrouble };

std::uint64_t mix(std::uint64_t hash, std::string_view text) {  // with an end mark
  return fnv1a("\xff", fnv1a(text, hash));
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t number) {  // splitmix64's finisher
  hash += number * 0x9e3779b97f4a7c15u;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
  return hash ^ (hash >> 31);
}

}  // namespace

// The same run gives the same keys; two events of one site share one only by a hash collision.
std::uint64_t Rule::event_key(std::uint32_t slot, std::uint32_t kind, std::uint32_t occurrence) const {
  std::uint64_t hash = mix(kFnvBasis, identity_.pipeline_name);
  hash = mix(mix(hash, identity_.name), asset_name(slot));
  return mix(mix(mix(hash, static_cast<std::uint64_t>(kind)), static_cast<std::uint64_t>(occurrence)),
             static_cast<std::uint64_t>(slots_[slot].last_time));
}

std::string_view Rule::asset_name(std::uint32_t slot) const {
  return slot < identity_.asset_names.size() ? std::string_view(identity_.asset_names[slot]) : std::string_view{};
}

std::span<const double> Rule::row_of(std::uint32_t slot) const {
  return keep_rows_ ? std::span(rows_).subspan(slot * plan_.inputs, plan_.inputs) : std::span<const double>{};
}

void Rule::publish(std::uint32_t slot, bool raised, std::uint64_t key, Severity severity, Moment moment,
                   std::string text) {
  decisions_->publish(Event{key, raised, severity, identity_.pipeline, identity_.assets[slot], moment.time,
                            moment.arrival, std::move(text)});
}

Rule::Change Rule::raise(std::uint32_t slot, Moment moment, FrameBuilder& out) {
  Slot& state = slots_[slot];
  state.phase = Phase::active;
  state.due = kNever;
  state.reset_asked = false;
  ++counts_.raised;
  if (plan_.raises) {
    state.key = event_key(slot, kRule, ++state.raises);
    publish(slot, true, state.key, plan_.severity, moment,
            plan_.message.fill({asset_name(slot), identity_.pipeline_name, identity_.name}, row_of(slot)));
  }
  if (plan_.repeat != 0) {
    state.repeat_due = kLearn;
    next_due_ = kLearn;
  }
  issue(slot, On::raise, moment);
  const double on = 1;
  out.append(slot, moment.time, Quality::good, {&on, 1});
  return Change::raised;
}

Rule::Change Rule::clear(std::uint32_t slot, Moment moment, FrameBuilder& out) {
  Slot& state = slots_[slot];
  state.phase = Phase::idle;
  state.due = state.repeat_due = kNever;
  state.reset_asked = false;
  ++counts_.cleared;
  if (plan_.raises)
    publish(slot, false, state.key, plan_.severity, moment,
            plan_.message.fill({asset_name(slot), identity_.pipeline_name, identity_.name}, row_of(slot)));
  issue(slot, On::clear, moment);
  const double off = 0;
  out.append(slot, moment.time, Quality::good, {&off, 1});
  return Change::cleared;
}

// Still active: the same event once more, and the commands again.
void Rule::remind(std::uint32_t slot, Moment moment) {
  if (plan_.raises)
    publish(slot, true, slots_[slot].key, plan_.severity, moment,
            plan_.message.fill({asset_name(slot), identity_.pipeline_name, identity_.name}, row_of(slot)));
  if (!slots_[slot].safe) issue(slot, On::raise, moment);
}

Command Rule::command_for(const Write& write, std::uint32_t slot, Nanos arrival) const {
  Command command;
  command.id = decisions_->next_command_id();
  command.actuator = write.actuators[slot];
  command.value = write.computed ? write.computed->evaluate(row_of(slot)) : write.literal;
  command.deadline = plan_.deadline == kNever ? kNever : later(arrival, plan_.deadline);
  command.arrival = arrival;
  command.verify = write.verify;
  return command;
}

// Also when a value of the interlock is not known.
bool Rule::forbidden(std::uint32_t slot, std::string_view& why) const {
  if (!plan_.unless) return false;
  const auto row = row_of(slot);
  const auto& interlock = plan_.unless->program;
  if (!interlock.handles_nan())
    for (const std::size_t input : interlock.uses())
      if (row[input] != row[input]) {
        why = interlock_unknown_;
        return true;
      }
  const double value = interlock.evaluate(row);
  why = interlock_true_;
  return !(value == 0);
}

void Rule::issue(std::uint32_t slot, On on, Moment moment) {
  const auto wanted = [on](const Write& write) { return write.on == on; };
  if (std::none_of(plan_.writes.begin(), plan_.writes.end(), wanted)) return;
  std::string_view why;
  const bool refused = forbidden(slot, why);
  const bool suppressed = !refused && !rate_limit_.take(slot, moment.time);
  for (const Write& write : plan_.writes) {
    if (write.on != on) continue;
    const Command command = command_for(write, slot, moment.arrival);
    if (refused) {
      ++counts_.refused;
      decisions_->audit("refused", command, why);
    } else if (suppressed) {
      ++counts_.suppressed;
      decisions_->audit("suppressed", command, over_rate_);
    } else if (command.value - command.value != 0) {
      ++counts_.refused;
      decisions_->audit("refused", command, "the value is not a finite number");
    } else {
      send(command);
    }
  }
}

void Rule::send(const Command& command) {
  if (plan_.dry_run) {
    ++counts_.dry_run;
    decisions_->audit("suppressed", command, "dry run");
    return;
  }
  ++counts_.commands;
  if (!decisions_->send(command)) ++counts_.unsent;
}

// Safe values are not subject to interlock and rate limit.
void Rule::command_safe(std::uint32_t slot, Nanos arrival) {
  for (const ActuatorId actuator : plan_.safe->actuators[slot]) {
    Command command;
    command.id = decisions_->next_command_id();
    command.actuator = actuator;
    command.value = plan_.safe->value;
    command.deadline = plan_.deadline == kNever ? kNever : later(arrival, plan_.deadline);
    command.arrival = arrival;
    ++counts_.safe;
    send(command);
  }
}

void Rule::enter_safe(std::uint32_t slot, Moment moment, std::string_view why) {
  Slot& state = slots_[slot];
  if (state.safe) return;
  state.safe = true;
  command_safe(slot, moment.arrival);
  state.safe_key = event_key(slot, kSafe, ++state.safes);
  publish(
      slot, true, state.safe_key, std::max(plan_.severity, Severity::high), moment,
      fmt::format("{}: {}: {}, safe value {:g} commanded", asset_name(slot), identity_.name, why, plan_.safe->value));
}

// Good rows come again. The output stands at its safe value, so the commands of the present state are sent once more.
void Rule::recover(std::uint32_t slot, Change change, Moment moment) {
  Slot& state = slots_[slot];
  state.safe = false;
  stale_check_ = std::min(stale_check_, later(state.last_good, plan_.safe->after));
  publish(slot, false, state.safe_key, std::max(plan_.severity, Severity::high), moment,
          fmt::format("{}: {}: good input again", asset_name(slot), identity_.name));
  if (change != Change::none) return;  // its commands have just been sent
  const bool active = state.phase == Phase::active || state.phase == Phase::clearing;
  issue(slot, active ? On::raise : On::clear, moment);
}

void Rule::make_safe(Nanos monotonic) {
  if (!plan_.safe || decisions_ == nullptr) return;
  for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
    slots_[slot].safe = true;
    command_safe(slot, monotonic);
  }
  stale_check_ = kNever;
}

void Rule::acknowledged(const Ack& ack) {
  ++counts_.acks[static_cast<std::size_t>(ack.outcome)];
  const auto found = std::lower_bound(slot_of_actuator_.begin(), slot_of_actuator_.end(), std::pair{ack.actuator, 0u});
  if (found == slot_of_actuator_.end() || found->first != ack.actuator || ack.outcome == Outcome::refused_rule) return;
  const std::uint32_t slot = found->second;
  Slot& state = slots_[slot];
  const bool failed = ack.outcome != Outcome::done;
  if (failed == state.trouble) return;
  state.trouble = failed;
  if (failed) state.trouble_key = event_key(slot, kTrouble, ++state.troubles);
  publish(slot, failed, state.trouble_key, Severity::high, {std::max(last_now_, state.last_time), ack.at},
          fmt::format("{}: {}: command {}", asset_name(slot), identity_.name, name_of(ack.outcome)));
}

}  // namespace alara::rules
