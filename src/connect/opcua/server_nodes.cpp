// SPDX-License-Identifier: Apache-2.0
// Folders, values and writes; alarms are in server_nodes_alarms.cpp.
#include "connect/opcua/server_nodes.hpp"

#include <cmath>
#include <set>

#include "connect/opcua/server_units.hpp"
#include "connect/opcua/value.hpp"

namespace alara::opcua {
namespace {

constexpr std::string_view kUneceUnits = "http://www.opcfoundation.org/UA/units/un/cefact";
constexpr std::string_view kOtherUnits = "urn:alara:units";

bool numeric(const ServerNode& node) { return node.type != SignalType::boolean; }

Status failed_node(std::string_view text, UA_StatusCode status) {
  return fail(ErrorKind::internal, "can not make the node '{}': {}", text, UA_StatusCode_name(status));
}

}  // namespace

const UA_DataType& ua_type(SignalType type) {
  switch (type) {
    case SignalType::boolean:
      return UA_TYPES[UA_TYPES_BOOLEAN];
    case SignalType::int16:
      return UA_TYPES[UA_TYPES_INT16];
    case SignalType::uint16:
      return UA_TYPES[UA_TYPES_UINT16];
    case SignalType::int32:
      return UA_TYPES[UA_TYPES_INT32];
    case SignalType::uint32:
      return UA_TYPES[UA_TYPES_UINT32];
    case SignalType::int64:
      return UA_TYPES[UA_TYPES_INT64];
    case SignalType::uint64:
      return UA_TYPES[UA_TYPES_UINT64];
    case SignalType::float32:
      return UA_TYPES[UA_TYPES_FLOAT];
    case SignalType::float64:
      break;
  }
  return UA_TYPES[UA_TYPES_DOUBLE];
}

UA_DateTime ua_time(Nanos wall) { return wall / 100 + UA_DATETIME_UNIX_EPOCH; }

UA_StatusCode ua_status(Quality quality) {
  return quality == Quality::good        ? UA_STATUSCODE_GOOD
         : quality == Quality::uncertain ? UA_STATUSCODE_UNCERTAIN
                                         : UA_STATUSCODE_BAD;
}

ServerNodes::ServerNodes(UA_Server* server, const ServerPlan& plan, std::vector<WrittenValue>& written, Clock& clock,
                         TakeWrite take)
    : server_(server), plan_(plan), written_(written), clock_(clock), take_(std::move(take)) {}

UA_NodeId ServerNodes::id_of(std::size_t index) const {
  if (const auto& number = plan_.nodes()[index].address.number) return UA_NODEID_NUMERIC(kServerNamespace, *number);
  return own_node(texts_[index]);
}

Status ServerNodes::build(const std::string& namespace_uri) {
  const UA_UInt16 index = UA_Server_addNamespace(server_, namespace_uri.c_str());
  if (index != kServerNamespace)
    return fail(ErrorKind::bad_input, "the namespace '{}' is taken by the server itself: choose another",
                namespace_uri);
  texts_.reserve(plan_.nodes().size());
  takers_.resize(plan_.nodes().size());
  std::set<std::string> folders;
  for (const ServerNode& node : plan_.nodes()) {
    texts_.push_back(node.address.text());
    std::string folder;
    for (std::size_t i = 0; !node.address.number && i + 1 < node.address.path.size(); ++i) {
      const std::string above = folder;
      folder += (above.empty() ? "" : "/") + node.address.path[i];
      if (!folders.insert(folder).second) continue;
      ALARA_CHECK(add_folder(folder, node.address.path[i],
                             above.empty() ? standard_node(UA_NS0ID_OBJECTSFOLDER) : own_node(above)));
    }
    ALARA_CHECK(add(texts_.size() - 1));
  }
  return add_alarms();
}

Status ServerNodes::add_folder(std::string_view text, std::string_view name, const UA_NodeId& parent) {
  UA_ObjectAttributes attributes = UA_ObjectAttributes_default;
  attributes.displayName = plain_text(name);
  const UA_StatusCode status =
      UA_Server_addObjectNode(server_, own_node(text), parent, standard_node(UA_NS0ID_ORGANIZES), own_name(name),
                              standard_node(UA_NS0ID_FOLDERTYPE), attributes, nullptr, nullptr);
  if (status != UA_STATUSCODE_GOOD) return failed_node(text, status);
  return {};
}

Status ServerNodes::add(std::size_t index) {
  const ServerNode& node = plan_.nodes()[index];
  const std::string& text = texts_[index];
  const std::size_t slash = node.address.number ? std::string::npos : text.rfind('/');
  const UA_NodeId parent = slash == std::string::npos ? standard_node(UA_NS0ID_OBJECTSFOLDER)
                                                      : own_node(std::string_view(text).substr(0, slash));
  const UA_NodeId id = id_of(index);
  ALARA_CHECK(add_variable(id, node, parent));
  if (node.writable()) return make_writable(id, index);
  write_status(id, UA_STATUSCODE_BADWAITINGFORINITIALDATA);
  return {};
}

Status ServerNodes::add_variable(const UA_NodeId& id, const ServerNode& node, const UA_NodeId& parent) {
  UA_VariableAttributes attributes = UA_VariableAttributes_default;
  attributes.displayName = plain_text(node.address.path.back());
  attributes.description = plain_text(node.name);
  attributes.dataType = ua_type(node.type).typeId;
  attributes.valueRank = UA_VALUERANK_SCALAR;
  attributes.accessLevel =
      static_cast<UA_Byte>(UA_ACCESSLEVELMASK_READ | (node.writable() ? UA_ACCESSLEVELMASK_WRITE : 0));
  const UA_UInt32 type = !numeric(node)       ? UA_NS0ID_BASEDATAVARIABLETYPE
                         : node.address.range ? UA_NS0ID_ANALOGITEMTYPE
                                              : UA_NS0ID_DATAITEMTYPE;
  const bool in_folder = parent.namespaceIndex == kServerNamespace;
  UA_StatusCode status = UA_Server_addNode_begin(server_, UA_NODECLASS_VARIABLE, id, parent,
                                                 standard_node(in_folder ? UA_NS0ID_HASCOMPONENT : UA_NS0ID_ORGANIZES),
                                                 own_name(node.address.path.back()), standard_node(type), &attributes,
                                                 &UA_TYPES[UA_TYPES_VARIABLEATTRIBUTES], nullptr, nullptr);
  if (status == UA_STATUSCODE_GOOD) add_properties(id, node);
  if (status == UA_STATUSCODE_GOOD) status = UA_Server_addNode_finish(server_, id);
  if (status == UA_STATUSCODE_GOOD) status = UA_Server_setVariableNodeDynamic(server_, id, true);
  if (status != UA_STATUSCODE_GOOD) return failed_node(node.address.text(), status);
  return {};
}

void ServerNodes::add_properties(const UA_NodeId& id, const ServerNode& node) {
  const auto add = [&](const char* name, const void* value, UA_UInt32 type) {
    UA_VariableAttributes attributes = UA_VariableAttributes_default;
    attributes.displayName = plain_text(name);
    attributes.dataType = UA_TYPES[type].typeId;
    attributes.valueRank = UA_VALUERANK_SCALAR;
    UA_Variant_setScalar(&attributes.value, const_cast<void*>(value), &UA_TYPES[type]);
    UA_Server_addVariableNode(server_, UA_NODEID_NUMERIC(1, 0), id, standard_node(UA_NS0ID_HASPROPERTY),
                              UA_QualifiedName{0, borrowed(std::string_view(name))},
                              standard_node(UA_NS0ID_PROPERTYTYPE), attributes, nullptr, nullptr);
  };
  if (!numeric(node)) return;
  if (node.address.range) {
    const UA_Range range{node.address.range->least, node.address.range->most};
    add("EURange", &range, UA_TYPES_RANGE);
  }
  if (const std::string& unit = node.unit.text(); !unit.empty()) {
    UA_EUInformation information{};
    information.unitId = unece_unit_id(unit);
    information.namespaceUri = borrowed(information.unitId == kNoUnitId ? kOtherUnits : kUneceUnits);
    information.displayName = information.description = plain_text(unit);
    add("EngineeringUnits", &information, UA_TYPES_EUINFORMATION);
  }
}

Status ServerNodes::make_writable(const UA_NodeId& id, std::size_t index) {
  Taker& taker = takers_[index];
  taker = {this, &plan_.nodes()[index], &written_[index]};
  UA_DataSource source{};
  source.read = &ServerNodes::read;
  source.write = &ServerNodes::write;
  UA_StatusCode status = UA_Server_setNodeContext(server_, id, &taker);
  if (status == UA_STATUSCODE_GOOD) status = UA_Server_setVariableNode_dataSource(server_, id, source);
  if (status != UA_STATUSCODE_GOOD) return failed_node(texts_[index], status);
  return {};
}

UA_StatusCode ServerNodes::read(UA_Server*, const UA_NodeId*, void*, const UA_NodeId*, void* context,
                                UA_Boolean with_time, const UA_NumericRange* range, UA_DataValue* out) {
  const Taker& taker = *static_cast<const Taker*>(context);
  if (range != nullptr) return UA_STATUSCODE_BADINDEXRANGENODATA;
  if (taker.written->time == 0) {
    out->hasStatus = true;
    out->status = UA_STATUSCODE_BADWAITINGFORINITIALDATA;
    return UA_STATUSCODE_GOOD;
  }
  auto value = variant_of(taker.written->value, ua_type(taker.node->type));
  if (!value) return UA_STATUSCODE_BADINTERNALERROR;
  std::swap(out->value, **value);
  out->hasValue = true;
  out->hasSourceTimestamp = with_time;
  out->sourceTimestamp = ua_time(taker.written->time);
  return UA_STATUSCODE_GOOD;
}

// open62541 has checked the rights and, when there is a value, its type.
UA_StatusCode ServerNodes::write(UA_Server*, const UA_NodeId*, void*, const UA_NodeId*, void* context,
                                 const UA_NumericRange* range, const UA_DataValue* value) {
  const Taker& taker = *static_cast<const Taker*>(context);
  const ServerNode& node = *taker.node;
  const Taken taken = value->hasValue && range == nullptr ? number_in(value->value, {}) : Taken{0, "no_value"};
  if (taken.fault != nullptr) {
    taker.nodes->take_(node, 0, 0, taken.fault);
    return UA_STATUSCODE_BADTYPEMISMATCH;
  }
  const auto& limits = node.address.range;
  if (!std::isfinite(taken.value) || (limits && (taken.value < limits->least || taken.value > limits->most))) {
    taker.nodes->take_(node, taken.value, 0, "out_of_range");
    return UA_STATUSCODE_BADOUTOFRANGE;
  }
  *taker.written = {taken.value, taker.nodes->clock_.wall()};
  taker.nodes->take_(node, taken.value, taker.written->time, nullptr);
  return UA_STATUSCODE_GOOD;
}

// A value that can not be had is sent as 0 with a bad status: without any value open62541 would call it one that has
// not come yet.
bool ServerNodes::show(std::size_t index, const OutletSample& sample) {
  const ServerNode& node = plan_.nodes()[index];
  const UA_DataType& type = ua_type(node.type);
  auto value = variant_of(sample.value, type);
  const bool fits = value.has_value() || (std::isnan(sample.value) && sample.quality == Quality::bad);
  if (!value || std::isnan(sample.value)) value = variant_of(0, type);
  UA_DataValue data;
  UA_DataValue_init(&data);
  data.hasValue = true;
  data.value = **value;  // borrowed: writing copies
  data.hasStatus = true;
  data.status = !fits                      ? UA_STATUSCODE_BADOUTOFRANGE
                : std::isnan(sample.value) ? UA_STATUSCODE_BAD
                                           : ua_status(sample.quality);
  data.hasSourceTimestamp = true;
  data.sourceTimestamp = ua_time(sample.time);
  UA_Server_writeDataValue(server_, id_of(index), data);
  return fits;
}

void ServerNodes::write_status(const UA_NodeId& id, UA_StatusCode status) {
  UA_DataValue data;
  UA_DataValue_init(&data);
  data.hasStatus = true;
  data.status = status;
  UA_Server_writeDataValue(server_, id, data);
}

}  // namespace alara::opcua
