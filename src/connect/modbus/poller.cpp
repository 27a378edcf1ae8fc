// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/poller.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace alara::modbus {
namespace {

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();
// Slots lie on whole milliseconds, so that many devices on one loop share its wake-ups.
constexpr Nanos kGrid = kMillisecond;

bool of_several_units(const std::vector<Tag>& tags) {
  return !std::ranges::all_of(tags, [&](const Tag& tag) { return tag.address.unit == tags.front().address.unit; });
}

}  // namespace

Poller::Poller(std::vector<Tag> tags, const Settings& settings, std::uint64_t phase, Telemetry& telemetry)
    : settings_(settings),
      phase_(phase),
      telemetry_(telemetry),
      tags_(std::move(tags)),
      bad_(tags_.size()),
      quarantined_(tags_.size()),
      units_(settings, of_several_units(tags_), telemetry) {
  plan();
}

void Poller::begin(Inlet& inlet, Clock& clock) {
  inlet_ = &inlet;
  clock_ = &clock;
}

Poll Poller::make_poll(ReadPlan plan, Poll::Purpose purpose) const {
  Poll poll;
  poll.purpose = purpose;
  for (const std::uint32_t tag : plan.tags) {
    const Address& address = tags_[tag].address;
    const std::uint32_t offset = address.first - plan.first;
    poll.signals.push_back(tags_[tag].signal);
    poll.fields.push_back({is_of_bits(plan.table) ? offset : 2 * offset, address.format});
  }
  poll.plan = std::move(plan);
  return poll;
}

Poller::Rate& Poller::rate_of(Nanos period) {
  const auto found =
      std::find_if(rates_.begin(), rates_.end(), [&](const Rate& rate) { return rate.period == period; });
  if (found != rates_.end()) return *found;
  rates_.push_back({period, kNever, {}});
  return rates_.back();
}

// Builds polls and rates from the tags that are not quarantined; rates that exist keep their slots.
void Poller::plan() {
  std::vector<std::uint32_t> wanted;
  std::vector<Barrier> barriers = barriers_;
  for (std::uint32_t tag = 0; tag < tags_.size(); ++tag) {
    const Address& address = tags_[tag].address;
    if (quarantined_[tag])
      barriers.push_back({address.unit, address.table, address.first});  // no gap leads over it
    else
      wanted.push_back(tag);
  }
  polls_.clear();
  for (Rate& rate : rates_) rate.polls.clear();
  for (ReadPlan& read : plan_reads(tags_, wanted, settings_.limits, barriers))
    polls_.push_back(std::make_unique<Poll>(make_poll(std::move(read), Poll::Purpose::regular)));
  telemetry_.requests.store(polls_.size(), std::memory_order_relaxed);
  for (std::uint32_t tag = 0; tag < tags_.size(); ++tag) {
    if (!quarantined_[tag]) continue;
    ReadPlan read = read_of(tags_, {&tag, 1});
    read.period = settings_.retry;
    polls_.push_back(std::make_unique<Poll>(make_poll(std::move(read), Poll::Purpose::retry)));
  }
  std::size_t widest = 0;
  for (const auto& poll : polls_) {
    rate_of(poll->plan.period).polls.push_back(poll.get());
    widest = std::max(widest, poll->fields.size());
  }
  std::erase_if(rates_, [](const Rate& rate) { return rate.polls.empty(); });
  queue_.reset(polls_.size() + 1);
  values_.reserve(widest);
  qualities_.reserve(widest);
  spoiled_.reserve(tags_.size());
  wants_plan_ = false;
}

void Poller::replan(Nanos now) {
  for (const auto& poll : polls_)
    if (poll->state == Poll::State::queued && poll->purpose == Poll::Purpose::regular)
      count(telemetry_.stats.polls_missed);
  plan();
  for (Rate& rate : rates_)
    if (rate.due == kNever) restart(rate, now);
}

void Poller::restart(Rate& rate, Nanos now) {
  const Nanos steps = std::max<Nanos>(rate.period / kGrid, 1);
  rate.due = (now / kGrid + 1) * kGrid + static_cast<Nanos>(phase_ % static_cast<std::uint64_t>(steps)) * kGrid;
  const bool only_retries =
      std::ranges::all_of(rate.polls, [](const Poll* poll) { return poll->purpose == Poll::Purpose::retry; });
  if (only_retries) rate.due += rate.period;  // they have just failed
}

// Leaves out the slots up to now.
void Poller::skip_to(Rate& rate, Nanos now) {
  if (rate.due > now) return;
  const Nanos slots = (now - rate.due) / rate.period + 1;
  count(telemetry_.stats.polls_missed, static_cast<std::uint64_t>(slots) * rate.polls.size());
  rate.due += slots * rate.period;
}

void Poller::connected(Nanos now) {
  units_.connected();
  for (Rate& rate : rates_) {
    if (rate.due == kNever)
      restart(rate, now);
    else
      skip_to(rate, now);
  }
  started_ = true;
}

void Poller::disconnected(Nanos now) {
  abandon_isolation();
  queue_.clear();
  for (const auto& poll : polls_) {
    poll->state = Poll::State::idle;
    spoil(poll->plan.tags, now, false);
  }
  started_ = false;
}

Nanos Poller::next_due() const {
  Nanos due = kNever;
  for (const Rate& rate : rates_) due = std::min(due, rate.due);
  return due;
}

void Poller::advance(Nanos now) {
  if (!started_) return;
  for (Rate& rate : rates_) {
    if (rate.due > now) continue;
    const Nanos behind = (now - rate.due) / rate.period;
    if (behind > 0) count(telemetry_.stats.polls_missed, static_cast<std::uint64_t>(behind) * rate.polls.size());
    const Nanos slot = rate.due + behind * rate.period;
    rate.due = slot + rate.period;
    for (Poll* poll : rate.polls) {
      if (poll->state != Poll::State::idle || units_.rests(poll->plan.unit, now)) {
        if (poll->purpose == Poll::Purpose::regular) count(telemetry_.stats.polls_missed);
        continue;
      }
      poll->state = Poll::State::queued;
      poll->due = slot;
      queue_.push_back(poll);
    }
  }
}

Poll* Poller::next(Nanos now) {
  while (!queue_.empty() && !wants_plan()) {
    Poll* const poll = queue_.pop_front();
    if (!units_.rests(poll->plan.unit, now)) return poll;
    leave_out(*poll);  // the unit fell silent after the poll was queued
  }
  return nullptr;
}

void Poller::leave_out(Poll& poll) {
  poll.state = Poll::State::idle;
  if (poll.purpose == Poll::Purpose::regular) count(telemetry_.stats.polls_missed);
  if (poll.purpose == Poll::Purpose::isolation) abandon_isolation();
}

void Poller::sent(Poll& poll, Nanos now) {
  poll.state = Poll::State::in_flight;
  if (poll.purpose == Poll::Purpose::regular) telemetry_.request_delay.record(now - poll.due);
}

void Poller::answered(Poll& poll, const wire::ModbusAnswer& answer, Nanos arrival) {
  poll.state = Poll::State::idle;
  units_.answered(poll.plan.unit);
  using Kind = wire::ModbusAnswer::Kind;
  if (answer.kind == Kind::malformed) {
    count(telemetry_.malformed);
    count(telemetry_.stats.errors);
    telemetry_.set_error(fmt::format("{} {}: {}", name_of(poll.plan.table), poll.plan.first, answer.fault));
    inlet_->reject("malformed", poll.signals.size());
    spoil(poll.plan.tags, arrival, false);
  } else if (answer.kind == Kind::exception) {
    count(telemetry_.exceptions);
    count(telemetry_.stats.errors);
  } else {
    deliver(poll, answer.payload, arrival);
    if (poll.purpose == Poll::Purpose::regular) count(telemetry_.stats.polls_done);
  }
  if (poll.purpose == Poll::Purpose::isolation) return part_answered(answer, arrival);
  if (answer.kind == Kind::exception) return refused(poll, answer.exception, arrival);
  if (answer.kind == Kind::good && poll.purpose == Poll::Purpose::retry) {
    quarantined_[poll.plan.tags.front()] = false;
    telemetry_.quarantined.fetch_sub(1, std::memory_order_relaxed);
    wants_plan_ = true;
  }
}

void Poller::timed_out(Poll& poll, Nanos now) {
  poll.state = Poll::State::idle;
  spoil(poll.plan.tags, now, false);
  units_.silent(poll.plan.unit, now);
  if (poll.purpose == Poll::Purpose::isolation) abandon_isolation();
}

void Poller::deliver(Poll& poll, std::span<const std::uint8_t> payload, Nanos arrival) {
  const std::size_t size = poll.fields.size();
  values_.resize(size);
  bool all_good = true;
  if (is_of_bits(poll.plan.table)) {
    for (std::size_t i = 0; i < size; ++i) {
      const Poll::Field& field = poll.fields[i];
      values_[i] = (wire::load_bit(payload, field.at) ? 1 : 0) * field.format.scale + field.format.offset;
    }
  } else {
    for (std::size_t i = 0; i < size; ++i) {
      values_[i] = wire::decode_value(poll.fields[i].format, payload.data() + poll.fields[i].at);
      all_good &= std::isfinite(values_[i]);
    }
  }
  for (const std::uint32_t tag : poll.plan.tags) bad_[tag] = false;
  qualities_.clear();
  if (!all_good) {
    for (std::size_t i = 0; i < size; ++i) {
      const bool good = std::isfinite(values_[i]);
      qualities_.push_back(good ? Quality::good : Quality::bad);
      if (!good) bad_[poll.plan.tags[i]] = true;
    }
  }
  Batch batch;
  batch.signal = poll.signals;
  batch.value = values_;
  batch.time0 = clock_->wall();
  batch.quality = qualities_;
  batch.arrival = arrival;
  inlet_->push(batch);
}

// One bad sample for each tag that is not known to be bad already, or for each `again`.
void Poller::spoil(std::span<const std::uint32_t> tags, Nanos now, bool again) {
  spoiled_.clear();
  for (const std::uint32_t tag : tags) {
    if (bad_[tag] && !again) continue;
    bad_[tag] = true;
    spoiled_.push_back(tags_[tag].signal);
  }
  if (spoiled_.empty()) return;
  values_.assign(spoiled_.size(), kNoValue);
  qualities_.assign(spoiled_.size(), Quality::bad);
  Batch batch;
  batch.signal = spoiled_;
  batch.value = values_;
  batch.time0 = clock_->wall();
  batch.quality = qualities_;
  batch.arrival = now;
  inlet_->push(batch);
}

}  // namespace alara::modbus
