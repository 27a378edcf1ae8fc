// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/silent_units.hpp"

#include <algorithm>

namespace alara::modbus {
namespace {

constexpr int kTimeoutsBeforeRest = 2;
constexpr int kMostDoublings = 20;

}  // namespace

SilentUnits::SilentUnits(const Settings& settings, bool several, Telemetry& telemetry)
    : settings_(settings),
      rule_(settings.serial ? Rule::back_off
            : several       ? Rule::rest
                            : Rule::never),
      telemetry_(telemetry) {}

void SilentUnits::connected() {
  if (rule_ == Rule::back_off) return;  // opening the line anew keeps no late answer away
  units_.fill({});
  speaking_ = 0;
  count_silent();
}

void SilentUnits::count_silent() {
  const auto silent = std::ranges::count_if(units_, [](const Unit& unit) { return unit.timeouts > 0; });
  telemetry_.silent_units.store(static_cast<std::uint64_t>(silent), std::memory_order_relaxed);
}

void SilentUnits::answered(std::uint8_t number) {
  Unit& unit = units_[number];
  if (unit.speaks) return;
  unit = {.timeouts = 0, .speaks = true, .rests_until = 0};
  ++speaking_;
  count_silent();
}

void SilentUnits::silent(std::uint8_t number, Nanos now) {
  Unit& unit = units_[number];
  if (unit.speaks) --speaking_;
  unit.speaks = false;
  const int before = unit.timeouts++;
  if (before == 0) count_silent();
  if (rule_ == Rule::rest && unit.timeouts >= kTimeoutsBeforeRest) unit.rests_until = now + settings_.retry;
  if (rule_ != Rule::back_off) return;
  Nanos wait = settings_.timeout;
  for (int i = 0; i < std::min(before, kMostDoublings) && others_speak(number) && wait < settings_.retry; ++i)
    wait *= 2;
  unit.rests_until = now + std::max(settings_.timeout, std::min(wait, settings_.retry));
}

bool SilentUnits::late(std::uint8_t number) {
  Unit& unit = units_[number];
  if (unit.timeouts == 0) return false;
  unit.rests_until = 0;
  return true;
}

}  // namespace alara::modbus
