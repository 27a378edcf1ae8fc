// SPDX-License-Identifier: Apache-2.0
// OPC UA as two protocols of the node: a client that subscribes to or polls the nodes of a server, writes them and
// calls methods; and a server that shows values and alarms, and takes values, for SCADA.
#pragma once

#include "core/connector.hpp"

namespace alara::opcua {

[[nodiscard]] const Protocol& opcua_protocol();
[[nodiscard]] const Protocol& opcua_server_protocol();

}  // namespace alara::opcua
