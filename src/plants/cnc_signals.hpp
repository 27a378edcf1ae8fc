// SPDX-License-Identifier: Apache-2.0
// The signals and actuators of the simulated CNC machine as a table: name, unit, type and where a real one would have
// them. The simulator's registers and the demo's site file are made from it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/sample.hpp"

namespace alara::plants {

// In the order of the table; a signal's index everywhere.
enum class CncSignal : std::uint8_t {
  spindle_current,
  spindle_speed,
  spindle_torque,
  spindle_power,
  spindle_load,
  bearing_temperature,
  motor_temperature,
  vibration_rms,
  feed_rate,
  x_position,
  y_position,
  z_position,
  x_velocity,
  y_velocity,
  z_velocity,
  x_current,
  y_current,
  z_current,
  coolant_temperature,
  coolant_pressure,
  coolant_flow,
  hydraulic_pressure,
  air_pressure,
  cabinet_temperature,
  ambient_temperature,
  line_voltage,
  line_current,
  total_power,
  energy,
  tool_wear,
  cutting_force,
  depth_of_cut,
  oil_level,
  coolant_level,
  program_number,
  block_number,
  tool_number,
  part_counter,
  feed_override,
  spindle_override,
  state,
  commanded_speed,
  commanded_feed,
  cycle_time,
  running,
  door_open,
  coolant_on,
  stop,
  alarm,
  vibration,
};
inline constexpr std::size_t kCncSignals = 50;

enum class Home : std::uint8_t {
  holding_float32,  // two holding registers
  holding_int16,    // one holding register
  coil,
  mqtt,  // a topic of its own, in blocks
};

struct CncSignalInfo {
  CncSignal signal{};
  std::string_view name;  // as in the site file: "spindle_current"
  std::string_view unit;  // as base/units reads it; "" dimensionless
  SignalType type{};
  Home home{};
  std::string_view sentence;
  double rate_hz = 0;       // of the waveform
  std::uint16_t place = 0;  // first holding register or coil, from the machine's own first one
};

// All of a machine's holding registers lie side by side and fit one read (125 registers).
inline constexpr std::uint16_t kCncRegisters = 78;
inline constexpr std::uint16_t kCncCoils = 5;
inline constexpr double kCncVibrationRateHz = 6400;

[[nodiscard]] std::span<const CncSignalInfo, kCncSignals> cnc_signals();

[[nodiscard]] inline double& at(std::array<double, kCncSignals>& values, CncSignal signal) {
  return values[static_cast<std::size_t>(signal)];
}

// What can be written; each is also a signal, in the same register or coil.
enum class CncActuator : std::uint8_t { stop, feed_override };
struct CncActuatorInfo {
  CncActuator actuator{};
  CncSignal signal{};
  double least = 0, most = 0;
  std::string_view sentence;
};
[[nodiscard]] std::span<const CncActuatorInfo, 2> cnc_actuators();

}  // namespace alara::plants
