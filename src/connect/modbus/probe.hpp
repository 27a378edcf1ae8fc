// SPDX-License-Identifier: Apache-2.0
// A live register shown in every type and byte order, so that a user picks the right one by sight.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "connect/modbus/address.hpp"
#include "connect/modbus/settings.hpp"

namespace alara::modbus {

struct Probe {
  Address address;
  std::vector<std::uint8_t> bytes;  // of up to 8 registers, as on the wire; of bits: one byte each
  struct Row {
    wire::RegisterType type;
    std::array<double, 4> value;  // in ABCD, BADC, CDAB, DCBA
  };
  std::vector<Row> rows;            // types that the bytes suffice for; empty for bits
  std::array<std::string, 2> text;  // ABCD, BADC
};

// Connects, reads as many registers as the device gives (8, 4, 2 or 1 from the address on; of bits 16 to 1) and decodes
// them. Of the settings: where the device is and `timeout`, a few times of which it blocks at most. The address's type
// is ignored.
[[nodiscard]] Result<Probe> probe(const Settings& settings, const Address& address, Clock& clock);

// A table for people, with the addresses to write into a site file.
[[nodiscard]] std::string format_probe(const Probe& probe);

}  // namespace alara::modbus
