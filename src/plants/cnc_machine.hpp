// SPDX-License-Identifier: Apache-2.0
// A CNC milling machine as its sensors see it: it works through programs of cuts, part after part; currents follow from
// cutting forces, temperatures from losses, vibration from speed, cut and wear. Faults can be injected at a time. No
// I/O, no clock: it lives in steps, and the same seed, steps and writes give the same values. One thread at a time.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "plants/cnc_signals.hpp"

namespace alara::plants {

enum class CncFaultKind : std::uint8_t {
  overload,      // something jams in the cut: torque rises within milliseconds and stays until the spindle stands still
  bearing_wear,  // friction, temperature and vibration of the front bearing grow exponentially, until it is replaced
  stuck_sensor,  // one signal keeps its value
};

struct CncFault {
  CncFaultKind kind{};
  Nanos after = 0;       // from now
  Nanos lasting = 0;     // overload, stuck_sensor: ends then at the latest; 0 = does not end by itself
  double severity = 1;   // overload: times 45 N*m; bearing_wear: times 5 N*m of friction when worn
  Nanos growth = kHour;  // bearing_wear: time to full wear
  CncSignal signal = CncSignal::spindle_current;  // stuck_sensor: which
};

class CncMachine {
 public:
  static constexpr std::size_t kMaxFaults = 16;

  explicit CncMachine(std::uint64_t seed);
  ~CncMachine();
  CncMachine(CncMachine&&) noexcept;
  CncMachine& operator=(CncMachine&&) noexcept;

  // Lets time pass and takes a new measurement of every signal but the waveform. Time inside goes in steps of at most
  // 10 ms; step by 1 ms to see a current rise.
  void step(Nanos dt);
  // As measured at the end of the last step, in the unit of the table.
  [[nodiscard]] double value(std::size_t index) const { return measured_[index]; }
  [[nodiscard]] double value(CncSignal signal) const { return measured_[static_cast<std::size_t>(signal)]; }
  // The next samples of `vibration` at kCncVibrationRateHz, for the state at the end of the last step. Asking for them
  // or not changes no other signal.
  void waveform(std::span<double> out);

  // Fails, and changes nothing, when the value is out of the actuator's limits.
  Status write(CncActuator actuator, double value);
  // Fails when kMaxFaults are pending or the fault makes no sense.
  Status inject(const CncFault& fault);
  // Repairs: all faults end, a worn bearing is a new one.
  void repair();

  [[nodiscard]] Nanos elapsed() const;  // sum of the steps

 private:
  struct State;
  std::array<double, kCncSignals> measured_{};
  std::unique_ptr<State> state_;
};

}  // namespace alara::plants
