// SPDX-License-Identifier: Apache-2.0
// Structures that the test server defines itself, and variables of them in a namespace of their own
// ("urn:plant:types"): Axis {position, state} in Motor {name, main, axes[], currents[], limits, note, any, part},
// Option (optional members), Choice (a union).
#pragma once

#include <open62541/server.h>

#include <deque>
#include <vector>

namespace alara::contract {

class OpcuaTestStructures {
 public:
  // `index` the namespace will have; encodings are numbered from `first_encoding` on.
  OpcuaTestStructures(UA_UInt16 index, UA_UInt32 first_encoding);
  OpcuaTestStructures(const OpcuaTestStructures&) = delete;
  OpcuaTestStructures& operator=(const OpcuaTestStructures&) = delete;

  // For the server's configuration.
  [[nodiscard]] const UA_DataTypeArray* types() const { return &array_; }
  // "motor", "motors" (2), "option", "choice"; "open" (an Axis, though its type is Structure); "secret" (a
  // Structure whose encoding leads nowhere), "broken" (bytes that are no Axis).
  void add_to(UA_Server* server);
  // main.position of "motor".
  void write_position(UA_Server* server, double position) const;

 private:
  struct Member {
    const char* name;
    const UA_DataType* type;
    std::size_t offset;
    bool array = false, optional = false;
  };
  const UA_DataType& add_type(const char* name, UA_DataTypeKind kind, std::size_t size,
                              const std::vector<Member>& members);
  void add_variable(UA_Server* server, const char* name, const UA_NodeId& type, const UA_Variant& value) const;
  [[nodiscard]] UA_NodeId node(const char* name) const { return UA_NODEID_STRING(index_, const_cast<char*>(name)); }

  const UA_UInt16 index_;
  const UA_UInt32 first_encoding_;
  std::deque<std::vector<UA_DataTypeMember>> members_;
  std::vector<UA_DataType> types_;
  const UA_DataType *axis_, *motor_, *option_, *choice_, *secret_;
  UA_DataTypeArray array_;
};

}  // namespace alara::contract
