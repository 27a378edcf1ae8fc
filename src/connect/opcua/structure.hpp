// SPDX-License-Identifier: Apache-2.0
// Structures that a server defines itself: how one lies in bytes (OPC UA Part 6, 5.2), and where a path leads in it. A
// value is walked over, not decoded: nothing is allocated, and what does not fit the definition is found. Thread-safe,
// as all of it is pure. Internal to connect/opcua.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "connect/opcua/address.hpp"
#include "connect/opcua/ua.hpp"

namespace alara::opcua {

// Why there is no number at the end of a path, fit for Inlet::reject. Arrays: they are compared by address.
inline constexpr char kWrongType[] = "wrong_type";
inline constexpr char kNoSuchElement[] = "no_such_element";
inline constexpr char kUndecodable[] = "undecodable";
inline constexpr char kUnknownStructure[] = "unknown_structure";

inline constexpr std::size_t kMostFields = 1024;
inline constexpr std::size_t kMostOptionalFields = 32;  // as the bits that say which are there

struct Structure;

// What a value of some type is in bytes. Enumerations are Int32; subtypes are what they are subtypes of.
struct WireType {
  UA_DataTypeKind kind = UA_DATATYPEKIND_BOOLEAN;  // built in, or STRUCTURE
  const Structure* structure = nullptr;            // of STRUCTURE, without fields of its own type
};

struct Field {
  std::string name;
  WireType type;
  bool array = false;
  bool optional = false;
};

struct Structure {
  enum class Form : std::uint8_t { plain, optional_fields, one_of };
  std::string name;
  Form form = Form::plain;
  std::vector<Field> fields;  // never empty, so that every value has bytes
};

// Asked for the types of fields; the error says why a type can not be read.
using WireTypeOf = std::function<Result<WireType>(const UA_NodeId& type)>;

// A definition as a server gives it. Fails, naming the member, when it can not be read: arrays of several dimensions,
// members of unknown types, too many of them.
[[nodiscard]] Result<Structure> structure_of(std::string name, const UA_StructureDefinition& definition,
                                             const WireTypeOf& type_of);
// One of the standard's, as open62541 describes it. `type_of` is asked for members that are structures.
[[nodiscard]] Result<Structure> structure_of(const UA_DataType& standard, const WireTypeOf& type_of);

// The value that a path leads to.
struct Found {
  UA_DataTypeKind kind = UA_DATATYPEKIND_BOOLEAN;  // built in
  std::span<const std::uint8_t> bytes;
  std::span<const PathStep> rest;  // of the path, into a value that says its own type: Variant, ExtensionObject
  const char* fault = nullptr;     // nullptr: found; else kWrongType, kNoSuchElement or kUndecodable
};
// Follows `path` into `body`, the bytes of one value of `structure` and nothing else; the result borrows from both.
[[nodiscard]] Found find_in(const Structure& structure, std::span<const std::uint8_t> body,
                            std::span<const PathStep> path);

}  // namespace alara::opcua
