// SPDX-License-Identifier: Apache-2.0
#include "plants/cnc_machine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <set>
#include <string>

#include "base/units.hpp"
#include "plants/bearing_waveform.hpp"
#include "plants/cutting.hpp"

namespace alara::plants {
namespace {

using S = CncSignal;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Steps until `done`, at most ten minutes.
template <typename Done>
bool run_until(CncMachine& machine, Done done, Nanos dt = 10 * kMillisecond) {
  for (Nanos t = 0; t < 10 * kMinute; t += dt) {
    if (done()) return true;
    machine.step(dt);
  }
  return false;
}

bool until_cutting(CncMachine& machine) {
  return run_until(machine, [&] { return machine.value(S::state) == 2 && machine.value(S::cutting_force) > 100; });
}

TEST(Cutting, ForceFollowsKienzle) {
  const Cutter cutter;
  const CuttingLoad one = cutting_load(cutter,
                                       {
                                           1200,
                                           600,
                                           2,
                                           25,
                                       },
                                       0);
  // Half the diameter engaged: a quarter of the teeth cut; h = 0.125 sqrt(1/2) mm.
  const double per_tooth = 1700 * 2 * std::pow(0.125 * std::sqrt(0.5), 0.75);
  EXPECT_NEAR(one.force_n, per_tooth, 1e-9);
  EXPECT_NEAR(one.torque_nm, per_tooth * 0.025, 1e-9);
  EXPECT_NEAR(cutting_load(cutter, {1200, 600, 4, 25}, 0).force_n, 2 * one.force_n, 1e-9);
  EXPECT_NEAR(cutting_load(cutter, {1200, 1200, 2, 25}, 0).force_n, std::pow(2, 0.75) * one.force_n, 1e-9);
  EXPECT_EQ(cutting_load(cutter, {0, 600, 2, 25}, 0).torque_nm, 0);
}

TEST(Cutting, ToolLifeFollowsTaylor) {
  const Cutter cutter;
  const double v1 = 1000 * std::numbers::pi * 50 / 1000;
  EXPECT_NEAR(v1 * std::pow(tool_life_min(cutter, 1000), 0.25), 350, 1e-9);
  EXPECT_NEAR(tool_life_min(cutter, 1000) / tool_life_min(cutter, 2000), 16, 1e-9);
}

TEST(Thermal, WarmsAsItsClosedFormAndBalancesEnergy) {
  ThermalBody body{1500, 0.5, 20};
  double stored = 0, lost = 0, in = 0;
  for (int i = 0; i < 60'000; ++i) {
    const double before = body.temperature;
    body.step(0.01, 80, 20);
    in += 80 * 0.01;
    stored += 1500 * (body.temperature - before);
    lost += (0.5 * (before + body.temperature) - 20) / 0.5 * 0.01;
  }
  EXPECT_NEAR(body.temperature, 20 + 40 * (1 - std::exp(-600 / 750.0)), 1e-9);
  EXPECT_NEAR(in, stored + lost, 1e-4 * in);
  ThermalBody once{1500, 0.5, 20};
  once.step(600, 80, 20);
  EXPECT_NEAR(once.temperature, body.temperature, 1e-9);  // exact for any step
}

TEST(CncSignals, TableIsWhole) {
  std::set<std::string_view> names;
  std::set<std::uint16_t> registers, coils;
  for (std::size_t i = 0; i < kCncSignals; ++i) {
    const CncSignalInfo& info = cnc_signals()[i];
    EXPECT_EQ(static_cast<std::size_t>(info.signal), i);
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_TRUE(Unit::parse(info.unit)) << info.name << " in " << info.unit;
    EXPECT_FALSE(info.sentence.empty());
    if (info.home == Home::coil) {
      EXPECT_TRUE(coils.insert(info.place).second);
    }
    for (int r = 0; r < (info.home == Home::holding_float32 ? 2 : info.home == Home::holding_int16 ? 1 : 0); ++r)
      EXPECT_TRUE(registers.insert(static_cast<std::uint16_t>(info.place + r)).second) << info.name;
  }
  EXPECT_EQ(registers.size(), kCncRegisters);  // side by side: as many as the highest says
  EXPECT_EQ(*registers.rbegin() + 1, kCncRegisters);
  EXPECT_EQ(coils.size(), kCncCoils);
}

TEST(CncMachine, SameSeedSameValuesWhateverElseIsAsked) {
  CncMachine a(7), b(7), other(8);
  bool differs = false;
  std::array<double, 64> block{};
  for (int i = 0; i < 3000; ++i) {
    for (CncMachine* machine : {&a, &b, &other}) machine->step(20 * kMillisecond);
    if (i % 10 == 0) b.waveform(block);
    for (std::size_t s = 0; s + 1 < kCncSignals; ++s) {
      ASSERT_EQ(a.value(s), b.value(s)) << cnc_signals()[s].name;
      differs = differs || a.value(s) != other.value(s);
    }
  }
  EXPECT_TRUE(differs);
}

TEST(CncMachine, WorksThroughPartsWithinWhatAMachineCanDo) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CncMachine machine(seed);
    const double parts = machine.value(S::part_counter), energy = machine.value(S::energy);
    std::set<double> states;
    double highest_current = 0, integral_kwh = 0;
    for (int i = 0; i < 120'000; ++i) {  // 20 minutes
      machine.step(10 * kMillisecond);
      states.insert(machine.value(S::state));
      highest_current = std::max(highest_current, machine.value(S::spindle_current));
      integral_kwh += machine.value(S::total_power) * 0.01 / 3600;
      ASSERT_LE(std::fabs(machine.value(S::x_position)), 151);
      for (std::size_t s = 0; s < kCncSignals; ++s)
        ASSERT_TRUE(std::isfinite(machine.value(s))) << cnc_signals()[s].name;
    }
    EXPECT_EQ(states, (std::set<double>{0, 1, 2, 3}));
    EXPECT_GE(machine.value(S::part_counter) - parts, 5);
    EXPECT_LT(highest_current, 34) << "seed " << seed;  // the demo stops machines above 38 A
    EXPECT_GT(highest_current, 12);
    EXPECT_NEAR(machine.value(S::energy) - energy, integral_kwh, 1e-3 * integral_kwh);
    EXPECT_LT(machine.value(S::bearing_temperature), 75);
  }
}

TEST(CncMachine, CurrentIsTorqueOverTheMotorsConstant) {
  CncMachine machine(3);
  ASSERT_TRUE(until_cutting(machine));
  machine.step(500 * kMillisecond);
  ASSERT_EQ(machine.value(S::state), 2);
  const double torque = machine.value(S::spindle_torque), current = machine.value(S::spindle_current);
  EXPECT_NEAR(current, std::hypot(3, torque / 1.2), 0.1 * current);  // constants spread by 2 %, noise by 0.15 A
  const double power = torque * machine.value(S::spindle_speed) * 2 * std::numbers::pi / 60 / 1000;
  EXPECT_NEAR(machine.value(S::spindle_power), power, 0.05 * power);
}

TEST(CncMachine, OverloadRaisesTheCurrentWithinMilliseconds) {
  CncMachine machine(3);
  ASSERT_TRUE(until_cutting(machine));
  ASSERT_TRUE(machine.inject({.kind = CncFaultKind::overload, .after = 5 * kMillisecond}));
  for (int i = 0; i < 5; ++i) {
    machine.step(kMillisecond);
    EXPECT_LT(machine.value(S::spindle_current), 34);
  }
  int ms = 0;
  for (; ms < 100 && machine.value(S::spindle_current) <= 38; ++ms) machine.step(kMillisecond);
  EXPECT_LE(ms, 12);
  EXPECT_GE(ms, 2);
  machine.step(kSecond);
  EXPECT_GT(machine.value(S::spindle_current), 38);  // and stays
  EXPECT_EQ(machine.value(S::alarm), 1);
}

TEST(CncMachine, TheStopCoilBringsTheCurrentDownAndClearsTheJam) {
  CncMachine machine(3);
  ASSERT_TRUE(until_cutting(machine));
  ASSERT_TRUE(machine.inject({.kind = CncFaultKind::overload}));
  machine.step(100 * kMillisecond);
  ASSERT_GT(machine.value(S::spindle_current), 38);
  ASSERT_TRUE(machine.write(CncActuator::stop, 1));
  machine.step(2 * kSecond);
  EXPECT_EQ(machine.value(S::spindle_speed), 0);
  EXPECT_EQ(machine.value(S::running), 0);
  EXPECT_EQ(machine.value(S::state), 4);
  EXPECT_EQ(machine.value(S::stop), 1);
  EXPECT_LT(machine.value(S::spindle_current), 1);
  EXPECT_LT(machine.value(S::feed_rate), 1);
  const double parts = machine.value(S::part_counter);
  machine.step(10 * kMinute);
  EXPECT_EQ(machine.value(S::part_counter), parts);  // holds
  ASSERT_TRUE(machine.write(CncActuator::stop, 0));
  EXPECT_TRUE(run_until(machine, [&] { return machine.value(S::part_counter) != parts; }));
  EXPECT_LT(machine.value(S::spindle_current), 34);
}

TEST(CncMachine, WearOfABearingShowsInTemperatureAndVibration) {
  CncMachine worn(11), healthy(11);
  ASSERT_TRUE(worn.inject({.kind = CncFaultKind::bearing_wear, .growth = 10 * kMinute}));
  double at_half = 0;
  for (int i = 0; i < 12'000; ++i) {  // 20 minutes
    worn.step(100 * kMillisecond);
    healthy.step(100 * kMillisecond);
    if (i == 3000) at_half = worn.value(S::bearing_temperature) - healthy.value(S::bearing_temperature);
  }
  const double at_end = worn.value(S::bearing_temperature) - healthy.value(S::bearing_temperature);
  EXPECT_GT(at_end, 30);
  EXPECT_GT(at_half, 0.2);
  EXPECT_LT(at_half, at_end / 5);  // exponential: little at first
  ASSERT_TRUE(run_until(worn, [&] { return worn.value(S::running) == 1; }));
  EXPECT_GT(worn.value(S::vibration_rms), 3);
  worn.repair();
  worn.step(kHour);
  EXPECT_LT(worn.value(S::bearing_temperature), 75);
}

TEST(CncMachine, AStuckSensorKeepsItsValueAndNothingElseChanges) {
  CncMachine machine(5), twin(5);
  ASSERT_TRUE(machine.inject({.kind = CncFaultKind::stuck_sensor,
                              .after = kSecond,
                              .lasting = 30 * kSecond,
                              .signal = S::bearing_temperature}));
  for (int i = 0; i < 11; ++i) machine.step(100 * kMillisecond), twin.step(100 * kMillisecond);
  const double kept = machine.value(S::bearing_temperature);
  for (int i = 0; i < 290; ++i) {
    machine.step(100 * kMillisecond);
    twin.step(100 * kMillisecond);
    ASSERT_EQ(machine.value(S::bearing_temperature), kept);
    ASSERT_EQ(machine.value(S::spindle_current), twin.value(S::spindle_current));
  }
  machine.step(2 * kSecond);
  twin.step(2 * kSecond);
  EXPECT_EQ(machine.value(S::bearing_temperature), twin.value(S::bearing_temperature));
}

TEST(CncMachine, FeedOverrideSlowsTheCutAndEasesTheLoad) {
  CncMachine machine(3);
  ASSERT_TRUE(until_cutting(machine));
  machine.step(300 * kMillisecond);
  const double force = machine.value(S::cutting_force), feed = machine.value(S::feed_rate);
  ASSERT_TRUE(machine.write(CncActuator::feed_override, 50));
  machine.step(300 * kMillisecond);
  EXPECT_NEAR(machine.value(S::feed_rate), feed / 2, 0.01 * feed);
  EXPECT_NEAR(machine.value(S::cutting_force), force * std::pow(0.5, 0.75), 0.02 * force);
  EXPECT_EQ(machine.value(S::feed_override), 50);
}

TEST(CncMachine, RefusesWhatItCanNotTake) {
  CncMachine machine(1);
  EXPECT_FALSE(machine.write(CncActuator::feed_override, 151));
  EXPECT_FALSE(machine.write(CncActuator::feed_override, -1));
  EXPECT_FALSE(machine.write(CncActuator::feed_override, kNaN));
  EXPECT_FALSE(machine.write(CncActuator::stop, 2));
  EXPECT_FALSE(machine.inject({.kind = CncFaultKind::overload, .after = -1}));
  EXPECT_FALSE(machine.inject({.kind = CncFaultKind::overload, .severity = kNaN}));
  EXPECT_FALSE(machine.inject({.kind = CncFaultKind::bearing_wear, .growth = 0}));
  machine.step(kSecond);
  EXPECT_FALSE(machine.inject({.kind = CncFaultKind::overload, .after = kNever}));
  for (std::size_t i = 0; i < CncMachine::kMaxFaults; ++i)
    static_cast<void>(machine.inject({.kind = CncFaultKind::stuck_sensor}));
  EXPECT_FALSE(machine.inject({.kind = CncFaultKind::stuck_sensor}));
}

TEST(BearingWaveform, CarriesItsUnbalanceAndJoinsBlocks) {
  VibrationSource source{.shaft_hz = 20, .unbalance_mm_s = 0.5};
  BearingWaveform whole(1, 6400), parts(1, 6400);
  std::vector<double> a(6400), b(6400);
  whole.generate(source, a);
  for (std::size_t at = 0; at < b.size(); at += 100) parts.generate(source, {b.data() + at, 100});
  EXPECT_EQ(a, b);
  double square = 0;
  for (const double v : a) square += v * v;
  EXPECT_NEAR(std::sqrt(square / 6400), 0.5 * 2 * std::numbers::pi * 20, 0.1);  // a = 2 pi f v
}

TEST(BearingWaveform, AWornBearingIsImpulsive) {
  CncMachine machine(9);
  ASSERT_TRUE(until_cutting(machine));
  const auto kurtosis = [&machine] {
    std::vector<double> x(12800);
    machine.waveform(x);
    double mean = 0, second = 0, fourth = 0;
    for (const double v : x) mean += v / static_cast<double>(x.size());
    for (const double v : x) {
      second += (v - mean) * (v - mean);
      fourth += std::pow(v - mean, 4);
    }
    EXPECT_EQ(machine.value(S::vibration), x.back());
    return fourth * static_cast<double>(x.size()) / (second * second);
  };
  const double healthy = kurtosis();
  ASSERT_TRUE(machine.inject({.kind = CncFaultKind::bearing_wear, .growth = 1}));
  machine.step(10 * kMillisecond);
  EXPECT_GT(kurtosis(), healthy + 1);
}

}  // namespace
}  // namespace alara::plants
