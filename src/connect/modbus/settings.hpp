// SPDX-License-Identifier: Apache-2.0
// A Modbus connector's options as read from the site file; sentences and limits stand in options.cpp.
#pragma once

#include <optional>

#include "base/endpoint.hpp"
#include "connect/modbus/address.hpp"
#include "connect/modbus/plan.hpp"
#include "connect/modbus/serial_port.hpp"

namespace alara::modbus {

inline constexpr std::uint16_t kModbusPort = 502;
inline constexpr std::size_t kMostInFlight = 16;

// Requests of TCP clients are passed to the same line or device.
struct Gateway {
  Endpoint listen{};
  bool writes = false;
};

struct Settings {
  Endpoint endpoint{};
  std::optional<SerialLine> serial{};  // in place of the endpoint
  std::optional<Gateway> gateway{};
  AddressDefaults defaults{};
  Limits limits{};
  Nanos poll = kSecond;
  Nanos timeout = kSecond;
  Nanos pause = 0;
  std::size_t in_flight = 1;
  Nanos reconnect_min = 100 * kMillisecond;
  Nanos reconnect_max = 30 * kSecond;
  Nanos retry = 30 * kSecond;
  bool write_single = true;  // functions 5 and 6 for one coil or register, else 15 and 16 always
  Where where{};             // of the line or endpoint in the site file

  // Where the devices are, for messages.
  [[nodiscard]] std::string place() const { return serial ? serial->device : endpoint.text(); }
};

}  // namespace alara::modbus
