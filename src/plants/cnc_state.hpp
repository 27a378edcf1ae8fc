// SPDX-License-Identifier: Apache-2.0
// The inside of CncMachine: parameters drawn once, state, and the laws that move it. Not for users of the plant.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "plants/bearing_waveform.hpp"
#include "plants/cnc_machine.hpp"
#include "plants/cutting.hpp"
#include "plants/noise.hpp"

namespace alara::plants {

// One cut of a program.
struct Operation {
  double speed_rpm, feed_mm_min, depth_mm, width_mm, length_mm;
  int tool;
};

// Drawn once per machine: no two are alike.
struct CncParameters {
  Cutter cutter;
  ThermalBody bearing{1500, 0.5, 0}, motor{9000, 0.12, 0}, coolant{120'000, 0.02, 0}, cabinet{20'000, 0.03, 0};
  double torque_per_ampere = 1.2;  // N*m/A
  double magnetising_current = 3;  // A, drawn as soon as the spindle turns
  double inertia = 0.05;           // kg*m2, spindle and tool
  double bearing_friction = 0.5;   // N*m, new
  double unbalance = 0.4;          // mm/s rms at 1200 rpm
  double supply_voltage = 400;

  explicit CncParameters(Noise& noise);
};

struct CncMachine::State {
  enum class Phase : std::uint8_t { loading, approaching, cutting, changing_tool };

  explicit State(std::uint64_t seed);

  void step(double seconds);  // at most 10 ms
  void measure(std::array<double, kCncSignals>& out);
  [[nodiscard]] VibrationSource vibration() const;
  [[nodiscard]] double wear() const;  // of the bearing, 0 new … 1 worn
  [[nodiscard]] const Operation& operation() const;
  [[nodiscard]] bool stuck(CncSignal signal) const;

  // constant after construction
  CncParameters p;

  Noise noise;  // of the measurements
  Noise jobs;   // of the programs
  BearingWaveform wave;
  Nanos now = 0;
  std::vector<CncFault> faults;  // `after` counts from 0, not from the injection

  // what the program wants
  Phase phase = Phase::loading;
  double phase_left_s = 0;
  std::size_t program = 0, block = 0;
  double cut_left_mm = 0;
  int tool = 1;
  int parts = 0;
  double cycle_s = 0;
  bool stop = false;
  double feed_override = 100;

  // what the machine does
  double speed_rpm = 0, feed_mm_min = 0;
  CuttingLoad load;
  double jam_torque = 0, motor_torque = 0, current = 0, friction_w = 0;
  double x = -150, y = -100, z = 100, vx = 0, vy = 0, vz = 0, direction = 1;
  double wear_um = 0;
  double energy_kwh = 0, coolant_l_min = 0, coolant_level = 96, oil_level = 90;

 private:
  void advance_program(double seconds);
  void next_operation();
  void begin_phase(Phase next, double seconds);
  void move_spindle(double seconds);
  void move_axes(double seconds);
  void cut(double seconds);
  void warm(double seconds);
  [[nodiscard]] double jam_wanted();
  [[nodiscard]] double ambient() const;
  [[nodiscard]] double electrical_w() const;
  void measure_axes(std::array<double, kCncSignals>& out);
  void measure_fluids(std::array<double, kCncSignals>& out);
  void measure_program(std::array<double, kCncSignals>& out) const;
};

}  // namespace alara::plants
