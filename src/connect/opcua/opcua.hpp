// SPDX-License-Identifier: Apache-2.0
// OPC UA as a protocol of the node: a client that subscribes to or polls the nodes of a server, writes them and calls
// methods.
#pragma once

#include "core/connector.hpp"

namespace alara::opcua {

[[nodiscard]] const Protocol& opcua_protocol();

}  // namespace alara::opcua
