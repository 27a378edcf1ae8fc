// SPDX-License-Identifier: Apache-2.0
// The address space of an OPC UA server of ours: folders and values as planned, what is written to them, and the
// alarms. One life of the server. Internal to connect/opcua.
#pragma once

#include <functional>
#include <vector>

#include "connect/opcua/server_alarms.hpp"
#include "connect/opcua/server_plan.hpp"
#include "connect/opcua/server_ua.hpp"

namespace alara::opcua {

// What a client wrote last to a node of the plan; kept over lives of the server.
struct WrittenValue {
  double value = 0;
  Nanos time = 0;  // 0: nothing yet
};

// A client's write, on the server's thread with its lock held. `fault` is nullptr, or why it is refused: a literal fit
// for Inlet::reject.
using TakeWrite = std::function<void(const ServerNode& node, double value, Nanos time, const char* fault)>;

class ServerNodes {
 public:
  // All outlive it. `written` has one entry for each node of the plan and is used on the server's thread only.
  ServerNodes(UA_Server* server, const ServerPlan& plan, std::vector<WrittenValue>& written, Clock& clock,
              TakeWrite take);
  ServerNodes(const ServerNodes&) = delete;
  ServerNodes& operator=(const ServerNodes&) = delete;

  [[nodiscard]] Status build(const std::string& namespace_uri);

  // Any thread. Shows a value as node `index` of the plan; false when its type can not hold it: the node then says so.
  [[nodiscard]] bool show(std::size_t index, const OutletSample& sample);
  void show(const AlarmBoard::Standing& standing);
  // As an event of the Server object.
  void announce(const AlarmNotice& notice);

 private:
  struct Taker {  // the context of a writable node
    ServerNodes* nodes = nullptr;
    const ServerNode* node = nullptr;
    WrittenValue* written = nullptr;
  };

  [[nodiscard]] Status add_folder(std::string_view text, std::string_view name, const UA_NodeId& parent);
  [[nodiscard]] Status add(std::size_t index);
  [[nodiscard]] Status add_variable(const UA_NodeId& id, const ServerNode& node, const UA_NodeId& parent);
  void add_properties(const UA_NodeId& id, const ServerNode& node);
  [[nodiscard]] Status make_writable(const UA_NodeId& id, std::size_t index);
  [[nodiscard]] Status add_alarms();
  [[nodiscard]] Status add_event_type();
  [[nodiscard]] UA_NodeId id_of(std::size_t index) const;
  void set_property(const UA_NodeId& event, const UA_QualifiedName& name, const void* value, const UA_DataType& type);
  void write_status(const UA_NodeId& id, UA_StatusCode status);

  static UA_StatusCode read(UA_Server*, const UA_NodeId*, void*, const UA_NodeId*, void* taker, UA_Boolean with_time,
                            const UA_NumericRange* range, UA_DataValue* out);
  static UA_StatusCode write(UA_Server*, const UA_NodeId*, void*, const UA_NodeId*, void* taker,
                             const UA_NumericRange* range, const UA_DataValue* value);

  UA_Server* const server_;
  const ServerPlan& plan_;
  std::vector<WrittenValue>& written_;
  Clock& clock_;
  const TakeWrite take_;
  std::vector<std::string> texts_;  // of the plan's nodes
  std::vector<Taker> takers_;
};

}  // namespace alara::opcua
