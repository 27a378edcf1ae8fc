// SPDX-License-Identifier: Apache-2.0
#include "plants/cnc_signals.hpp"

#include <array>

namespace alara::plants {
namespace {

using enum CncSignal;
constexpr auto kFloat = SignalType::float32;
constexpr auto kInt = SignalType::int16;
constexpr auto kBool = SignalType::boolean;

constexpr std::array<CncSignalInfo, kCncSignals> kTable{{
    {spindle_current, "spindle_current", "A", kFloat, Home::holding_float32, "Of the spindle motor, rms."},
    {spindle_speed, "spindle_speed", "rpm", kFloat, Home::holding_float32, "Measured."},
    {spindle_torque, "spindle_torque", "N*m", kFloat, Home::holding_float32, "Of the motor."},
    {spindle_power, "spindle_power", "kW", kFloat, Home::holding_float32, "At the shaft."},
    {spindle_load, "spindle_load", "%", kFloat, Home::holding_float32, "Torque over rated torque."},
    {bearing_temperature, "bearing_temperature", "degC", kFloat, Home::holding_float32, "Front spindle bearing."},
    {motor_temperature, "motor_temperature", "degC", kFloat, Home::holding_float32, "Winding of the spindle motor."},
    {vibration_rms, "vibration_rms", "mm/s", kFloat, Home::holding_float32, "Velocity, 10 to 1000 Hz."},
    {feed_rate, "feed_rate", "mm/min", kFloat, Home::holding_float32, "Measured along the path."},
    {x_position, "x_position", "mm", kFloat, Home::holding_float32, "Table."},
    {y_position, "y_position", "mm", kFloat, Home::holding_float32, "Table."},
    {z_position, "z_position", "mm", kFloat, Home::holding_float32, "Spindle head; 0 is the workpiece's surface."},
    {x_velocity, "x_velocity", "mm/s", kFloat, Home::holding_float32, "Table."},
    {y_velocity, "y_velocity", "mm/s", kFloat, Home::holding_float32, "Table."},
    {z_velocity, "z_velocity", "mm/s", kFloat, Home::holding_float32, "Spindle head."},
    {x_current, "x_current", "A", kFloat, Home::holding_float32, "Axis motor."},
    {y_current, "y_current", "A", kFloat, Home::holding_float32, "Axis motor."},
    {z_current, "z_current", "A", kFloat, Home::holding_float32, "Axis motor; holds the head's weight."},
    {coolant_temperature, "coolant_temperature", "degC", kFloat, Home::holding_float32, "In the tank."},
    {coolant_pressure, "coolant_pressure", "bar", kFloat, Home::holding_float32, "At the pump."},
    {coolant_flow, "coolant_flow", "l/min", kFloat, Home::holding_float32, "To the nozzles."},
    {hydraulic_pressure, "hydraulic_pressure", "bar", kFloat, Home::holding_float32, "Clamping."},
    {air_pressure, "air_pressure", "bar", kFloat, Home::holding_float32, "Plant air."},
    {cabinet_temperature, "cabinet_temperature", "degC", kFloat, Home::holding_float32, "Electrical cabinet."},
    {ambient_temperature, "ambient_temperature", "degC", kFloat, Home::holding_float32,
     "Of the hall; follows the day."},
    {line_voltage, "line_voltage", "V", kFloat, Home::holding_float32, "Between phases."},
    {line_current, "line_current", "A", kFloat, Home::holding_float32, "Of the whole machine."},
    {total_power, "total_power", "kW", kFloat, Home::holding_float32, "Of the whole machine."},
    {energy, "energy", "kWh", kFloat, Home::holding_float32, "Since the start."},
    {tool_wear, "tool_wear", "um", kFloat, Home::holding_float32, "Width of the flank wear land, estimated."},
    {cutting_force, "cutting_force", "N", kFloat, Home::holding_float32, "Mean tangential force."},
    {depth_of_cut, "depth_of_cut", "mm", kFloat, Home::holding_float32, "0 outside the cut."},
    {oil_level, "oil_level", "%", kFloat, Home::holding_float32, "Of the way lubrication."},
    {coolant_level, "coolant_level", "%", kFloat, Home::holding_float32, "Of the tank."},
    {program_number, "program_number", "", kInt, Home::holding_int16, "Of the part in work."},
    {block_number, "block_number", "", kInt, Home::holding_int16, "Operation within the program, from 1."},
    {tool_number, "tool_number", "", kInt, Home::holding_int16, "In the spindle."},
    {part_counter, "part_counter", "", kInt, Home::holding_int16, "Parts made; begins again at 0 after 32767."},
    {feed_override, "feed_override", "%", kInt, Home::holding_int16, "As set; writable."},
    {spindle_override, "spindle_override", "%", kInt, Home::holding_int16, "As set."},
    {state, "state", "", kInt, Home::holding_int16, "0 loading, 1 approaching, 2 cutting, 3 changing tool, 4 stopped."},
    {commanded_speed, "commanded_speed", "rpm", kInt, Home::holding_int16, "By the program."},
    {commanded_feed, "commanded_feed", "mm/min", kInt, Home::holding_int16, "By the program, before the override."},
    {cycle_time, "cycle_time", "s", kInt, Home::holding_int16, "Of the part in work."},
    {running, "running", "", kBool, Home::coil, "The spindle turns."},
    {door_open, "door_open", "", kBool, Home::coil, "A part is being changed."},
    {coolant_on, "coolant_on", "", kBool, Home::coil, "The coolant pump runs."},
    {stop, "stop", "", kBool, Home::coil, "1 stops feed and spindle and holds them; writable."},
    {alarm, "alarm", "", kBool, Home::coil, "The drive is beyond its rated load."},
    {vibration, "vibration", "mm/s2", kFloat, Home::mqtt, "Acceleration at the front bearing, in blocks.",
     kCncVibrationRateHz},
}};

std::uint16_t registers_of(Home home) {
  return home == Home::holding_float32 ? 2 : home == Home::holding_int16 ? 1 : 0;
}

std::array<CncSignalInfo, kCncSignals> with_places() {
  std::array<CncSignalInfo, kCncSignals> table = kTable;
  std::uint16_t next_register = 0, next_coil = 0;
  for (CncSignalInfo& info : table) {
    if (info.home == Home::coil) info.place = next_coil++;
    if (registers_of(info.home) > 0) info.place = next_register;
    next_register = static_cast<std::uint16_t>(next_register + registers_of(info.home));
  }
  return table;
}

}  // namespace

std::span<const CncSignalInfo, kCncSignals> cnc_signals() {
  static const std::array<CncSignalInfo, kCncSignals> table = with_places();
  return table;
}

std::span<const CncActuatorInfo, 2> cnc_actuators() {
  static constexpr std::array<CncActuatorInfo, 2> kActuators{
      {{CncActuator::stop, CncSignal::stop, 0, 1, "1 stops feed and spindle and holds them, 0 lets the program go on."},
       {CncActuator::feed_override, CncSignal::feed_override, 0, 150, "Per cent of the programmed feed."}}};
  return kActuators;
}

}  // namespace alara::plants
