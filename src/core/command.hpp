// SPDX-License-Identifier: Apache-2.0
// What comes out of pipelines: commands to actuators with their acks, published values, and events for people and
// systems.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "core/sample.hpp"

namespace alara {

enum class CommandId : std::uint64_t {};  // unique within a run, rising

// A value to write to an actuator. Plain data: travels through rings without allocation.
struct Command {
  CommandId id{};
  ActuatorId actuator{};
  double value = 0;
  Nanos deadline = kNever;  // monotonic instant by which the ack must be there
  Nanos arrival = 0;        // monotonic arrival of the sample that caused it; latency counts from here
  bool verify = false;      // read the value back and compare before acknowledging as done
};

enum class Outcome : std::uint8_t {
  done,            // the device acknowledged (and the read-back agreed, where asked for)
  refused_device,  // the device answered with an exception
  refused_rule,    // an interlock, rate limit or dry-run kept it from being sent
  mismatch,        // the read-back differed
  timed_out,       // no answer before the connector's time limit
  unavailable,     // not connected
};
[[nodiscard]] std::string_view name_of(Outcome outcome);

struct Ack {
  CommandId command{};
  ActuatorId actuator{};
  Outcome outcome = Outcome::done;
  Nanos at = 0;          // monotonic instant at which the connector had the device's answer
  double read_back = 0;  // when verified
};

enum class Severity : std::uint8_t { info, low, medium, high, critical };
[[nodiscard]] std::string_view name_of(Severity severity);

// Something a person or system should know. Raised once and cleared once; the pair shares `key`.
struct Event {
  std::uint64_t key = 0;
  bool raised = true;  // false: cleared
  Severity severity = Severity::info;
  PipelineId pipeline{};
  AssetId asset{};
  Nanos time = 0;     // event time
  Nanos arrival = 0;  // monotonic
  std::string text;   // filled from the rule's template; events are rare, so this may allocate
};

// A value on its way to an outlet. Plain data: travels through rings without allocation.
struct OutletSample {
  OutletId outlet{};
  double value = 0;
  Nanos time = 0;  // event time
  Quality quality = Quality::good;
  Nanos arrival = 0;  // monotonic arrival of the newest sample that went into it
};

// Where operators put their decisions. Called on the shard's thread; never blocks.
class Decisions {
 public:
  virtual ~Decisions() = default;
  // Takes a command into the connector's queue. False when that queue is full: the command is then counted as refused.
  virtual bool send(const Command& command) = 0;
  virtual CommandId next_command_id() = 0;
  virtual void publish(Event&& event) = 0;
  // Hands a value to the connector of its outlet. False when that connector's queue is full: counted as dropped there.
  virtual bool hand_out(const OutletSample& sample) = 0;
  // One line of the append-only audit log: a command refused by an interlock, suppressed by dry-run, sent,
  // acknowledged.
  virtual void audit(std::string_view what, const Command& command, std::string_view why) = 0;
};

}  // namespace alara
