// SPDX-License-Identifier: Apache-2.0
// What the machine's sensors say of its state.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "plants/cnc_state.hpp"

namespace alara::plants {
namespace {

constexpr double kRatedTorque = 48;     // N*m
constexpr double kVibrationOfWear = 4;  // mm/s rms of a worn bearing, within 10 to 1000 Hz

}  // namespace

void CncMachine::State::measure(std::array<double, kCncSignals>& out) {
  const double omega = speed_rpm * 2 * std::numbers::pi / 60;
  const VibrationSource source = vibration();
  at(out, CncSignal::spindle_current) = std::max(0.0, current + 0.15 * noise.normal());
  at(out, CncSignal::spindle_speed) = speed_rpm > 0 ? std::max(0.0, speed_rpm + noise.normal()) : 0;
  at(out, CncSignal::spindle_torque) = motor_torque + 0.1 * noise.normal();
  at(out, CncSignal::spindle_power) = motor_torque * omega / 1000;
  at(out, CncSignal::spindle_load) = 100 * std::fabs(motor_torque) / kRatedTorque;
  at(out, CncSignal::bearing_temperature) = p.bearing.temperature + 0.05 * noise.normal();
  at(out, CncSignal::motor_temperature) = p.motor.temperature + 0.1 * noise.normal();
  const double worn = speed_rpm > 0 ? kVibrationOfWear * wear() : 0;
  const double velocity = std::hypot(std::hypot(source.unbalance_mm_s, source.cutting_mm_s), worn);
  at(out, CncSignal::vibration_rms) = std::max(0.0, (velocity + 0.03) * (1 + 0.03 * noise.normal()));
  at(out, CncSignal::cutting_force) = load.force_n;
  at(out, CncSignal::depth_of_cut) = load.force_n > 0 ? operation().depth_mm : 0;
  at(out, CncSignal::tool_wear) = wear_um;
  measure_axes(out);
  measure_fluids(out);
  measure_program(out);
}

void CncMachine::State::measure_axes(std::array<double, kCncSignals>& out) {
  at(out, CncSignal::feed_rate) = feed_mm_min;
  at(out, CncSignal::x_position) = x + 0.002 * noise.normal();
  at(out, CncSignal::y_position) = y + 0.002 * noise.normal();
  at(out, CncSignal::z_position) = z + 0.002 * noise.normal();
  at(out, CncSignal::x_velocity) = vx;
  at(out, CncSignal::y_velocity) = vy;
  at(out, CncSignal::z_velocity) = vz;
  // Guide friction, half of the cutting force along the feed, and the weight of the head on z.
  at(out, CncSignal::x_current) = (vx != 0 ? 0.8 : 0.1) + 0.5 * load.force_n / 400 + 0.05 * noise.normal();
  at(out, CncSignal::y_current) = 0.1 + 0.3 * load.force_n / 400 + 0.05 * noise.normal();
  at(out, CncSignal::z_current) = 2.5 + (vz != 0 ? 1.0 : 0) + 0.05 * noise.normal();
}

void CncMachine::State::measure_fluids(std::array<double, kCncSignals>& out) {
  const double watts = electrical_w(), volts = p.supply_voltage + 2 * noise.normal();
  at(out, CncSignal::coolant_temperature) = p.coolant.temperature + 0.05 * noise.normal();
  at(out, CncSignal::coolant_pressure) = 6 * coolant_l_min / 20 * (1 + 0.01 * noise.normal());
  at(out, CncSignal::coolant_flow) = coolant_l_min * (1 + 0.01 * noise.normal());
  at(out, CncSignal::hydraulic_pressure) = 60 + 0.4 * noise.normal();
  at(out, CncSignal::air_pressure) = 6.2 + 0.03 * noise.normal();
  at(out, CncSignal::cabinet_temperature) = p.cabinet.temperature + 0.1 * noise.normal();
  at(out, CncSignal::ambient_temperature) = ambient() + 0.05 * noise.normal();
  at(out, CncSignal::line_voltage) = volts;
  at(out, CncSignal::line_current) = watts / (std::numbers::sqrt3 * volts * 0.9);
  at(out, CncSignal::total_power) = watts / 1000;
  at(out, CncSignal::energy) = energy_kwh;
  at(out, CncSignal::oil_level) = oil_level;
  at(out, CncSignal::coolant_level) = coolant_level;
}

void CncMachine::State::measure_program(std::array<double, kCncSignals>& out) const {
  at(out, CncSignal::program_number) = 1001 + static_cast<double>(program);
  at(out, CncSignal::block_number) = static_cast<double>(block + 1);
  at(out, CncSignal::tool_number) = tool;
  at(out, CncSignal::part_counter) = parts;
  at(out, CncSignal::feed_override) = std::round(feed_override);
  at(out, CncSignal::spindle_override) = 100;
  at(out, CncSignal::state) = stop ? 4 : static_cast<double>(phase);
  at(out, CncSignal::commanded_speed) = operation().speed_rpm;
  at(out, CncSignal::commanded_feed) = operation().feed_mm_min;
  at(out, CncSignal::cycle_time) = std::min(32767.0, std::floor(cycle_s));
  at(out, CncSignal::running) = speed_rpm > 0 ? 1 : 0;
  at(out, CncSignal::door_open) = phase == Phase::loading ? 1 : 0;
  at(out, CncSignal::coolant_on) = phase == Phase::cutting && !stop ? 1 : 0;
  at(out, CncSignal::stop) = stop ? 1 : 0;
  at(out, CncSignal::alarm) = std::fabs(motor_torque) > kRatedTorque ? 1 : 0;
}

}  // namespace alara::plants
