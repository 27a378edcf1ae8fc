// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/link.hpp"

#include "connect/modbus/serial_link.hpp"
#include "connect/modbus/tcp_link.hpp"

namespace alara::modbus {

std::unique_ptr<Link> make_link(const Settings& settings, IoLoop& loop, Clock& clock, Link::Owner& owner,
                                Telemetry& telemetry) {
  if (settings.serial) return std::make_unique<SerialLink>(loop, clock, *settings.serial, owner, telemetry);
  return std::make_unique<TcpLink>(loop, clock, settings.endpoint, settings.timeout, owner, telemetry.stats);
}

}  // namespace alara::modbus
