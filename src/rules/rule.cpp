// SPDX-License-Identifier: Apache-2.0
// Rows and time to changes of state. What follows from a change is in rule_actions.cpp.
#include "rules/rule.hpp"

#include <algorithm>
#include <limits>

#include "rules/instants.hpp"

namespace alara::rules {

Rule::Rule(RulePlan plan, Identity identity, Decisions* decisions)
    : plan_(std::move(plan)),
      identity_(std::move(identity)),
      decisions_(decisions),
      slots_(identity_.assets.size()),
      rate_limit_(plan_.rate, identity_.assets.size()) {
  const auto remember = [this](ActuatorId actuator, std::size_t slot) {
    slot_of_actuator_.emplace_back(actuator, static_cast<std::uint32_t>(slot));
  };
  for (const Write& write : plan_.writes) {
    any_clear_write_ = any_clear_write_ || write.on == On::clear;
    keep_rows_ = keep_rows_ || write.computed;
    for (std::size_t slot = 0; slot < write.actuators.size(); ++slot) remember(write.actuators[slot], slot);
  }
  if (plan_.safe)
    for (std::size_t slot = 0; slot < plan_.safe->actuators.size(); ++slot)
      for (const ActuatorId actuator : plan_.safe->actuators[slot]) remember(actuator, slot);
  std::sort(slot_of_actuator_.begin(), slot_of_actuator_.end());
  keep_rows_ = keep_rows_ || plan_.message.reads_values() || plan_.unless;
  if (keep_rows_) rows_.assign(slots_.size() * plan_.inputs, std::numeric_limits<double>::quiet_NaN());
  if (plan_.unless) {
    interlock_true_ = "interlock: " + plan_.unless->text;
    interlock_unknown_ = "interlock unknown: " + plan_.unless->text;
  }
  over_rate_ = "rate limit " + plan_.rate_text;
}

void Rule::process(const Frame& in, FrameBuilder& out) {
  if (in.size() == 0) return;
  evaluate(in);
  if (!pass_quiet_block(in))
    for (std::size_t row = 0; row < in.size(); ++row) take_row(in, row, out);
  if (started_ && in.arrival >= stale_check_) check_freshness(in.arrival, in.time.back());
}

// Both conditions for all rows; `end_` holds until or reset.
void Rule::evaluate(const Frame& in) {
  if (when_.size() < in.size()) {
    when_.resize(in.size());
    end_.resize(in.size());
  }
  plan_.when.program.evaluate(in.columns, std::span(when_).first(in.size()));
  Condition* end = plan_.until ? &*plan_.until : plan_.reset ? &*plan_.reset : nullptr;
  if (end != nullptr) end->program.evaluate(in.columns, std::span(end_).first(in.size()));
}

// The common case of a waveform: a block of one slot that is idle, all good, in order, nowhere true. No row needs a
// look.
bool Rule::pass_quiet_block(const Frame& in) {
  if (!in.single_slot() || !in.quality.empty()) return false;
  Slot& state = slots_[in.only_slot];
  if (state.phase != Phase::idle || state.safe || !state.seen || in.size() < 2) return false;
  std::size_t loud = in.time[0] < state.last_time ? 1 : 0;
  for (std::size_t i = 0; i < in.size(); ++i) loud += (when_[i] < 0) | (when_[i] > 0);
  for (std::size_t i = 1; i < in.size(); ++i) loud += in.time[i] < in.time[i - 1];
  if (!plan_.when.program.handles_nan())
    for (const std::size_t input : plan_.when.program.uses())
      for (std::size_t i = 0; i < in.size(); ++i) loud += in.columns[input][i] != in.columns[input][i];
  if (loud != 0) return false;
  state.condition = false;
  state.late = 0;
  state.last_time = in.time.back();
  state.last_good = in.oldest_at(in.size() - 1);
  store_row(in, in.size() - 1, in.only_slot);
  return true;
}

bool Rule::unusable(const Frame& in, std::size_t row) const {
  if (in.quality_at(row) == Quality::bad) return true;
  if (plan_.when.program.handles_nan()) return false;
  for (const std::size_t input : plan_.when.program.uses())
    if (in.columns[input][row] != in.columns[input][row]) return true;
  return false;
}

// A row older than the last one changes nothing, unless several in a row say that the clock was set back.
bool Rule::late(Slot& state, Nanos time) {
  if (!state.seen || time >= state.last_time) {
    state.late = 0;
    return false;
  }
  ++counts_.late_rows;
  if (++state.late < kAgreeing) return true;
  state.late = 0;
  if (state.phase == Phase::pending || state.phase == Phase::clearing) state.since = time;
  return false;
}

void Rule::take_row(const Frame& in, std::size_t row, FrameBuilder& out) {
  const std::uint32_t slot = in.slot_at(row);
  Slot& state = slots_[slot];
  const Moment moment{in.time[row], in.arrival};
  if (unusable(in, row)) return take_bad_row(slot, moment);
  if (late(state, moment.time)) return;
  store_row(in, row, slot);
  state.seen = true;
  state.last_time = moment.time;
  // A row is as fresh as its oldest value: a dead input must not hide behind a live one.
  state.last_good = in.oldest_at(row);
  const bool fresh_again = state.safe && plan_.safe && later(state.last_good, plan_.safe->after) > in.arrival;
  const bool when = (when_[row] < 0) | (when_[row] > 0);
  const bool end = (end_[row] < 0) | (end_[row] > 0);
  const Change change = step(slot, when, end, moment, out);
  if (fresh_again) recover(slot, change, moment);
}

// A row that says nothing: what was about to happen waits for a better one.
void Rule::take_bad_row(std::uint32_t slot, Moment moment) {
  ++counts_.bad_rows;
  Slot& state = slots_[slot];
  if (state.phase == Phase::pending) state.phase = Phase::idle;
  if (state.phase == Phase::clearing) state.phase = Phase::active;
  state.due = kNever;
  if (plan_.on_bad == OnBad::safe) enter_safe(slot, moment, "input of bad quality");
}

void Rule::wait(Slot& state, Phase phase, Moment moment) {
  state.phase = phase;
  state.since = moment.time;
  state.cause = moment.arrival;
  state.due = kLearn;
  next_due_ = kLearn;
}

Rule::Change Rule::step(std::uint32_t slot, bool when, bool end, Moment moment, FrameBuilder& out) {
  Slot& state = slots_[slot];
  state.condition = when;
  const bool reset = plan_.latch && (end && plan_.reset.has_value());
  const bool ends = !when && (plan_.latch ? reset || state.reset_asked : !plan_.until || end);
  const Nanos clear_hold = plan_.until ? plan_.until->hold : 0;
  switch (state.phase) {
    case Phase::idle:
      if (!when) return Change::none;
      if (plan_.when.hold == 0) return raise(slot, moment, out);
      wait(state, Phase::pending, moment);
      return Change::none;
    case Phase::pending:
      if (!when) {
        state.phase = Phase::idle;
        state.due = kNever;
      } else if (elapsed(state.since, moment.time) >= plan_.when.hold) {
        return raise(slot, moment, out);
      }
      return Change::none;
    case Phase::active:
      if (!ends) return Change::none;
      if (clear_hold == 0) return clear(slot, moment, out);
      wait(state, Phase::clearing, moment);
      return Change::none;
    case Phase::clearing:
      if (!ends) {
        state.phase = Phase::active;
        state.due = kNever;
      } else if (elapsed(state.since, moment.time) >= clear_hold) {
        return clear(slot, moment, out);
      }
      return Change::none;
  }
  return Change::none;
}

void Rule::advance(Nanos now, Nanos monotonic, FrameBuilder& out) {
  if (!started_) {
    started_ = true;
    for (Slot& state : slots_)
      if (!state.seen) state.last_good = monotonic;  // silence counts from here
    if (plan_.safe) stale_check_ = 0;
  }
  last_now_ = now;
  last_monotonic_ = monotonic;
  if (next_due_ <= now) {
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) pass_time(slot, now, monotonic, out);
    refresh_due();
  }
  if (monotonic >= stale_check_) check_freshness(monotonic, now);
}

Rule::Change Rule::pass_time(std::uint32_t slot, Nanos now, Nanos monotonic, FrameBuilder& out) {
  Slot& state = slots_[slot];
  const bool raising = state.phase == Phase::pending;
  const Nanos hold = raising ? plan_.when.hold : plan_.until ? plan_.until->hold : 0;
  if (state.due == kLearn) state.due = later(now, hold);
  if (state.repeat_due == kLearn) state.repeat_due = later(now, plan_.repeat);
  if (state.reset_asked && state.phase == Phase::active && !state.condition) return clear(slot, {now, monotonic}, out);
  if (state.due <= now) {
    const Moment moment{state.due, std::min(monotonic, later(state.cause, hold))};
    if (raising) return raise(slot, moment, out);
    if (state.phase == Phase::clearing) return clear(slot, moment, out);
  }
  if (state.repeat_due <= now && (state.phase == Phase::active || state.phase == Phase::clearing)) {
    remind(slot, {state.repeat_due, monotonic});
    state.repeat_due = later(now, plan_.repeat);
  }
  return Change::none;
}

void Rule::refresh_due() {
  next_due_ = kNever;
  for (const Slot& state : slots_) next_due_ = std::min({next_due_, state.due, state.repeat_due});
}

Nanos Rule::next_due() const {
  if (!plan_.safe) return next_due_;
  if (!started_) return INT64_MIN;
  if (stale_check_ == kNever) return next_due_;
  return std::min(next_due_, later(last_now_, elapsed(last_monotonic_, stale_check_)));
}

bool Rule::reset_latch(std::size_t slot) {
  if (slot >= slots_.size() || !plan_.latch) return false;
  Slot& state = slots_[slot];
  if (state.phase != Phase::active || state.condition) return false;
  state.reset_asked = true;
  next_due_ = kLearn;
  return true;
}

// Looks for slots without fresh input; cheap between, because nothing can be stale before stale_check_.
void Rule::check_freshness(Nanos monotonic, Nanos time) {
  stale_check_ = kNever;
  for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
    Slot& state = slots_[slot];
    if (state.safe) continue;
    const Nanos stale = later(state.last_good, plan_.safe->after);
    if (stale <= monotonic) {
      if (state.phase == Phase::pending) state.phase = Phase::idle;
      if (state.phase == Phase::clearing) state.phase = Phase::active;
      state.due = kNever;
      enter_safe(slot, {time, monotonic}, "no fresh input");
    } else {
      stale_check_ = std::min(stale_check_, stale);
    }
  }
}

void Rule::store_row(const Frame& in, std::size_t row, std::uint32_t slot) {
  if (!keep_rows_) return;
  double* to = &rows_[slot * plan_.inputs];
  for (std::size_t k = 0; k < plan_.inputs; ++k) to[k] = in.columns[k][row];
}

std::size_t Rule::memory_bytes() const {
  std::size_t bytes = sizeof(*this) + slots_.capacity() * sizeof(Slot) + rate_limit_.memory_bytes() +
                      slot_of_actuator_.capacity() * sizeof(slot_of_actuator_[0]) + plan_.when.program.memory_bytes() +
                      (rows_.capacity() + when_.capacity() + end_.capacity()) * sizeof(double);
  for (const auto* condition : {&plan_.until, &plan_.reset, &plan_.unless})
    if (*condition) bytes += (*condition)->program.memory_bytes();
  for (const Write& write : plan_.writes)
    bytes += write.actuators.capacity() * sizeof(ActuatorId) + (write.computed ? write.computed->memory_bytes() : 0);
  return bytes;
}

void Rule::counters(std::vector<Counter>& out) const {
  const auto acked = [this](Outcome outcome) { return counts_.acks[static_cast<std::size_t>(outcome)]; };
  out.push_back({"raised", counts_.raised});
  out.push_back({"cleared", counts_.cleared});
  out.push_back({"commands", counts_.commands});
  out.push_back({"refused", counts_.refused});
  out.push_back({"suppressed", counts_.suppressed});
  out.push_back({"dry_run", counts_.dry_run});
  out.push_back({"safe", counts_.safe});
  out.push_back({"bad_rows", counts_.bad_rows});
  out.push_back({"late_rows", counts_.late_rows});
  out.push_back({"unsent", counts_.unsent});
  out.push_back({"acked_done", acked(Outcome::done)});
  out.push_back({"acked_mismatch", acked(Outcome::mismatch)});
  out.push_back({"acked_timed_out", acked(Outcome::timed_out)});
  out.push_back({"acked_refused", acked(Outcome::refused_device) + acked(Outcome::refused_rule)});
  out.push_back({"acked_unavailable", acked(Outcome::unavailable)});
}

}  // namespace alara::rules
