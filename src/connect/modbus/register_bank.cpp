// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/register_bank.hpp"

#include <algorithm>
#include <cstring>

#include "base/result.hpp"

namespace alara::modbus {
namespace {

using wire::ModbusException;
using wire::ModbusFunction;

Table table_of(ModbusFunction function) {
  switch (function) {
    case ModbusFunction::read_coils:
    case ModbusFunction::write_coil:
    case ModbusFunction::write_coils:
      return Table::coil;
    case ModbusFunction::read_discrete:
      return Table::discrete;
    case ModbusFunction::read_input:
      return Table::input;
    default:
      return Table::holding;
  }
}

}  // namespace

RegisterBank::RegisterBank(const Sizes& sizes, OnWrite on_write) : on_write_(std::move(on_write)) {
  memory(Table::coil).resize(sizes.coils);
  memory(Table::discrete).resize(sizes.discrete);
  memory(Table::holding).resize(2 * sizes.holding);
  memory(Table::input).resize(2 * sizes.input);
}

void RegisterBank::set_bit(Table table, std::uint16_t number, bool value) {
  const std::lock_guard lock(mutex_);
  ALARA_ASSERT(is_of_bits(table) && number < memory(table).size(), "a bit must be inside the bank");
  memory(table)[number] = value ? 1 : 0;
}

bool RegisterBank::bit(Table table, std::uint16_t number) const {
  const std::lock_guard lock(mutex_);
  ALARA_ASSERT(is_of_bits(table) && number < memory(table).size(), "a bit must be inside the bank");
  return memory(table)[number] != 0;
}

void RegisterBank::set_register(Table table, std::uint16_t number, std::uint16_t value) {
  static_cast<void>(set_value(table, number, {}, value));
}

std::uint16_t RegisterBank::register_at(Table table, std::uint16_t number) const {
  return static_cast<std::uint16_t>(value(table, number, {}));
}

bool RegisterBank::set_value(Table table, std::uint16_t first, const wire::RegisterFormat& format, double value) {
  const std::lock_guard lock(mutex_);
  const std::size_t bytes = 2 * wire::registers_of(format);
  ALARA_ASSERT(!is_of_bits(table) && 2u * first + bytes <= memory(table).size(), "a value must be inside the bank");
  return wire::encode_value(format, value, std::span(memory(table)).subspan(2u * first, bytes));
}

double RegisterBank::value(Table table, std::uint16_t first, const wire::RegisterFormat& format) const {
  const std::lock_guard lock(mutex_);
  ALARA_ASSERT(!is_of_bits(table) && 2u * first + 2 * wire::registers_of(format) <= memory(table).size(),
               "a value must be inside the bank");
  return wire::decode_value(format, memory(table).data() + 2u * first);
}

void RegisterBank::refuse(Table table, std::uint16_t first, std::uint16_t count, ModbusException exception) {
  const std::lock_guard lock(mutex_);
  std::erase_if(refusals_, [&](const Refusal& r) { return r.table == table && r.first == first && r.count == count; });
  if (exception != ModbusException::none) refusals_.push_back({table, first, count, exception});
}

ModbusException RegisterBank::allowed(Table table, const wire::ModbusRequest& request) const {
  const std::size_t end = std::size_t{request.first} + request.count;
  if (end * (is_of_bits(table) ? 1 : 2) > memory(table).size()) return ModbusException::illegal_address;
  for (const Refusal& refusal : refusals_)
    if (refusal.table == table && request.first < refusal.first + refusal.count && refusal.first < end)
      return refusal.exception;
  return ModbusException::none;
}

ModbusException RegisterBank::serve(const wire::ModbusRequest& request, std::span<std::uint8_t> payload) {
  const Table table = table_of(request.function);
  {
    const std::lock_guard lock(mutex_);
    if (const auto exception = allowed(table, request); exception != ModbusException::none) return exception;
    if (!wire::is_read(request.function)) {
      write(request);
    } else if (is_of_bits(table)) {
      std::ranges::fill(payload, std::uint8_t{0});
      for (std::size_t i = 0; i < request.count; ++i)
        payload[i / 8] = static_cast<std::uint8_t>(payload[i / 8] | (memory(table)[request.first + i] << (i % 8)));
    } else {
      std::memcpy(payload.data(), memory(table).data() + 2u * request.first, payload.size());
    }
  }
  if (!wire::is_read(request.function) && on_write_) on_write_(table, request.first, request.count);
  return ModbusException::none;
}

void RegisterBank::write(const wire::ModbusRequest& request) {
  const Table table = table_of(request.function);
  if (is_of_bits(table)) {
    for (std::size_t i = 0; i < request.count; ++i)
      memory(table)[request.first + i] = wire::load_bit(request.data, i) ? 1 : 0;
  } else if (request.function == ModbusFunction::mask_register) {
    std::uint8_t* at = memory(table).data() + 2u * request.first;
    const std::uint16_t and_mask = wire::load_u16(request.data.data());
    const std::uint16_t or_mask = wire::load_u16(request.data.data() + 2);
    wire::store_u16(at, static_cast<std::uint16_t>((wire::load_u16(at) & and_mask) | (or_mask & ~and_mask)));
  } else {
    std::memcpy(memory(table).data() + 2u * request.first, request.data.data(), request.data.size());
  }
}

}  // namespace alara::modbus
