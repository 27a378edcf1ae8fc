// SPDX-License-Identifier: Apache-2.0
// Forces, wear and heat of a milling spindle: the closed forms that the machine is made of.
#pragma once

namespace alara::plants {

struct Cutter {
  double diameter_mm = 50;
  int teeth = 4;
  double specific_force = 1700;  // k_c1.1, N/mm2: carbon steel
  double force_exponent = 0.25;  // m_c
  double taylor_constant = 350;  // cutting speed, m/min, at which an edge lasts 1 min
  double taylor_exponent = 0.25;
};

struct Engagement {
  double speed_rpm = 0, feed_mm_min = 0;
  double depth_mm = 0, width_mm = 0;  // axial, radial
};

struct CuttingLoad {
  double force_n = 0;    // mean tangential force on the teeth in the cut
  double torque_nm = 0;  // at the spindle
};

// Kienzle: F = k_c1.1 b h^(1-m_c) per tooth, with the mean chip thickness h = f_z sqrt(a_e / D), over the teeth in the
// cut (Kienzle, VDI-Z 94 (1952); in the form of Degner, Lutze & Smejkal, Spanende Formung). `blunt` raises it: 0 sharp.
[[nodiscard]] CuttingLoad cutting_load(const Cutter& cutter, const Engagement& cut, double blunt);

// Taylor: V T^n = C. Minutes that an edge lasts at this speed; infinite when it does not turn.
[[nodiscard]] double tool_life_min(const Cutter& cutter, double speed_rpm);

// One body: capacity dT/dt = power - (T - ambient) / resistance.
struct ThermalBody {
  double capacity = 1;    // J/K
  double resistance = 1;  // K/W
  double temperature = 20;

  // Exact for a power that is constant over the step.
  void step(double seconds, double power_w, double ambient);
  [[nodiscard]] double settled(double power_w, double ambient) const { return ambient + resistance * power_w; }
};

// x moves towards target with the time constant; exact for a constant target.
[[nodiscard]] double approach(double x, double target, double seconds, double time_constant);

}  // namespace alara::plants
