// SPDX-License-Identifier: Apache-2.0
#include "plants/cnc_machine.hpp"

#include <algorithm>

#include "plants/cnc_state.hpp"

namespace alara::plants {
namespace {

constexpr Nanos kLongestStep = 10 * kMillisecond;

}  // namespace

CncMachine::CncMachine(std::uint64_t seed) : state_(std::make_unique<State>(seed)) { state_->measure(measured_); }
CncMachine::~CncMachine() = default;
CncMachine::CncMachine(CncMachine&&) noexcept = default;
CncMachine& CncMachine::operator=(CncMachine&&) noexcept = default;

Nanos CncMachine::elapsed() const { return state_->now; }

void CncMachine::step(Nanos dt) {
  for (Nanos left = dt; left > 0; left -= kLongestStep)
    state_->step(static_cast<double>(std::min(left, kLongestStep)) * 1e-9);
  const std::array<double, kCncSignals> before = measured_;
  state_->measure(measured_);
  at(measured_, CncSignal::vibration) = before[static_cast<std::size_t>(CncSignal::vibration)];
  for (const CncFault& fault : state_->faults)
    if (fault.kind == CncFaultKind::stuck_sensor && state_->stuck(fault.signal))
      at(measured_, fault.signal) = before[static_cast<std::size_t>(fault.signal)];
}

void CncMachine::waveform(std::span<double> out) {
  if (out.empty()) return;
  double& last = at(measured_, CncSignal::vibration);
  state_->wave.generate(state_->vibration(), out);
  if (state_->stuck(CncSignal::vibration)) std::fill(out.begin(), out.end(), last);
  last = out.back();
}

Status CncMachine::write(CncActuator actuator, double value) {
  const CncActuatorInfo& info = cnc_actuators()[static_cast<std::size_t>(actuator)];
  if (!(value >= info.least && value <= info.most))
    return fail(ErrorKind::refused, "{} can not be {}; {:g} to {:g} can",
                cnc_signals()[static_cast<std::size_t>(info.signal)].name, value, info.least, info.most);
  if (actuator == CncActuator::stop)
    state_->stop = value >= 0.5;
  else
    state_->feed_override = value;
  return {};
}

Status CncMachine::inject(const CncFault& fault) {
  if (state_->faults.size() >= kMaxFaults)
    return fail(ErrorKind::exhausted, "{} faults are pending already", kMaxFaults);
  const bool sane = fault.after >= 0 && fault.lasting >= 0 && fault.growth > 0 && fault.severity > 0 &&
                    fault.severity <= 10 && static_cast<std::size_t>(fault.signal) < kCncSignals &&
                    fault.after < kNever - state_->now;
  if (!sane)
    return fail(ErrorKind::bad_input, "a fault needs times from 0, a growth above 0 and a severity above 0 up to 10");
  CncFault absolute = fault;
  absolute.after += state_->now;
  state_->faults.push_back(absolute);
  return {};
}

void CncMachine::repair() { state_->faults.clear(); }

}  // namespace alara::plants
