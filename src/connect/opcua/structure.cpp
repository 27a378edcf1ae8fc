// SPDX-License-Identifier: Apache-2.0
// From definitions to structures; the walk over their values is in structure_walk.cpp.
#include "connect/opcua/structure.hpp"

#include <algorithm>

namespace alara::opcua {
namespace {

Status check_size(const Structure& structure) {
  if (structure.fields.empty()) return fail(ErrorKind::refused, "it has no members");
  if (structure.fields.size() > kMostFields)
    return fail(ErrorKind::refused, "it has {} members, more than {}", structure.fields.size(), kMostFields);
  const auto optional = std::ranges::count_if(structure.fields, &Field::optional);
  if (optional > static_cast<std::ptrdiff_t>(kMostOptionalFields))
    return fail(ErrorKind::corrupt, "it has {} optional members, more than {}", optional, kMostOptionalFields);
  return {};
}

bool allows_subtypes(UA_StructureType type) {
  return type == UA_STRUCTURETYPE_STRUCTUREWITHSUBTYPEDVALUES || type == UA_STRUCTURETYPE_UNIONWITHSUBTYPEDVALUES;
}

Result<Structure::Form> form_of(UA_StructureType type) {
  switch (type) {
    case UA_STRUCTURETYPE_STRUCTURE:
    case UA_STRUCTURETYPE_STRUCTUREWITHSUBTYPEDVALUES:
      return Structure::Form::plain;
    case UA_STRUCTURETYPE_STRUCTUREWITHOPTIONALFIELDS:
      return Structure::Form::optional_fields;
    case UA_STRUCTURETYPE_UNION:
    case UA_STRUCTURETYPE_UNIONWITHSUBTYPEDVALUES:
      return Structure::Form::one_of;
    default:
      return fail(ErrorKind::corrupt, "it is neither a structure nor a union");
  }
}

Result<Field> field_of(const UA_StructureField& source, UA_StructureType type, const WireTypeOf& type_of) {
  Field field;
  field.name = view(source.name);
  const auto wire = type_of(source.dataType);
  if (!wire) return fail(wire.error().kind, "member '{}': {}", field.name, wire.error().message);
  field.type = *wire;
  if (source.valueRank != UA_VALUERANK_SCALAR && source.valueRank != UA_VALUERANK_ONE_DIMENSION)
    return fail(ErrorKind::refused, "member '{}' is an array of several dimensions", field.name);
  field.array = source.valueRank == UA_VALUERANK_ONE_DIMENSION;
  // With subtypes allowed the flag of optional members has another meaning (Part 3, 8.49): the value says its type.
  if (allows_subtypes(type) && source.isOptional)
    field.type = {wire->structure != nullptr || wire->kind == UA_DATATYPEKIND_EXTENSIONOBJECT
                      ? UA_DATATYPEKIND_EXTENSIONOBJECT
                      : UA_DATATYPEKIND_VARIANT,
                  nullptr};
  else
    field.optional = type == UA_STRUCTURETYPE_STRUCTUREWITHOPTIONALFIELDS && source.isOptional;
  return field;
}

}  // namespace

Result<Structure> structure_of(std::string name, const UA_StructureDefinition& definition, const WireTypeOf& type_of) {
  Structure structure;
  structure.name = std::move(name);
  ALARA_TRY(structure.form, form_of(definition.structureType));
  for (const UA_StructureField& source : std::span(definition.fields, definition.fieldsSize)) {
    if (structure.fields.size() > kMostFields) break;
    ALARA_TRY(Field field, field_of(source, definition.structureType, type_of));
    structure.fields.push_back(std::move(field));
  }
  ALARA_CHECK(check_size(structure));
  return structure;
}

Result<Structure> structure_of(const UA_DataType& standard, const WireTypeOf& type_of) {
  Structure structure;
  structure.name = standard.typeName;
  structure.form = standard.typeKind == UA_DATATYPEKIND_UNION       ? Structure::Form::one_of
                   : standard.typeKind == UA_DATATYPEKIND_OPTSTRUCT ? Structure::Form::optional_fields
                                                                    : Structure::Form::plain;
  for (const UA_DataTypeMember& member : std::span(standard.members, standard.membersSize)) {
    ALARA_TRY(const WireType type, type_of(member.memberType->typeId));
    structure.fields.push_back({member.memberName, type, member.isArray != 0, member.isOptional != 0});
  }
  ALARA_CHECK(check_size(structure));
  return structure;
}

}  // namespace alara::opcua
