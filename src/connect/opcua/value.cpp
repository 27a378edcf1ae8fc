// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/value.hpp"

#include <cmath>
#include <cstring>
#include <limits>

namespace alara::opcua {
namespace {

template <typename T>
double as_double(const void* data) {
  return static_cast<double>(*static_cast<const T*>(data));
}

Taken scalar(const void* data, const UA_DataType& type) {
  switch (type.typeKind) {
    case UA_DATATYPEKIND_BOOLEAN:
      return {*static_cast<const UA_Boolean*>(data) ? 1.0 : 0.0};
    case UA_DATATYPEKIND_SBYTE:
      return {as_double<UA_SByte>(data)};
    case UA_DATATYPEKIND_BYTE:
      return {as_double<UA_Byte>(data)};
    case UA_DATATYPEKIND_INT16:
      return {as_double<UA_Int16>(data)};
    case UA_DATATYPEKIND_UINT16:
      return {as_double<UA_UInt16>(data)};
    case UA_DATATYPEKIND_INT32:
    case UA_DATATYPEKIND_ENUM:
      return {as_double<UA_Int32>(data)};
    case UA_DATATYPEKIND_UINT32:
      return {as_double<UA_UInt32>(data)};
    case UA_DATATYPEKIND_INT64:
      return {as_double<UA_Int64>(data)};
    case UA_DATATYPEKIND_UINT64:
      return {as_double<UA_UInt64>(data)};
    case UA_DATATYPEKIND_FLOAT:
      return {as_double<UA_Float>(data)};
    case UA_DATATYPEKIND_DOUBLE:
      return {as_double<UA_Double>(data)};
    case UA_DATATYPEKIND_DATETIME:
      return {static_cast<double>(instant_of(*static_cast<const UA_DateTime*>(data))) / 1e9};
    default:
      return {0, kWrongType};
  }
}

// Where a path has led so far: a value of `type`, or an array of `length` of them.
struct Place {
  const std::uint8_t* at;
  const UA_DataType* type;
  bool array;
  std::size_t length;
};

// Goes to a member of a structure as open62541 describes it, by name and padding; false: it has no such member.
bool enter(Place& place, const std::string& name) {
  for (const UA_DataTypeMember& member : std::span(place.type->members, place.type->membersSize)) {
    place.at += member.padding;
    if (name != member.memberName) {
      place.at += member.isArray      ? sizeof(std::size_t) + sizeof(void*)
                  : member.isOptional ? sizeof(void*)
                                      : std::size_t{member.memberType->memSize};
      continue;
    }
    place.type = member.memberType;
    place.array = member.isArray != 0;
    if (member.isArray) {
      std::memcpy(&place.length, place.at, sizeof place.length);
      std::memcpy(&place.at, place.at + sizeof place.length, sizeof place.at);
      return place.length <= kMostArrayElements;
    }
    if (member.isOptional) std::memcpy(&place.at, place.at, sizeof place.at);
    return place.at != nullptr;
  }
  return false;
}

Taken follow(Place place, std::span<const PathStep> path, const Structures* structures);

template <std::size_t Type, typename T>
bool decode(Ua<T, Type>& out, std::span<const std::uint8_t> bytes) {
  const UA_ByteString source = borrowed(bytes);
  return UA_decodeBinary(&source, &*out, &UA_TYPES[Type], nullptr) == UA_STATUSCODE_GOOD;
}

Taken follow(const Found& found, const Structures* structures) {
  if (found.kind == UA_DATATYPEKIND_VARIANT) {
    UaVariant value;
    return decode(value, found.bytes) ? number_in(*value, found.rest, structures) : Taken{0, kUndecodable};
  }
  if (found.kind == UA_DATATYPEKIND_EXTENSIONOBJECT) {
    Ua<UA_ExtensionObject, UA_TYPES_EXTENSIONOBJECT> value;
    if (!decode(value, found.bytes)) return {0, kUndecodable};
    const Place place{reinterpret_cast<const std::uint8_t*>(&*value), &UA_TYPES[UA_TYPES_EXTENSIONOBJECT], false, 0};
    return follow(place, found.rest, structures);
  }
  const UA_DataType& type = UA_TYPES[found.kind];
  std::uint64_t number = 0;  // holds any scalar
  if (scalar(&number, type).fault != nullptr) return {0, kWrongType};
  const UA_ByteString source = borrowed(found.bytes);
  return UA_decodeBinary(&source, &number, &type, nullptr) == UA_STATUSCODE_GOOD ? scalar(&number, type)
                                                                                 : Taken{0, kUndecodable};
}

// Into a structure that open62541 has left in bytes.
Taken follow_bytes(const UA_ExtensionObject& object, std::span<const PathStep> path, const Structures* structures) {
  if (object.encoding != UA_EXTENSIONOBJECT_ENCODED_BYTESTRING || structures == nullptr) return {0, kWrongType};
  const UA_NodeId& encoding = object.content.encoded.typeId;
  const Structures::Known* known = structures->find(encoding);
  if (known == nullptr || known->structure == nullptr) return {0, kUnknownStructure, copy_of(encoding)};
  const UA_ByteString& body = object.content.encoded.body;
  const Found found = find_in(*known->structure, {body.data, body.length}, path);
  Taken taken = found.fault != nullptr ? Taken{0, found.fault} : follow(found, structures);
  if (taken.fault == kUndecodable) taken.encoding = copy_of(encoding);
  return taken;
}

Taken follow(Place place, std::span<const PathStep> path, const Structures* structures) {
  while (!path.empty()) {
    const PathStep& step = path.front();
    if (step.index) {
      if (!place.array) return {0, kWrongType};
      if (*step.index >= place.length) return {0, kNoSuchElement};
      place.at += static_cast<std::size_t>(place.type->memSize) * *step.index;
      place.array = false;
      path = path.subspan(1);
      continue;
    }
    if (place.array) return {0, kWrongType};
    if (place.type->typeKind == UA_DATATYPEKIND_EXTENSIONOBJECT) {
      const auto& object = *reinterpret_cast<const UA_ExtensionObject*>(place.at);
      if (object.encoding < UA_EXTENSIONOBJECT_DECODED) return follow_bytes(object, path, structures);
      place.at = static_cast<const std::uint8_t*>(object.content.decoded.data);
      place.type = object.content.decoded.type;
    }
    if (place.type->typeKind != UA_DATATYPEKIND_STRUCTURE) return {0, kWrongType};
    if (!enter(place, step.member)) return {0, kNoSuchElement};
    path = path.subspan(1);
  }
  if (place.array && place.length != 1) return {0, kWrongType};
  return scalar(place.at, *place.type);
}

template <typename T>
Result<UaVariant> whole(double value, const UA_DataType& type) {
  const double rounded = std::nearbyint(value);
  // The greatest 64-bit numbers are no doubles: the bound is one behind, and exclusive.
  if (!(rounded >= static_cast<double>(std::numeric_limits<T>::min())) ||
      !(rounded < std::ldexp(1.0, std::numeric_limits<T>::digits)))
    return fail(ErrorKind::refused, "{:g} does not fit {}", value, type.typeName);
  const T number = static_cast<T>(rounded);
  UaVariant variant;
  UA_Variant_setScalarCopy(&*variant, &number, &type);
  return variant;
}

template <typename T>
UaVariant exactly(T value, const UA_DataType& type) {
  UaVariant variant;
  UA_Variant_setScalarCopy(&*variant, &value, &type);
  return variant;
}

}  // namespace

Taken number_in(const UA_Variant& variant, std::span<const PathStep> path, const Structures* structures) {
  if (variant.type == nullptr) return {0, "no_value"};
  const bool array = !UA_Variant_isScalar(&variant);
  if (array && variant.arrayLength > kMostArrayElements) return {0, "too_large"};
  const Place place{static_cast<const std::uint8_t*>(variant.data), variant.type, array, variant.arrayLength};
  return follow(place, path, structures);
}

Result<UaVariant> variant_of(double value, const UA_DataType& type) {
  switch (type.typeKind) {
    case UA_DATATYPEKIND_BOOLEAN:
      return exactly<UA_Boolean>(value != 0, type);
    case UA_DATATYPEKIND_SBYTE:
      return whole<UA_SByte>(value, type);
    case UA_DATATYPEKIND_BYTE:
      return whole<UA_Byte>(value, type);
    case UA_DATATYPEKIND_INT16:
      return whole<UA_Int16>(value, type);
    case UA_DATATYPEKIND_UINT16:
      return whole<UA_UInt16>(value, type);
    case UA_DATATYPEKIND_INT32:
    case UA_DATATYPEKIND_ENUM:
      return whole<UA_Int32>(value, type);
    case UA_DATATYPEKIND_UINT32:
      return whole<UA_UInt32>(value, type);
    case UA_DATATYPEKIND_INT64:
      return whole<UA_Int64>(value, type);
    case UA_DATATYPEKIND_UINT64:
      return whole<UA_UInt64>(value, type);
    case UA_DATATYPEKIND_FLOAT:
      return exactly<UA_Float>(static_cast<UA_Float>(value), type);
    case UA_DATATYPEKIND_DOUBLE:
      return exactly<UA_Double>(value, type);
    default:
      return fail(ErrorKind::refused, "a number can not be written to a value of type {}", type.typeName);
  }
}

Quality quality_of(UA_StatusCode status) {
  const auto severity = status >> 30;
  return severity == 0 ? Quality::good : severity == 1 ? Quality::uncertain : Quality::bad;
}

Nanos instant_of(UA_DateTime time) {
  const UA_DateTime since = time - UA_DATETIME_UNIX_EPOCH;  // 100 ns steps
  if (time < 0 || since > kNever / 100 || since < -kNever / 100) return 0;
  return since * 100;
}

}  // namespace alara::opcua
