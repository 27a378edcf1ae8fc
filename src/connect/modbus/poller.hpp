// SPDX-License-Identifier: Apache-2.0
// The reading half of a client: what is due when, what an answer means for the signals, and which tags a device
// refuses. Knows no socket: the session asks next() what to send and tells what became of it. Confined to the loop's
// thread.
//
// Each period has slots at fixed instants (start + k * period). A request still under way at its next slot, or a slot
// that passed while nothing could be sent, is counted as missed and left out; nothing is sent twice to catch up.
// When a device refuses a merged read, the read is repeated once and then halved until the refused tags stand alone;
// those are quarantined: left out of the plan and tried again one by one every `retry`.
// A unit that stays silent rests (silent_units.hpp), so that waiting for it does not cost the others their slots.
#pragma once

#include <memory>
#include <vector>

#include "connect/modbus/plan.hpp"
#include "connect/modbus/ring.hpp"
#include "connect/modbus/settings.hpp"
#include "connect/modbus/silent_units.hpp"
#include "connect/modbus/telemetry.hpp"

namespace alara::modbus {

// A request that is sent again and again.
struct Poll {
  enum class State : std::uint8_t { idle, queued, in_flight, isolating };
  enum class Purpose : std::uint8_t { regular, retry, isolation };
  struct Field {
    std::uint32_t at;  // first byte of a register value, or the bit, in the answer
    wire::RegisterFormat format;
  };

  ReadPlan plan;
  std::vector<SignalId> signals;  // parallel to plan.tags
  std::vector<Field> fields;      // parallel to plan.tags
  State state = State::idle;
  Purpose purpose = Purpose::regular;
  Nanos due = 0;  // slot that is being served

  [[nodiscard]] wire::ModbusRequest request() const { return {reading(plan.table), plan.first, plan.count, {}}; }
};

class Poller {
 public:
  Poller(std::vector<Tag> tags, const Settings& settings, std::uint64_t phase, Telemetry& telemetry);
  void begin(Inlet& inlet, Clock& clock);

  void connected(Nanos now);
  void disconnected(Nanos now);  // tags turn bad, once

  [[nodiscard]] Nanos next_due() const;  // kNever without tags
  void advance(Nanos now);               // queues what is due
  [[nodiscard]] Poll* next(Nanos now);   // what to send now; nullptr when nothing, or while a new plan waits
  void sent(Poll& poll, Nanos now);
  void answered(Poll& poll, const wire::ModbusAnswer& answer, Nanos arrival);
  void timed_out(Poll& poll, Nanos now);
  // An answer that nobody waits for came from this unit. True when it is a late one.
  bool late(std::uint8_t unit) { return units_.late(unit); }

  // A new plan is wanted; polls in flight must end first, then replan() makes it. Polls of before are gone.
  [[nodiscard]] bool wants_plan() const { return wants_plan_ && !isolation_; }
  void replan(Nanos now);

 private:
  struct Rate {
    Nanos period;
    Nanos due;
    std::vector<Poll*> polls;
  };
  struct Part {  // of an isolation: tags [begin, end) of the refused read
    std::size_t begin, end;
  };
  struct Refused {
    std::uint32_t tag;
    wire::ModbusException exception;
  };
  struct Isolation {
    Poll* refused;
    std::vector<Part> untried;  // the last is tried next
    std::vector<Part> read;
    std::vector<Refused> bad;
    Part trying;
    Poll poll;
  };

  void plan();
  Rate& rate_of(Nanos period);
  void restart(Rate& rate, Nanos now);
  void skip_to(Rate& rate, Nanos now);
  [[nodiscard]] Poll make_poll(ReadPlan plan, Poll::Purpose purpose) const;
  void deliver(Poll& poll, std::span<const std::uint8_t> payload, Nanos arrival);
  void leave_out(Poll& poll);
  void spoil(std::span<const std::uint32_t> tags, Nanos now, bool again);
  void refused(Poll& poll, wire::ModbusException exception, Nanos now);
  void isolate(Poll& poll);
  void try_next_part();
  void part_answered(const wire::ModbusAnswer& answer, Nanos arrival);
  void finish_isolation();
  void abandon_isolation();
  void quarantine(std::uint32_t tag, wire::ModbusException exception);

  const Settings& settings_;
  const std::uint64_t phase_;
  Telemetry& telemetry_;
  const std::vector<Tag> tags_;
  Inlet* inlet_ = nullptr;
  Clock* clock_ = nullptr;

  std::vector<bool> bad_;  // the last sample of the tag was bad
  std::vector<bool> quarantined_;
  std::vector<Barrier> barriers_;
  std::vector<std::unique_ptr<Poll>> polls_;
  std::vector<Rate> rates_;
  Ring<Poll*> queue_;
  std::unique_ptr<Isolation> isolation_;
  SilentUnits units_;
  bool wants_plan_ = false;
  bool started_ = false;  // the schedule runs

  // Filled anew for every answer; their memory stays.
  std::vector<double> values_;
  std::vector<Quality> qualities_;
  std::vector<SignalId> spoiled_;
};

}  // namespace alara::modbus
