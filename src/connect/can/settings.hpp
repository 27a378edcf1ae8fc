// SPDX-License-Identifier: Apache-2.0
// The options of one CAN connector, read and checked.
#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "core/schema.hpp"
#include "wire/can/dbc.hpp"
#include "wire/can/j1939.hpp"

namespace alara::can {

enum class BusKind : std::uint8_t { socketcan, slcan, log };

struct Settings {
  BusKind bus = BusKind::socketcan;
  std::string endpoint;  // interface, serial device, or path of a log
  char bitrate = '6';    // slcan's S command
  int serial_baud = 115200;
  std::shared_ptr<const wire::can::Dbc> dbc;  // never null
  bool j1939 = false;
  std::uint8_t address = wire::can::kEveryone;  // ours on a J1939 bus; kEveryone: only listen
  Nanos silence = 5 * kSecond;                  // 0: never taken for a fault
  Nanos request_timeout = 200 * kMillisecond;
  Nanos ack_timeout = 500 * kMillisecond;
  Nanos reconnect_min = 100 * kMillisecond, reconnect_max = 30 * kSecond;
  double speed = 0;  // of a log: multiples of real time; 0: as fast as possible
};

[[nodiscard]] const Schema& schema();
// `options` has passed schema().check(). Relative paths start at `directory`. Errors name the option's place.
[[nodiscard]] Result<Settings> read_settings(const Node& options, const std::string& directory);

}  // namespace alara::can
