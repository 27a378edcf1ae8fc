// SPDX-License-Identifier: Apache-2.0
// Addresses of Modbus values as people write them in a site file:
//
//   [unit@]table/number[.bit][:type[order]][*scale][+offset|-offset][?poll=period]
//
//   holding/102:float32be        input/7:int16*0.1+5       2@holding/40:uint32CDAB?poll=100ms
//   coil/3   discrete/4          holding/10.3              holding/20:string8
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "wire/modbus.hpp"
#include "wire/modbus_value.hpp"

namespace alara::modbus {

enum class Table : std::uint8_t { coil, discrete, holding, input };
[[nodiscard]] std::string_view name_of(Table table);
[[nodiscard]] constexpr bool is_of_bits(Table table) { return table == Table::coil || table == Table::discrete; }
[[nodiscard]] wire::ModbusFunction reading(Table table);

// What an address leaves open is taken from the connector's options.
struct AddressDefaults {
  std::uint8_t unit = 1;
  wire::ByteOrder order = wire::ByteOrder::abcd;
  std::uint16_t first_address = 0;  // the number that people give to the first register: 0 or 1
};

struct Address {
  std::uint8_t unit = 1;
  Table table = Table::holding;
  std::uint16_t first = 0;      // as on the wire, from 0
  std::uint16_t count = 1;      // registers or bits
  wire::RegisterFormat format;  // of registers; scale and offset also of bits
  Nanos poll = 0;               // 0: not said
};

[[nodiscard]] Result<Address> parse_address(std::string_view text, const AddressDefaults& defaults);

// The grammar for people, with examples.
[[nodiscard]] std::string_view address_grammar();

}  // namespace alara::modbus
