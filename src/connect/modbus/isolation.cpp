// SPDX-License-Identifier: Apache-2.0
// The part of the poller that finds out which tags of a merged read a device refuses.
#include "base/quantity.hpp"
#include "connect/modbus/poller.hpp"

namespace alara::modbus {
namespace {

// Refusals that concern the moment or the way to the device, not the addresses asked.
bool passing(wire::ModbusException exception) {
  using wire::ModbusException;
  return exception == ModbusException::acknowledge || exception == ModbusException::busy ||
         exception == ModbusException::gateway_path || exception == ModbusException::gateway_target;
}

}  // namespace

void Poller::refused(Poll& poll, wire::ModbusException exception, Nanos now) {
  telemetry_.set_error(fmt::format("unit {} refuses {} {}..{}: {}", poll.plan.unit, name_of(poll.plan.table),
                                   poll.plan.first, poll.plan.first + poll.plan.count - 1, name_of(exception)));
  if (poll.purpose == Poll::Purpose::retry) return spoil(poll.plan.tags, now, true);
  if (passing(exception)) return spoil(poll.plan.tags, now, false);
  if (exception == wire::ModbusException::illegal_function || poll.plan.tags.size() == 1) {
    spoil(poll.plan.tags, now, false);
    for (const std::uint32_t tag : poll.plan.tags) quarantine(tag, exception);
    return;
  }
  if (!isolation_) isolate(poll);  // else its turn comes with its next slot
}

void Poller::quarantine(std::uint32_t tag, wire::ModbusException exception) {
  const Address& address = tags_[tag].address;
  telemetry_.set_error(fmt::format("unit {} refuses {} {}: {}; it is left out and tried again every {}", address.unit,
                                   name_of(address.table), address.first, name_of(exception),
                                   format_duration(settings_.retry)));
  quarantined_[tag] = true;
  telemetry_.quarantined.fetch_add(1, std::memory_order_relaxed);
  wants_plan_ = true;
}

void Poller::isolate(Poll& poll) {
  poll.state = Poll::State::isolating;
  isolation_ = std::make_unique<Isolation>();
  isolation_->refused = &poll;
  isolation_->untried.push_back({0, poll.plan.tags.size()});
  try_next_part();
}

void Poller::try_next_part() {
  Isolation& isolation = *isolation_;
  isolation.trying = isolation.untried.back();
  isolation.untried.pop_back();
  const std::span<const std::uint32_t> tags = isolation.refused->plan.tags;
  isolation.poll =
      make_poll(read_of(tags_, tags.subspan(isolation.trying.begin, isolation.trying.end - isolation.trying.begin)),
                Poll::Purpose::isolation);
  isolation.poll.state = Poll::State::queued;
  queue_.push_back(&isolation.poll);
}

void Poller::part_answered(const wire::ModbusAnswer& answer, Nanos arrival) {
  Isolation& isolation = *isolation_;
  const Part part = isolation.trying;
  const bool refused_again = answer.kind == wire::ModbusAnswer::Kind::exception && !passing(answer.exception);
  if (!refused_again) {
    isolation.read.push_back(part);
  } else if (part.end - part.begin == 1) {
    const std::uint32_t tag = isolation.refused->plan.tags[part.begin];
    isolation.bad.push_back({tag, answer.exception});
    spoil({&tag, 1}, arrival, false);
  } else {
    const std::size_t middle = part.begin + (part.end - part.begin) / 2;
    isolation.untried.push_back({middle, part.end});
    isolation.untried.push_back({part.begin, middle});
  }
  if (isolation.untried.empty()) return finish_isolation();
  try_next_part();
}

// Refused tags are quarantined. When there is none, though the whole was refused, the device dislikes a register
// between the parts or the size of the request: the parts that worked stay apart.
void Poller::finish_isolation() {
  Isolation& isolation = *isolation_;
  for (const Refused& refused : isolation.bad) quarantine(refused.tag, refused.exception);
  if (isolation.bad.empty() && isolation.read.size() > 1) {
    for (const Part& part : isolation.read) {
      const Address& begin = tags_[isolation.refused->plan.tags[part.begin]].address;
      if (part.begin > 0) barriers_.push_back({begin.unit, begin.table, begin.first});
    }
    wants_plan_ = true;
  }
  abandon_isolation();
}

void Poller::abandon_isolation() {
  if (!isolation_) return;
  isolation_->refused->state = Poll::State::idle;
  isolation_.reset();
}

}  // namespace alara::modbus
