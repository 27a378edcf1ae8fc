// SPDX-License-Identifier: Apache-2.0
// The fixtures of a site file (`tests:`): an input trace, the commands and events it must cause, in virtual time.
// `alara test` runs them, so does the scenario suite of the project itself.
//
//   tests:
//     an overload stops the machine:
//       given:
//         - {at: 0ms, every: 10ms, until: 90ms, set: {cnc-01.spindle_current: 20}}
//         - {at: 100ms, every: 10ms, until: 200ms, set: {cnc-01.spindle_current: 41}}
//       expect:
//         - {at: 120ms, within: 5ms, command: plc/coil/1, value: 1}
//         - {by: 200ms, event: overload, asset: cnc-01}
//       never:
//         - {command: plc/coil/2}
//       lasts: 1s
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "node/site.hpp"

namespace alara::node {

struct TraceStep {  // one instant of the input trace
  Nanos at = 0;     // of its arrival, since the fixture's start
  Nanos shift = 0;  // of its event time against its arrival
  std::size_t asset = 0, signal = 0;
  double value = 0;
  bool missing = false;  // a sample of bad quality
};

struct Expectation {
  enum class Kind : std::uint8_t { command, event_raised, event_cleared };
  Kind kind = Kind::command;
  std::string name;   // actuator address, or the pipeline whose event it is
  std::string asset;  // of an event; "" = any
  std::string text;   // part of the event's text; "" = any
  bool any_value = true;
  double value = 0;  // of a command
  Nanos earliest = 0, latest = kNever;
  Where where;
};

struct Fixture {
  std::string name;
  std::vector<TraceStep> trace;  // sorted by time
  std::vector<Expectation> expect, never;
  Nanos lasts = 0;
  Where where;
};

// The declaration behind one fixture, for the reference and the JSON Schema.
[[nodiscard]] const Schema& fixture_schema();

[[nodiscard]] std::vector<Fixture> read_fixtures(const Site& site, std::vector<Error>& errors);

struct FixtureOutcome {
  std::string name;
  std::vector<std::string> failures;  // "site.yaml:31:9: …"; empty = passed
  std::vector<std::string> log;       // what happened, one line each, with virtual times
  [[nodiscard]] bool passed() const { return failures.empty(); }
};

// Runs one fixture on a fresh engine in virtual time; no connector is started.
[[nodiscard]] Result<FixtureOutcome> run_fixture(const Site& site, const Fixture& fixture);

}  // namespace alara::node
