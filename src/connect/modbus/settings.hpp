// SPDX-License-Identifier: Apache-2.0
// A Modbus connector's options as read from the site file; sentences and limits stand in protocol.cpp.
#pragma once

#include "connect/modbus/address.hpp"
#include "connect/modbus/endpoint.hpp"
#include "connect/modbus/plan.hpp"

namespace alara::modbus {

inline constexpr std::size_t kMostInFlight = 16;

struct Settings {
  Endpoint endpoint{};
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
};

}  // namespace alara::modbus
