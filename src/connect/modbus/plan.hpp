// SPDX-License-Identifier: Apache-2.0
// Which requests read which tags: the fewest that the device's limits allow. A request covers tags of one unit, table
// and period; it never splits a value, and reads at most `max_gap` unwanted registers or bits between two tags.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "connect/modbus/address.hpp"
#include "core/sample.hpp"

namespace alara::modbus {

struct Tag {
  SignalId signal{};
  Address address;  // poll is set
};

struct Limits {
  std::uint16_t max_registers = wire::kMaxReadRegisters;
  std::uint16_t max_bits = wire::kMaxReadBits;
  std::uint16_t max_gap = 16;
};

// A boundary that no request may cross, learned from a device that refused a merged read.
struct Barrier {
  std::uint8_t unit;
  Table table;
  std::uint16_t before;  // register or bit: what lies below it and what begins here are read apart

  friend bool operator==(const Barrier&, const Barrier&) = default;
};

struct ReadPlan {
  std::uint8_t unit = 1;
  Table table = Table::holding;
  std::uint16_t first = 0;
  std::uint16_t count = 0;
  Nanos period = 0;
  std::vector<std::uint32_t> tags;  // indices, by first register
};

// Plans the tags whose numbers are in `wanted`. Sorted by period, unit, table, first.
[[nodiscard]] std::vector<ReadPlan> plan_reads(std::span<const Tag> tags, std::span<const std::uint32_t> wanted,
                                               const Limits& limits, std::span<const Barrier> barriers = {});

// One request for exactly these tags, which must be of one unit, table and period and fit in one request.
[[nodiscard]] ReadPlan read_of(std::span<const Tag> tags, std::span<const std::uint32_t> sorted);

// "every 10ms  unit 1  holding 100..223 (124 registers, 62 signals)", and a line with the sum in front.
[[nodiscard]] std::vector<std::string> explain_reads(std::span<const ReadPlan> plans);

}  // namespace alara::modbus
