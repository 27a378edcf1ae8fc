// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/opcua_test_structures.hpp"

#include <cstddef>

#include "base/result.hpp"

namespace alara::contract {
namespace {

constexpr UA_UInt32 kFirstType = 3000;
constexpr std::size_t kTypes = 5;

struct Axis {
  UA_Double position;
  UA_Int16 state;
};
struct Motor {
  UA_String name;
  Axis main;
  std::size_t axes_size;
  Axis* axes;
  std::size_t currents_size;
  UA_Float* currents;
  UA_Range limits;
  UA_LocalizedText note;
  UA_Variant any;
  UA_ExtensionObject part;
};
struct Option {
  UA_UInt32 count;
  UA_Double* rate;
  UA_Int16* level;
};
struct Choice {
  UA_UInt32 which;
  union {
    UA_Double speed;
    UA_Int32 count;
  };
};

UA_String text(const char* characters) { return UA_STRING(const_cast<char*>(characters)); }

}  // namespace

OpcuaTestStructures::OpcuaTestStructures(UA_UInt16 index, UA_UInt32 first_encoding)
    : index_(index),
      first_encoding_(first_encoding),
      types_([] {
        std::vector<UA_DataType> types;
        types.reserve(kTypes);  // members point to them
        return types;
      }()),
      axis_(&add_type("Axis", UA_DATATYPEKIND_STRUCTURE, sizeof(Axis),
                      {{"position", &UA_TYPES[UA_TYPES_DOUBLE], offsetof(Axis, position)},
                       {"state", &UA_TYPES[UA_TYPES_INT16], offsetof(Axis, state)}})),
      motor_(&add_type("Motor", UA_DATATYPEKIND_STRUCTURE, sizeof(Motor),
                       {{"name", &UA_TYPES[UA_TYPES_STRING], offsetof(Motor, name)},
                        {"main", axis_, offsetof(Motor, main)},
                        {"axes", axis_, offsetof(Motor, axes_size), true},
                        {"currents", &UA_TYPES[UA_TYPES_FLOAT], offsetof(Motor, currents_size), true},
                        {"limits", &UA_TYPES[UA_TYPES_RANGE], offsetof(Motor, limits)},
                        {"note", &UA_TYPES[UA_TYPES_LOCALIZEDTEXT], offsetof(Motor, note)},
                        {"any", &UA_TYPES[UA_TYPES_VARIANT], offsetof(Motor, any)},
                        {"part", &UA_TYPES[UA_TYPES_EXTENSIONOBJECT], offsetof(Motor, part)}})),
      option_(&add_type("Option", UA_DATATYPEKIND_OPTSTRUCT, sizeof(Option),
                        {{"count", &UA_TYPES[UA_TYPES_UINT32], offsetof(Option, count)},
                         {"rate", &UA_TYPES[UA_TYPES_DOUBLE], offsetof(Option, rate), false, true},
                         {"level", &UA_TYPES[UA_TYPES_INT16], offsetof(Option, level), false, true}})),
      choice_(&add_type("Choice", UA_DATATYPEKIND_UNION, sizeof(Choice),
                        {{"speed", &UA_TYPES[UA_TYPES_DOUBLE], offsetof(Choice, speed)},
                         {"count", &UA_TYPES[UA_TYPES_INT32], offsetof(Choice, count)}})),
      secret_(&add_type("Secret", UA_DATATYPEKIND_STRUCTURE, sizeof(UA_Double),
                        {{"position", &UA_TYPES[UA_TYPES_DOUBLE], 0}})),
      array_{nullptr, kTypes, types_.data(), false} {}

const UA_DataType& OpcuaTestStructures::add_type(const char* name, UA_DataTypeKind kind, std::size_t size,
                                                 const std::vector<Member>& members) {
  std::vector<UA_DataTypeMember>& described = members_.emplace_back();
  std::size_t end = 0;
  for (const Member& member : members) {
    // Members of a union all begin at its beginning.
    const std::size_t padding = member.offset - (kind == UA_DATATYPEKIND_UNION ? 0 : end);
    described.push_back({member.name, member.type, static_cast<UA_Byte>(padding & 63), member.array, member.optional});
    end = member.offset + (member.array      ? sizeof(std::size_t) + sizeof(void*)
                           : member.optional ? sizeof(void*)
                                             : std::size_t{member.type->memSize});
  }
  const auto number = static_cast<UA_UInt32>(types_.size());
  UA_DataType type{};
  type.typeName = name;
  type.typeId = UA_NODEID_NUMERIC(index_, kFirstType + number);
  type.binaryEncodingId = UA_NODEID_NUMERIC(index_, first_encoding_ + number);
  type.memSize = static_cast<UA_UInt16>(size);
  type.typeKind = kind & 63;
  type.membersSize = static_cast<UA_Byte>(described.size());
  type.members = described.data();
  return types_.emplace_back(type);
}

void OpcuaTestStructures::add_variable(UA_Server* server, const char* name, const UA_NodeId& type,
                                       const UA_Variant& value) const {
  UA_VariableAttributes attributes = UA_VariableAttributes_default;
  attributes.accessLevel = UA_ACCESSLEVELMASK_READ;
  attributes.dataType = type;
  attributes.valueRank = UA_Variant_isScalar(&value) ? UA_VALUERANK_SCALAR : UA_VALUERANK_ONE_DIMENSION;
  attributes.value = value;
  UA_UInt32 dimension = 0;
  attributes.arrayDimensions = &dimension;
  attributes.arrayDimensionsSize = UA_Variant_isScalar(&value) ? 0 : 1;
  const UA_StatusCode status =
      UA_Server_addVariableNode(server, node(name), UA_NODEID_NUMERIC(0, UA_NS0ID_OBJECTSFOLDER),
                                UA_NODEID_NUMERIC(0, UA_NS0ID_ORGANIZES), UA_QUALIFIEDNAME(1, const_cast<char*>(name)),
                                UA_NODEID_NUMERIC(0, UA_NS0ID_BASEDATAVARIABLETYPE), attributes, nullptr, nullptr);
  ALARA_ASSERT(status == UA_STATUSCODE_GOOD, "a variable of a test structure");
}

void OpcuaTestStructures::add_to(UA_Server* server) {
  const UA_NodeId any_structure = UA_NODEID_NUMERIC(0, UA_NS0ID_STRUCTURE);
  for (const UA_DataType& type : types_) {
    const UA_StatusCode status = UA_Server_addDataTypeNode(
        server, type.typeId, any_structure, UA_NODEID_NUMERIC(0, UA_NS0ID_HASSUBTYPE),
        UA_QUALIFIEDNAME(index_, const_cast<char*>(type.typeName)), UA_DataTypeAttributes_default, nullptr, nullptr);
    ALARA_ASSERT(status == UA_STATUSCODE_GOOD, "a test type");
  }
  // Only Axis can be found by its encoding.
  UA_Server_addObjectNode(server, axis_->binaryEncodingId, UA_NODEID_NULL, UA_NODEID_NULL,
                          UA_QUALIFIEDNAME(0, const_cast<char*>("Default Binary")),
                          UA_NODEID_NUMERIC(0, UA_NS0ID_DATATYPEENCODINGTYPE), UA_ObjectAttributes_default, nullptr,
                          nullptr);
  ALARA_ASSERT(UA_Server_addReference(server, axis_->typeId, UA_NODEID_NUMERIC(0, UA_NS0ID_HASENCODING),
                                      {axis_->binaryEncodingId, UA_STRING_NULL, 0}, true) == UA_STATUSCODE_GOOD,
               "the encoding of a test type");

  UA_Variant value;
  const auto scalar = [&](void* data, const UA_DataType& type) -> const UA_Variant& {
    UA_Variant_setScalar(&value, data, &type);
    return value;
  };
  Axis axes[] = {{1.5, 1}, {2.5, -2}}, part{7.5, 7};
  UA_Float currents[] = {10.5F, 11.5F, 12.5F};
  UA_Double any = 4.25;
  Motor motors[2] = {};
  for (Motor& motor : motors) {
    motor.name = text("feed");
    motor.main = {&motor == motors ? 4.5 : 104.5, 3};
    motor.axes_size = 2;
    motor.axes = axes;
    motor.currents_size = 3;
    motor.currents = currents;
    motor.limits = {-5, 55};
    motor.note = {UA_STRING_NULL, text("oiled")};
    UA_Variant_setScalar(&motor.any, &any, &UA_TYPES[UA_TYPES_DOUBLE]);
    UA_ExtensionObject_setValueNoDelete(&motor.part, &part, axis_);
  }
  add_variable(server, "motor", motor_->typeId, scalar(&motors[0], *motor_));
  UA_Variant_setArray(&value, motors, 2, motor_);
  add_variable(server, "motors", motor_->typeId, value);
  UA_Double rate = 0.75;
  Option option{9, &rate, nullptr};
  add_variable(server, "option", option_->typeId, scalar(&option, *option_));
  Choice choice{2, {}};
  choice.count = -17;
  add_variable(server, "choice", choice_->typeId, scalar(&choice, *choice_));
  add_variable(server, "open", any_structure, scalar(&axes[1], *axis_));
  add_variable(server, "secret", any_structure, scalar(&any, *secret_));
  UA_Byte bytes[] = {1, 2, 3};
  UA_ExtensionObject broken{};
  broken.encoding = UA_EXTENSIONOBJECT_ENCODED_BYTESTRING;
  broken.content.encoded = {axis_->binaryEncodingId, {sizeof bytes, bytes}};
  add_variable(server, "broken", any_structure, scalar(&broken, UA_TYPES[UA_TYPES_EXTENSIONOBJECT]));
}

void OpcuaTestStructures::write_position(UA_Server* server, double position) const {
  UA_Variant value;
  UA_Server_readValue(server, node("motor"), &value);
  ALARA_ASSERT(value.type == motor_, "a motor");
  static_cast<Motor*>(value.data)->main.position = position;
  ALARA_ASSERT(UA_Server_writeValue(server, node("motor"), value) == UA_STATUSCODE_GOOD, "a test value");
  UA_Variant_clear(&value);
}

}  // namespace alara::contract
