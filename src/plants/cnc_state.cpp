// SPDX-License-Identifier: Apache-2.0
#include "plants/cnc_state.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace alara::plants {
namespace {

constexpr double kRadPerSecond = 2 * std::numbers::pi / 60;                                  // of one rpm
constexpr double kAcceleration = 1500, kBraking = 3000;                                      // rpm/s
constexpr double kRapid = 250;                                                               // mm/s
constexpr double kAtSpeed = 0.9;                                                             // of the commanded speed
constexpr double kFeedLag = 0.03, kCurrentLag = 0.002, kJamRise = 0.003, kCoolantLag = 0.5;  // s
constexpr double kJamTorque = 45, kWornFriction = 5;                                         // N*m
constexpr double kWornOut = 300, kBluntForce = 0.3;  // um at which a tool is changed; and its force's excess
constexpr double kTravel = 150;                      // mm to either side
constexpr double kClear = 100;                       // mm above the workpiece
constexpr double kAuxiliaryW = 1200, kPumpW = 800, kEfficiency = 0.88;

// Speeds, feeds and engagements of a carbon steel part, roughing to finishing.
constexpr std::array<std::array<Operation, 4>, 3> kPrograms{{
    {{{1200, 600, 2.0, 30, 300, 1},
      {1400, 560, 1.6, 35, 260, 1},
      {1800, 900, 0.8, 20, 280, 2},
      {2400, 960, 0.3, 30, 220, 3}}},
    {{{1000, 500, 2.4, 28, 320, 1},
      {1500, 750, 1.2, 25, 300, 2},
      {1500, 600, 1.0, 40, 200, 2},
      {2200, 880, 0.4, 25, 240, 3}}},
    {{{1300, 520, 1.8, 32, 240, 1},
      {1300, 650, 1.5, 20, 240, 1},
      {2000, 800, 0.6, 30, 260, 3},
      {2600, 1040, 0.25, 35, 200, 3}}},
}};

double towards(double x, double target, double most) { return x + std::clamp(target - x, -most, most); }

}  // namespace

CncParameters::CncParameters(Noise& noise) {
  cutter.specific_force *= noise.spread(0.05);
  cutter.taylor_constant *= noise.spread(0.02);
  bearing.resistance *= noise.spread(0.1);
  bearing.capacity *= noise.spread(0.1);
  bearing_friction *= noise.spread(0.1);
  unbalance *= noise.spread(0.25);
  torque_per_ampere *= noise.spread(0.02);
}

CncMachine::State::State(std::uint64_t seed)
    : p([seed] {
        Noise n(seed);
        return CncParameters(n);
      }()),
      noise(seed + 1),
      jobs(seed + 2),
      wave(seed + 3, kCncVibrationRateHz) {
  program = jobs.below(kPrograms.size());
  parts = static_cast<int>(jobs.below(500));
  wear_um = jobs.between(20, 200);
  energy_kwh = jobs.between(100, 5000);
  begin_phase(Phase::loading, jobs.between(0.5, 12));
  // It has run for hours: the bodies are as warm as they get at a usual load.
  const double usual_w = p.bearing_friction * 1.3 * 1200 * kRadPerSecond;
  p.bearing.temperature = p.bearing.settled(usual_w, ambient());
  p.motor.temperature = p.motor.settled(80, ambient());
  p.coolant.temperature = p.coolant.settled(150, ambient());
  p.cabinet.temperature = p.cabinet.settled(300, ambient());
  faults.reserve(kMaxFaults);
}

const Operation& CncMachine::State::operation() const { return kPrograms[program][block]; }

double CncMachine::State::ambient() const {
  const double days = static_cast<double>(now) * 1e-9 / 86400;
  return 22 - 3 * std::cos(2 * std::numbers::pi * days);
}

// Gebraeel's exponential degradation from 1 % to full wear.
double CncMachine::State::wear() const {
  double out = 0;
  for (const CncFault& fault : faults) {
    if (fault.kind != CncFaultKind::bearing_wear || now < fault.after) continue;
    const double share = std::min(1.0, static_cast<double>(now - fault.after) / static_cast<double>(fault.growth));
    out = std::max(out, fault.severity * 0.01 * std::pow(100, share));
  }
  return out;
}

bool CncMachine::State::stuck(CncSignal signal) const {
  return std::any_of(faults.begin(), faults.end(), [&](const CncFault& fault) {
    return fault.kind == CncFaultKind::stuck_sensor && fault.signal == signal && now > fault.after;
  });
}

// What jams also ends when the spindle stands still: someone clears it.
double CncMachine::State::jam_wanted() {
  double torque = 0;
  const bool standing = stop && speed_rpm < 1;
  std::erase_if(faults, [&](const CncFault& fault) {
    if (fault.kind == CncFaultKind::bearing_wear || now <= fault.after) return false;
    if (fault.lasting > 0 && now - fault.after > fault.lasting) return true;
    if (fault.kind != CncFaultKind::overload) return false;
    if (standing) return true;
    torque += fault.severity * kJamTorque;
    return false;
  });
  return speed_rpm > 100 ? torque : 0;
}

void CncMachine::State::step(double seconds) {
  now += static_cast<Nanos>(std::llround(seconds * 1e9));
  advance_program(seconds);
  move_spindle(seconds);
  cut(seconds);
  move_axes(seconds);
  warm(seconds);
}

void CncMachine::State::begin_phase(Phase next, double seconds) {
  phase = next;
  phase_left_s = seconds;
}

void CncMachine::State::next_operation() {
  const auto& blocks = kPrograms[program];
  if (++block < blocks.size()) {
    const bool other_tool = blocks[block].tool != tool || wear_um > kWornOut;
    begin_phase(other_tool ? Phase::changing_tool : Phase::approaching, other_tool ? 3.5 : 1.2);
    return;
  }
  block = 0;
  parts = (parts + 1) % 32768;
  if (jobs.uniform() < 0.1) program = jobs.below(kPrograms.size());  // another order
  begin_phase(Phase::loading, jobs.between(6, 10));
}

void CncMachine::State::advance_program(double seconds) {
  if (stop) return;
  cycle_s += seconds;
  if (phase == Phase::cutting) {
    cut_left_mm -= feed_mm_min / 60 * seconds;
    if (cut_left_mm <= 0) next_operation();
    return;
  }
  phase_left_s -= seconds;
  if (phase_left_s > 0) return;
  if (phase == Phase::approaching) {
    if (speed_rpm < 0.95 * operation().speed_rpm) return;  // waits for the speed
    phase = Phase::cutting;
    cut_left_mm = operation().length_mm;
    return;
  }
  if (phase == Phase::changing_tool && wear_um > kWornOut) wear_um = 0;
  if (phase == Phase::loading) cycle_s = 0;
  tool = operation().tool;
  begin_phase(Phase::approaching, 1.2);
}

void CncMachine::State::move_spindle(double seconds) {
  const bool turns = !stop && (phase == Phase::approaching || phase == Phase::cutting);
  const double wanted = turns ? operation().speed_rpm : 0, before = speed_rpm;
  speed_rpm = towards(speed_rpm, wanted, (wanted > speed_rpm ? kAcceleration : kBraking) * seconds);
  const double angular_acceleration = (speed_rpm - before) * kRadPerSecond / seconds;
  jam_torque = approach(jam_torque, jam_wanted(), seconds, kJamRise);
  const double friction = speed_rpm > 0 ? p.bearing_friction * (1 + speed_rpm / 6000) + kWornFriction * wear() : 0;
  friction_w = friction * speed_rpm * kRadPerSecond;
  motor_torque = load.torque_nm + jam_torque + friction + p.inertia * angular_acceleration;
  const double magnetising = speed_rpm > 0 ? p.magnetising_current : 0;
  current = approach(current, std::hypot(magnetising, motor_torque / p.torque_per_ampere), seconds, kCurrentLag);
}

void CncMachine::State::cut(double seconds) {
  const Operation& op = operation();
  // As real controls do: the feed waits until the spindle is at speed, or each tooth would take a huge bite.
  const bool feeding = phase == Phase::cutting && !stop && speed_rpm > kAtSpeed * op.speed_rpm;
  feed_mm_min = approach(feed_mm_min, feeding ? op.feed_mm_min * feed_override / 100 : 0, seconds, kFeedLag);
  load = {};
  if (phase != Phase::cutting || feed_mm_min < 1 || speed_rpm < 1) return;
  const Engagement engagement{speed_rpm, feed_mm_min, op.depth_mm, op.width_mm};
  load = cutting_load(p.cutter, engagement, kBluntForce * wear_um / kWornOut);
  // Faster at first and at the end, as wear curves are: a shallow cubic about the even pace.
  const double share = 2 * wear_um / kWornOut - 1;
  wear_um += kWornOut * (0.7 + 0.9 * share * share) * seconds / (60 * tool_life_min(p.cutter, speed_rpm));
}

void CncMachine::State::move_axes(double seconds) {
  vx = vy = 0;
  const double z_before = z;
  if (phase == Phase::cutting) {
    vx = direction * feed_mm_min / 60;
    if (std::fabs(x + vx * seconds) > kTravel) {  // the next pass beside this one
      direction = -direction;
      vx = 0;
      y = y > 60 ? -100 : y + operation().width_mm * 0.8;
    }
    z = towards(z, -operation().depth_mm, 20 * seconds);
  } else if (phase == Phase::approaching && !stop) {
    z = towards(z, 2, kRapid * seconds);
  } else if (!stop) {
    z = towards(z, kClear, kRapid * seconds);
  }
  x += vx * seconds;
  vz = (z - z_before) / seconds;
}

double CncMachine::State::electrical_w() const {
  const double pump = phase == Phase::cutting && !stop ? kPumpW : 0;
  const double shaft = std::max(0.0, motor_torque * speed_rpm * kRadPerSecond) / kEfficiency;
  const double copper = 1.5 * 0.12 * current * current;
  return kAuxiliaryW + pump + shaft + copper;
}

void CncMachine::State::warm(double seconds) {
  p.bearing.step(seconds, friction_w, ambient());
  p.motor.step(seconds, 1.5 * 0.12 * current * current + 60, ambient());
  p.coolant.step(seconds, 0.1 * load.torque_nm * speed_rpm * kRadPerSecond + 60, ambient());
  p.cabinet.step(seconds, 150 + 0.05 * electrical_w(), ambient());
  energy_kwh += electrical_w() * seconds / 3.6e6;
  coolant_l_min = approach(coolant_l_min, phase == Phase::cutting && !stop ? 20 : 0, seconds, kCoolantLag);
  coolant_level = coolant_level > 40 ? coolant_level - 1.5e-4 * seconds : 96;  // topped up
  oil_level = oil_level > 20 ? oil_level - 2e-5 * seconds : 90;
}

VibrationSource CncMachine::State::vibration() const {
  VibrationSource out;
  const double turning = std::min(1.0, speed_rpm / 300);
  out.shaft_hz = speed_rpm / 60;
  out.tooth_hz = out.shaft_hz * p.cutter.teeth;
  out.unbalance_mm_s = p.unbalance * speed_rpm / 1200;
  out.cutting_mm_s = 6e-4 * (load.force_n + jam_torque * 2000 / p.cutter.diameter_mm);
  out.noise_mm_s2 = 20 + 150 * turning + 400 * turning * wear();
  out.impact_mm_s2 = 6000 * turning * wear();
  return out;
}

}  // namespace alara::plants
