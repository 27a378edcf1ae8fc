// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "connect/can/can.hpp"
#include "connect/coap/coap.hpp"
#include "connect/file/protocol.hpp"
#include "connect/http/http.hpp"
#include "connect/modbus/modbus.hpp"
#include "connect/mqtt/protocol.hpp"
#ifdef ALARA_OPCUA
#include "connect/opcua/opcua.hpp"
#endif
#include "node/registry.hpp"

namespace alara::node {

std::span<const Protocol* const> protocols() {
  static const std::vector<const Protocol*> kProtocols{
      &modbus::modbus_protocol(), &mqtt::mqtt_protocol(),          &mqtt::sparkplug_protocol(), &file::file_protocol(),
      &can::can_protocol(),       &http::http_protocol(),          &coap::coap_protocol(),
#ifdef ALARA_OPCUA
      &opcua::opcua_protocol(),   &opcua::opcua_server_protocol(),
#endif
  };
  return kProtocols;
}

const Protocol* protocol_named(std::string_view key) {
  const auto all = protocols();
  const auto found = std::ranges::find(all, key, [](const Protocol* protocol) { return protocol->key(); });
  return found == all.end() ? nullptr : *found;
}

}  // namespace alara::node
