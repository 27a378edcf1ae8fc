// SPDX-License-Identifier: Apache-2.0
// Registers of a Modbus device that counts the points it has handed over, and can refuse to, for an exact count.
#pragma once

#include <atomic>

#include "connect/modbus/register_bank.hpp"

namespace alara::contract {

class CountingBank final : public modbus::Responder {
 public:
  wire::ModbusException serve(const wire::ModbusRequest& request, std::span<std::uint8_t> payload) override {
    const bool read = wire::is_read(request.function);
    if (read && ended) return wire::ModbusException::busy;
    const auto exception = bank.serve(request, payload);
    if (read && exception == wire::ModbusException::none) points += request.count;  // one signal a register
    return exception;
  }
  // Both harnesses have these: 20 holding registers to read, and three targets.
  void offer(double value) {
    for (std::uint16_t i = 0; i < kSignals; ++i)
      bank.set_register(modbus::Table::holding, i, static_cast<std::uint16_t>(value));
  }
  [[nodiscard]] static std::vector<std::string> signal_addresses() {
    std::vector<std::string> addresses;
    for (std::uint16_t i = 0; i < kSignals; ++i) addresses.push_back(fmt::format("holding/{}", i));
    return addresses;
  }
  [[nodiscard]] static std::vector<std::string> actuator_addresses() {
    return {"coil/3", "holding/50:float32", "holding/52.7"};
  }
  [[nodiscard]] double actuator_value(std::size_t actuator) const {
    using modbus::Table;
    if (actuator == 0) return bank.bit(Table::coil, 3) ? 1 : 0;
    if (actuator == 1) return bank.value(Table::holding, 50, {.type = wire::RegisterType::float32});
    return bank.value(Table::holding, 52, {.type = wire::RegisterType::bit, .bit = 7});
  }

  static constexpr std::uint16_t kSignals = 20;
  modbus::RegisterBank bank{{.coils = 10, .discrete = 0, .holding = 100, .input = 0}};
  std::atomic<std::uint64_t> points{0};
  std::atomic<bool> ended{false};
};

}  // namespace alara::contract
