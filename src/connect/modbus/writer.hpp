// SPDX-License-Identifier: Apache-2.0
// The writing half of a client: turns commands into requests and what became of them into acks. Every command that was
// taken is acknowledged exactly once. Knows no socket; confined to the loop's thread.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "connect/modbus/ring.hpp"
#include "connect/modbus/settings.hpp"
#include "connect/modbus/telemetry.hpp"
#include "core/command.hpp"

namespace alara::modbus {

struct Actuator {
  ActuatorId id{};
  Address address;
};

// One command on its way to the device: first written, then, if asked for, read back.
struct Write {
  Command command;
  const Actuator* actuator = nullptr;
  wire::ModbusFunction function = wire::ModbusFunction::write_register;
  bool reading_back = false;
  std::uint8_t size = 0;
  std::array<std::uint8_t, 8> data{};

  // Its data point into this object.
  [[nodiscard]] wire::ModbusRequest request() const;
};

class Writer {
 public:
  static constexpr std::size_t kMostQueued = 1024;

  Writer(std::vector<Actuator> actuators, const Settings& settings, Telemetry& telemetry);
  void begin(CommandInbox* inbox) { inbox_ = inbox; }

  // Takes the commands that wait in the inbox. Those that can not be sent (value does not fit, queue full, not
  // connected) are acknowledged at once.
  void take(Nanos now);
  void set_connected(bool connected) { connected_ = connected; }
  [[nodiscard]] bool idle() const { return queue_.empty(); }
  [[nodiscard]] bool next(Write& write);

  void answered(const Write& write, const wire::ModbusAnswer& answer, Nanos arrival);
  void lost(const Write& write, Outcome outcome, Nanos now);
  void drop_queued(Nanos now);  // all that wait become unavailable

 private:
  void take(const Command& command, Nanos now);
  [[nodiscard]] bool encode(Write& write) const;
  void acknowledge(const Command& command, Outcome outcome, Nanos at, double read_back = 0);
  [[nodiscard]] bool agrees(const Write& write, std::span<const std::uint8_t> payload) const;

  const std::vector<Actuator> actuators_;  // by id
  const Settings& settings_;
  Telemetry& telemetry_;
  CommandInbox* inbox_ = nullptr;
  Ring<Write> queue_{kMostQueued};
  bool connected_ = false;
};

}  // namespace alara::modbus
