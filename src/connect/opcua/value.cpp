// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/value.hpp"

#include <cmath>
#include <cstring>
#include <limits>

namespace alara::opcua {
namespace {

constexpr const char* kWrongType = "wrong_type";
constexpr const char* kNoSuchElement = "no_such_element";

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

// Follows `path` from a value of `type`, or from an array of `length` of them. open62541 describes the members of
// structures by name and padding, those it knows and those that were read from the server alike.
Taken follow(const void* data, const UA_DataType* type, bool array, std::size_t length,
             std::span<const PathStep> path) {
  const auto* at = static_cast<const std::uint8_t*>(data);
  while (!path.empty()) {
    const PathStep& step = path.front();
    path = path.subspan(1);
    if (step.index) {
      if (!array) return {0, kWrongType};
      if (*step.index >= length) return {0, kNoSuchElement};
      at += static_cast<std::size_t>(type->memSize) * *step.index;
      array = false;
      continue;
    }
    if (array) return {0, kWrongType};
    if (type->typeKind == UA_DATATYPEKIND_EXTENSIONOBJECT) {
      const auto* object = reinterpret_cast<const UA_ExtensionObject*>(at);
      if (object->encoding < UA_EXTENSIONOBJECT_DECODED) return {0, kWrongType};
      at = static_cast<const std::uint8_t*>(object->content.decoded.data);
      type = object->content.decoded.type;
    }
    if (type->typeKind != UA_DATATYPEKIND_STRUCTURE) return {0, kWrongType};
    bool found = false;
    for (std::size_t m = 0; m < type->membersSize; ++m) {
      const UA_DataTypeMember& member = type->members[m];
      at += member.padding;
      if (step.member == member.memberName) {
        type = member.memberType;
        if (member.isArray) {
          std::memcpy(&length, at, sizeof length);
          std::memcpy(&at, at + sizeof length, sizeof at);
          array = true;
          if (length > kMostArrayElements) return {0, kNoSuchElement};
        } else if (member.isOptional) {
          std::memcpy(&at, at, sizeof at);
          if (at == nullptr) return {0, kNoSuchElement};
        }
        found = true;
        break;
      }
      at += member.isArray      ? sizeof(std::size_t) + sizeof(void*)
            : member.isOptional ? sizeof(void*)
                                : std::size_t{member.memberType->memSize};
    }
    if (!found) return {0, kNoSuchElement};
  }
  if (array) return length == 1 ? scalar(at, *type) : Taken{0, kWrongType};
  return scalar(at, *type);
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

Taken number_in(const UA_Variant& variant, std::span<const PathStep> path) {
  if (variant.type == nullptr) return {0, "no_value"};
  const bool array = !UA_Variant_isScalar(&variant);
  if (array && variant.arrayLength > kMostArrayElements) return {0, "too_large"};
  return follow(variant.data, variant.type, array, variant.arrayLength, path);
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
