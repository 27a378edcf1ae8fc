// SPDX-License-Identifier: Apache-2.0
// What a Modbus server serves: the memory of one device, or code in its place.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "connect/modbus/address.hpp"

namespace alara::modbus {

// Answers for one unit. Called on the server's loop, one request at a time.
class Responder {
 public:
  virtual ~Responder() = default;
  // Fills `payload` (exactly the bytes that a read asks for) or carries a write out; or refuses.
  virtual wire::ModbusException serve(const wire::ModbusRequest& request, std::span<std::uint8_t> payload) = 0;
};

// Registers and bits in memory, numbered from 0. Thread-safe: a request, and each call below, is one atomic step, so a
// value that spans registers is never seen half written.
class RegisterBank final : public Responder {
 public:
  struct Sizes {
    std::size_t coils = 0, discrete = 0, holding = 0, input = 0;
  };
  // Told on the server's loop, after a client has written `count` coils or holding registers.
  using OnWrite = std::function<void(Table table, std::uint16_t first, std::uint16_t count)>;

  explicit RegisterBank(const Sizes& sizes, OnWrite on_write = nullptr);

  // Numbers outside the bank are a bug.
  void set_bit(Table table, std::uint16_t number, bool value);
  [[nodiscard]] bool bit(Table table, std::uint16_t number) const;
  void set_register(Table table, std::uint16_t number, std::uint16_t value);
  [[nodiscard]] std::uint16_t register_at(Table table, std::uint16_t number) const;
  // Values over one or more registers. False when the value does not fit the format.
  bool set_value(Table table, std::uint16_t first, const wire::RegisterFormat& format, double value);
  [[nodiscard]] double value(Table table, std::uint16_t first, const wire::RegisterFormat& format) const;
  // Requests that touch this range get `exception`; `none` allows them again.
  void refuse(Table table, std::uint16_t first, std::uint16_t count, wire::ModbusException exception);

  wire::ModbusException serve(const wire::ModbusRequest& request, std::span<std::uint8_t> payload) override;

 private:
  struct Refusal {
    Table table;
    std::uint16_t first;
    std::uint16_t count;
    wire::ModbusException exception;
  };
  [[nodiscard]] std::vector<std::uint8_t>& memory(Table table) { return memory_[static_cast<std::size_t>(table)]; }
  [[nodiscard]] const std::vector<std::uint8_t>& memory(Table table) const {
    return memory_[static_cast<std::size_t>(table)];
  }
  [[nodiscard]] wire::ModbusException allowed(Table table, const wire::ModbusRequest& request) const;
  void write(const wire::ModbusRequest& request);

  const OnWrite on_write_;
  mutable std::mutex mutex_;                         // guards all below
  std::array<std::vector<std::uint8_t>, 4> memory_;  // by table: a byte for each bit; registers as on the wire
  std::vector<Refusal> refusals_;
};

}  // namespace alara::modbus
