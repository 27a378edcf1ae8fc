// SPDX-License-Identifier: Apache-2.0
// A simulated line of CNC machines that speaks real protocols: one Modbus TCP controller per machine (three byte orders
// among them) and vibration waveforms over MQTT. Behind `alara sim cnc` and the demo; runs on threads of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace alara::node {

struct CncLineOptions {
  int machines = 40;
  int first_port = 0;  // of the controllers, rising; 0 = free ports
  int mqtt_port = 0;   // broker on 127.0.0.1; 0 = no waveforms
  std::uint64_t seed = 1;
  Nanos overload_every = 0;  // a jam at one machine after the other, so often; 0 = never
  int worn_machine = 0;      // this one's bearing wears out (1 = the first); 0 = none
  Nanos wear_after = 0, wear_growth = kHour;
};

struct CncLineTotals {
  std::uint64_t overloads = 0;    // injected
  std::uint64_t stops = 0;        // machines stopped through their coil while jammed
  std::uint64_t other_stops = 0;  // stopped though nothing was wrong
  std::uint64_t waveform_messages = 0;
};

class CncLine {
 public:
  [[nodiscard]] static Result<std::unique_ptr<CncLine>> start(const CncLineOptions& options, Clock& clock);
  ~CncLine();  // stops it
  CncLine(const CncLine&) = delete;
  CncLine& operator=(const CncLine&) = delete;

  [[nodiscard]] const std::vector<std::uint16_t>& ports() const;
  [[nodiscard]] CncLineTotals totals() const;
  // A site file for this line: all signals, the overload stop, the drift watch, the vibration watch.
  [[nodiscard]] std::string site_file(const std::string& http) const;

 private:
  struct State;
  explicit CncLine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace alara::node
