// SPDX-License-Identifier: Apache-2.0
// What the server's sources need of open62541 beyond ua.hpp. Internal to connect/opcua.
#pragma once

#include <open62541/server.h>

#include <string>

#include "connect/opcua/server_address.hpp"
#include "connect/opcua/ua.hpp"
#include "core/sample.hpp"

namespace alara::opcua {

// A node id in the server's own namespace; borrows `text`.
inline UA_NodeId own_node(std::string_view text) {
  UA_NodeId id;
  UA_NodeId_init(&id);
  id.namespaceIndex = kServerNamespace;
  id.identifierType = UA_NODEIDTYPE_STRING;
  id.identifier.string = borrowed(text);
  return id;
}
inline UA_NodeId standard_node(UA_UInt32 number) { return UA_NODEID_NUMERIC(0, number); }
inline UA_QualifiedName own_name(std::string_view text) { return {kServerNamespace, borrowed(text)}; }
inline UA_LocalizedText plain_text(std::string_view text) { return {UA_STRING_NULL, borrowed(text)}; }

[[nodiscard]] const UA_DataType& ua_type(SignalType type);
[[nodiscard]] UA_DateTime ua_time(Nanos wall);
[[nodiscard]] UA_StatusCode ua_status(Quality quality);

}  // namespace alara::opcua
