// SPDX-License-Identifier: Apache-2.0
// open62541 1.4 in several threads: each client and server has an event loop of its own, but what they compute while
// they add a cyclic timer lies in variables that all loops share. Two threads at the same instant could give each
// other's times to their timers. Here they take turns. Internal to connect/opcua; for tests and benchmarks too.
#pragma once

#include <open62541/server.h>

namespace alara::opcua {

// UA_Server_newWithConfig and UA_Client_newWithConfig, for every server and client.
[[nodiscard]] UA_Server* new_server(UA_ServerConfig& config);
[[nodiscard]] UA_Client* new_client(UA_ClientConfig& config);

}  // namespace alara::opcua
