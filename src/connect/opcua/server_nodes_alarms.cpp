// SPDX-License-Identifier: Apache-2.0
// Alarms in the address space: those that stand as nodes, each change as an event of the Server object. The event's
// type is our own, a subtype of BaseEventType: open62541 has no conditions to acknowledge in the build we use.
#include <array>

#include "connect/opcua/server_nodes.hpp"

namespace alara::opcua {
namespace {

constexpr std::string_view kActive = "Alarms/Active", kCount = "Alarms/Count", kHighest = "Alarms/HighestSeverity";
constexpr std::string_view kEventType = "Alarms/EventType";

struct Field {
  std::string_view name;
  UA_UInt32 type;
};
// In addition to those of BaseEventType.
constexpr std::array<Field, 4> kFields{{{"Active", UA_TYPES_BOOLEAN},
                                        {"Key", UA_TYPES_UINT64},
                                        {"Asset", UA_TYPES_STRING},
                                        {"Pipeline", UA_TYPES_STRING}}};

std::string_view last_part(std::string_view text) { return text.substr(text.rfind('/') + 1); }

}  // namespace

Status ServerNodes::add_alarms() {
  ALARA_CHECK(add_folder(kAlarmFolder, kAlarmFolder, standard_node(UA_NS0ID_OBJECTSFOLDER)));
  const auto add = [this](std::string_view text, UA_UInt32 type, UA_Int32 rank) -> Status {
    UA_VariableAttributes attributes = UA_VariableAttributes_default;
    attributes.displayName = plain_text(last_part(text));
    attributes.dataType = UA_TYPES[type].typeId;
    attributes.valueRank = rank;
    const UA_UInt32 any = 0;
    if (rank == UA_VALUERANK_ONE_DIMENSION) {
      attributes.arrayDimensions = const_cast<UA_UInt32*>(&any);
      attributes.arrayDimensionsSize = 1;
    }
    const UA_StatusCode status = UA_Server_addVariableNode(
        server_, own_node(text), own_node(kAlarmFolder), standard_node(UA_NS0ID_HASCOMPONENT),
        own_name(last_part(text)), standard_node(UA_NS0ID_BASEDATAVARIABLETYPE), attributes, nullptr, nullptr);
    if (status != UA_STATUSCODE_GOOD)
      return fail(ErrorKind::internal, "can not make the node '{}': {}", text, UA_StatusCode_name(status));
    return {};
  };
  ALARA_CHECK(add(kActive, UA_TYPES_STRING, UA_VALUERANK_ONE_DIMENSION));
  ALARA_CHECK(add(kCount, UA_TYPES_UINT32, UA_VALUERANK_SCALAR));
  ALARA_CHECK(add(kHighest, UA_TYPES_UINT16, UA_VALUERANK_SCALAR));
  show(AlarmBoard::Standing{});
  return add_event_type();
}

Status ServerNodes::add_event_type() {
  UA_ObjectTypeAttributes attributes = UA_ObjectTypeAttributes_default;
  attributes.displayName = plain_text("NodeEventType");
  UA_StatusCode status = UA_Server_addObjectTypeNode(
      server_, own_node(kEventType), standard_node(UA_NS0ID_BASEEVENTTYPE), standard_node(UA_NS0ID_HASSUBTYPE),
      own_name("NodeEventType"), attributes, nullptr, nullptr);
  for (const Field& field : kFields) {
    if (status != UA_STATUSCODE_GOOD) break;
    UA_VariableAttributes variable = UA_VariableAttributes_default;
    variable.displayName = plain_text(field.name);
    variable.dataType = UA_TYPES[field.type].typeId;
    variable.valueRank = UA_VALUERANK_SCALAR;
    const std::string text = fmt::format("{}/{}", kEventType, field.name);
    const UA_ExpandedNodeId mandatory = UA_EXPANDEDNODEID_NUMERIC(0, UA_NS0ID_MODELLINGRULE_MANDATORY);
    status = UA_Server_addVariableNode(server_, own_node(text), own_node(kEventType),
                                       standard_node(UA_NS0ID_HASPROPERTY), own_name(field.name),
                                       standard_node(UA_NS0ID_PROPERTYTYPE), variable, nullptr, nullptr);
    if (status == UA_STATUSCODE_GOOD)
      status =
          UA_Server_addReference(server_, own_node(text), standard_node(UA_NS0ID_HASMODELLINGRULE), mandatory, true);
  }
  if (status != UA_STATUSCODE_GOOD)
    return fail(ErrorKind::internal, "can not make the type of events: {}", UA_StatusCode_name(status));
  return {};
}

void ServerNodes::show(const AlarmBoard::Standing& standing) {
  std::vector<UA_String> lines;
  lines.reserve(standing.lines.size());
  for (const std::string& line : standing.lines) lines.push_back(borrowed(std::string_view(line)));
  UA_Variant value;
  UA_Variant_setArray(&value, lines.empty() ? UA_EMPTY_ARRAY_SENTINEL : static_cast<void*>(lines.data()), lines.size(),
                      &UA_TYPES[UA_TYPES_STRING]);
  UA_Server_writeValue(server_, own_node(kActive), value);
  UA_Variant_setScalar(&value, const_cast<std::uint32_t*>(&standing.count), &UA_TYPES[UA_TYPES_UINT32]);
  UA_Server_writeValue(server_, own_node(kCount), value);
  UA_Variant_setScalar(&value, const_cast<std::uint16_t*>(&standing.highest), &UA_TYPES[UA_TYPES_UINT16]);
  UA_Server_writeValue(server_, own_node(kHighest), value);
}

void ServerNodes::set_property(const UA_NodeId& event, const UA_QualifiedName& name, const void* value,
                               const UA_DataType& type) {
  UA_Server_writeObjectProperty_scalar(server_, event, name, value, &type);
}

void ServerNodes::announce(const AlarmNotice& notice) {
  UaNodeId event;
  if (UA_Server_createEvent(server_, own_node(kEventType), &*event) != UA_STATUSCODE_GOOD) return;
  const auto standard = [&](const char* name, const void* value, UA_UInt32 type) {
    set_property(*event, {0, borrowed(std::string_view(name))}, value, UA_TYPES[type]);
  };
  const auto own = [&](std::size_t field, const void* value) {
    set_property(*event, own_name(kFields[field].name), value, UA_TYPES[kFields[field].type]);
  };
  const UA_DateTime time = ua_time(notice.time);
  const UA_UInt16 severity = severity_number(notice.severity);
  const UA_LocalizedText message = plain_text(notice.text);
  const UA_String asset = borrowed(std::string_view(notice.asset)),
                  pipeline = borrowed(std::string_view(notice.pipeline));
  standard("Time", &time, UA_TYPES_DATETIME);
  standard("Severity", &severity, UA_TYPES_UINT16);
  standard("Message", &message, UA_TYPES_LOCALIZEDTEXT);
  standard("SourceName", &asset, UA_TYPES_STRING);
  own(0, &notice.raised);
  own(1, &notice.key);
  own(2, &asset);
  own(3, &pipeline);
  UA_Server_triggerEvent(server_, *event, standard_node(UA_NS0ID_SERVER), nullptr, true);
}

}  // namespace alara::opcua
