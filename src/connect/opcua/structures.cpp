// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/structures.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "connect/opcua/session.hpp"

namespace alara::opcua {
namespace {

constexpr int kMostSupertypes = 32;

UA_NodeId standard_id(UA_UInt32 id) { return UA_NODEID_NUMERIC(0, id); }

// Types of the standard that are not in open62541's table because no value has them as its own.
std::optional<WireType> abstract_type(const UA_NodeId& type) {
  if (type.namespaceIndex != 0 || type.identifierType != UA_NODEIDTYPE_NUMERIC) return std::nullopt;
  switch (type.identifier.numeric) {
    case UA_NS0ID_NUMBER:
    case UA_NS0ID_INTEGER:
    case UA_NS0ID_UINTEGER:
      return WireType{UA_DATATYPEKIND_VARIANT, nullptr};
    case UA_NS0ID_ENUMERATION:
      return WireType{UA_DATATYPEKIND_INT32, nullptr};
    default:
      return std::nullopt;
  }
}

// The node that refers to `target` so; null: there is none.
Result<UaNodeId> source_of(UA_Client* client, const UA_NodeId& target, UA_UInt32 reference) {
  UA_BrowseDescription wanted;
  UA_BrowseDescription_init(&wanted);
  wanted.nodeId = target;
  wanted.browseDirection = UA_BROWSEDIRECTION_INVERSE;
  wanted.referenceTypeId = standard_id(reference);
  UA_BrowseRequest request;
  UA_BrowseRequest_init(&request);
  request.nodesToBrowse = &wanted;
  request.nodesToBrowseSize = 1;
  Ua<UA_BrowseResponse, UA_TYPES_BROWSERESPONSE> response;
  *response = UA_Client_Service_browse(client, request);
  const UA_StatusCode status = response->responseHeader.serviceResult;
  if (status != UA_STATUSCODE_GOOD || response->resultsSize != 1)
    return fail(ErrorKind::unavailable, "the server can not be asked for types: {}", name_of(status));
  if (response->results[0].referencesSize == 0) return UaNodeId();
  return copy_of(response->results[0].references[0].nodeId.nodeId);
}

struct Described {
  std::string name;
  UaVariant definition;
};
// The name of a type and its definition, empty where the server has none.
Result<Described> describe(UA_Client* client, const UA_NodeId& type) {
  std::array<UA_ReadValueId, 2> wanted{};
  wanted[0].nodeId = wanted[1].nodeId = type;
  wanted[0].attributeId = UA_ATTRIBUTEID_BROWSENAME;
  wanted[1].attributeId = UA_ATTRIBUTEID_DATATYPEDEFINITION;
  UA_ReadRequest request;
  UA_ReadRequest_init(&request);
  request.nodesToRead = wanted.data();
  request.nodesToReadSize = wanted.size();
  Ua<UA_ReadResponse, UA_TYPES_READRESPONSE> response;
  *response = UA_Client_Service_read(client, request);
  const UA_StatusCode status = response->responseHeader.serviceResult;
  if (status != UA_STATUSCODE_GOOD || response->resultsSize != wanted.size())
    return fail(ErrorKind::unavailable, "the server can not be asked for types: {}", name_of(status));
  Described described;
  const UA_Variant& name = response->results[0].value;
  if (UA_Variant_hasScalarType(&name, &UA_TYPES[UA_TYPES_QUALIFIEDNAME]))
    described.name = view(static_cast<UA_QualifiedName*>(name.data)->name);
  std::swap(*described.definition, response->results[1].value);
  return described;
}

}  // namespace

UaNodeId copy_of(const UA_NodeId& id) {
  UaNodeId copy;
  UA_NodeId_copy(&id, &*copy);
  return copy;
}

std::string text_of(const UA_NodeId& id) {
  Ua<UA_String, UA_TYPES_STRING> text;
  UA_NodeId_print(&id, &*text);
  return std::string(view(*text));
}

// One question to the server, with those that it leads to.
class Structures::Inquiry {
 public:
  Inquiry(Structures& known, UA_Client* client) : known_(known), client_(client) {}

  Result<const Structure*> encoded_as(const UA_NodeId& encoding, const UA_NodeId& variable);

 private:
  Result<const Type*> structure(const UA_NodeId& id);
  Result<const Type*> structure(const UA_NodeId& id, const Described& described);
  Status define(Type& type, const UA_NodeId& id, const Described& described);
  Result<WireType> wire_type(const UA_NodeId& id);
  Result<WireType> standard_type(const UA_DataType& type);
  static Result<WireType> as_member(Result<const Type*> type) {
    if (!type) return fail_with(std::move(type));
    return WireType{UA_DATATYPEKIND_STRUCTURE, &(*type)->structure};
  }
  WireTypeOf member_types() {
    return [this](const UA_NodeId& id) { return wire_type(id); };
  }

  Structures& known_;
  UA_Client* client_;
  int nesting_ = 0;
};

// The type that the variable says it has, where that is encoded so; else the type that the encoding belongs to: a
// variable of an abstract type may hold any.
Result<const Structure*> Structures::Inquiry::encoded_as(const UA_NodeId& encoding, const UA_NodeId& variable) {
  Result<const Type*> declared = fail(ErrorKind::not_found, "the server does not say the type of the value");
  UaNodeId type;
  if (UA_Client_readDataTypeAttribute(client_, variable, &*type) == UA_STATUSCODE_GOOD && !UA_NodeId_isNull(&*type))
    declared = structure(*type);
  if (declared && UA_NodeId_equal(&*(*declared)->encoding, &encoding)) return &(*declared)->structure;
  ALARA_TRY(const UaNodeId owner, source_of(client_, encoding, UA_NS0ID_HASENCODING));
  if (!UA_NodeId_isNull(&*owner)) {
    ALARA_TRY(const Type* found, structure(*owner));
    return &found->structure;
  }
  if (!declared)
    return fail(ErrorKind::not_found, "{}; nor does it say which type is encoded as {}", declared.error().message,
                text_of(encoding));
  if (UA_NodeId_isNull(&*(*declared)->encoding)) return &(*declared)->structure;
  return fail(ErrorKind::not_found, "the server does not say which type is encoded as {}", text_of(encoding));
}

Result<const Structures::Type*> Structures::Inquiry::structure(const UA_NodeId& id) {
  if (const auto known = known_.types_.find(id); known != known_.types_.end()) {
    const Type& type = *known->second;
    if (type.complete) return &type;
    return fail(ErrorKind::refused, "{}", type.fault.empty() ? "a structure contains itself" : type.fault);
  }
  ALARA_TRY(const Described described, describe(client_, id));
  return structure(id, described);
}

Result<const Structures::Type*> Structures::Inquiry::structure(const UA_NodeId& id, const Described& described) {
  if (known_.types_.size() >= kMost) return fail(ErrorKind::exhausted, "more than {} types of structures", kMost);
  Type& type = *known_.types_.emplace(copy_of(id), std::make_unique<Type>()).first->second;
  const Status defined = define(type, id, described);
  type.complete = defined.has_value();
  if (type.complete) return &type;
  type.fault = fmt::format("the structure {} ({}): {}", described.name, text_of(id), defined.error().message);
  return fail(defined.error().kind, "{}", type.fault);
}

Status Structures::Inquiry::define(Type& type, const UA_NodeId& id, const Described& described) {
  if (nesting_ == kMostNesting) return fail(ErrorKind::refused, "structures in structures, deeper than {}", nesting_);
  ++nesting_;
  Result<Structure> structure =
      fail(ErrorKind::not_found, "the server gives no definition of it (attribute DataTypeDefinition)");
  if (UA_Variant_hasScalarType(&*described.definition, &UA_TYPES[UA_TYPES_STRUCTUREDEFINITION])) {
    const auto& definition = *static_cast<UA_StructureDefinition*>(described.definition->data);
    type.encoding = copy_of(definition.defaultEncodingId);
    structure = structure_of(described.name, definition, member_types());
  } else if (const UA_DataType* standard = UA_findDataType(&id)) {
    structure = structure_of(*standard, member_types());
  }
  --nesting_;
  if (!structure) return fail_with(std::move(structure));
  type.structure = std::move(*structure);
  return {};
}

// What is built in, or a structure, or a subtype of what is built in.
Result<WireType> Structures::Inquiry::wire_type(const UA_NodeId& id) {
  UaNodeId at = copy_of(id);
  for (int i = 0; i < kMostSupertypes; ++i) {
    if (const auto abstract = abstract_type(*at)) return *abstract;
    if (const UA_DataType* standard = UA_findDataType(&*at)) return standard_type(*standard);
    if (known_.types_.contains(*at)) return as_member(structure(*at));
    ALARA_TRY(const Described described, describe(client_, *at));
    if (UA_Variant_hasScalarType(&*described.definition, &UA_TYPES[UA_TYPES_STRUCTUREDEFINITION]))
      return as_member(structure(*at, described));
    ALARA_TRY(UaNodeId above, source_of(client_, *at, UA_NS0ID_HASSUBTYPE));
    const UA_NodeId any_structure = standard_id(UA_NS0ID_STRUCTURE), any = standard_id(UA_NS0ID_BASEDATATYPE);
    if (UA_NodeId_isNull(&*above) || UA_NodeId_equal(&*above, &any_structure) || UA_NodeId_equal(&*above, &any))
      return fail(ErrorKind::not_found, "the server gives no definition of its type {} ({})", described.name,
                  text_of(id));
    at = std::move(above);
  }
  return fail(ErrorKind::corrupt, "its type {} has no end of supertypes", text_of(id));
}

Result<WireType> Structures::Inquiry::standard_type(const UA_DataType& type) {
  switch (type.typeKind) {
    case UA_DATATYPEKIND_ENUM:
      return WireType{UA_DATATYPEKIND_INT32, nullptr};
    case UA_DATATYPEKIND_STRUCTURE:
    case UA_DATATYPEKIND_OPTSTRUCT:
    case UA_DATATYPEKIND_UNION:
      if (known_.types_.contains(type.typeId)) return as_member(structure(type.typeId));
      return as_member(structure(type.typeId, {type.typeName, {}}));
    case UA_DATATYPEKIND_DECIMAL:
    case UA_DATATYPEKIND_BITFIELDCLUSTER:
      return fail(ErrorKind::refused, "its type {} can not be read", type.typeName);
    default:
      return WireType{static_cast<UA_DataTypeKind>(type.typeKind), nullptr};
  }
}

const Structures::Known* Structures::find(const UA_NodeId& encoding) const {
  const auto known = encodings_.find(encoding);
  return known == encodings_.end() ? nullptr : &known->second;
}

void Structures::learn(UA_Client* client, const UA_NodeId& encoding, const UA_NodeId& variable) {
  if (encodings_.size() >= kMost) forget();  // as if of another session: what is used comes back
  auto structure = Inquiry(*this, client).encoded_as(encoding, variable);
  encodings_[copy_of(encoding)] = structure ? Known{*structure, {}} : Known{nullptr, structure.error().message};
}

void Structures::forget() {
  encodings_.clear();
  types_.clear();
  doubtful_ = false;
}

void Structures::forget_failures() {
  if (doubtful_ || std::ranges::any_of(encodings_, [](const auto& entry) { return entry.second.structure == nullptr; }))
    forget();
}

}  // namespace alara::opcua
