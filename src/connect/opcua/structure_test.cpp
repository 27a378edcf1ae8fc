// SPDX-License-Identifier: Apache-2.0
#include "connect/opcua/structure.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>

namespace alara::opcua {
namespace {

// The standard's types, as open62541 describes them.
class StandardTypes {
 public:
  Result<WireType> wire_type(const UA_DataType& type) {
    if (type.typeKind == UA_DATATYPEKIND_ENUM) return WireType{UA_DATATYPEKIND_INT32, nullptr};
    if (type.typeKind < UA_DATATYPEKIND_DECIMAL) return WireType{static_cast<UA_DataTypeKind>(type.typeKind), nullptr};
    auto& known = structures_[type.typeName];
    if (!known) {
      ALARA_TRY(Structure made, structure_of(type, type_of()));
      known = std::make_unique<Structure>(std::move(made));
    }
    return WireType{UA_DATATYPEKIND_STRUCTURE, known.get()};
  }
  WireTypeOf type_of() {
    return [this](const UA_NodeId& id) -> Result<WireType> {
      const UA_DataType* type = UA_findDataType(&id);
      if (type == nullptr) return fail(ErrorKind::not_found, "no such type");
      return wire_type(*type);
    };
  }

 private:
  std::map<std::string, std::unique_ptr<Structure>> structures_;
};

std::vector<std::uint8_t> encoded(const void* value, const UA_DataType& type) {
  UA_ByteString bytes = UA_BYTESTRING_NULL;
  EXPECT_EQ(UA_encodeBinary(value, &type, &bytes), UA_STATUSCODE_GOOD) << type.typeName;
  std::vector<std::uint8_t> copy(bytes.data, bytes.data + bytes.length);
  UA_ByteString_clear(&bytes);
  return copy;
}

void expect_undecodable_when_cut(const Structure& structure, std::span<const std::uint8_t> bytes) {
  const std::vector<PathStep> path{{"nowhere", {}}};
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_STREQ(find_in(structure, bytes.first(size), path).fault, kUndecodable) << structure.name << ' ' << size;
  std::vector<std::uint8_t> longer(bytes.begin(), bytes.end());
  longer.push_back(0);
  EXPECT_STREQ(find_in(structure, longer, path).fault, kUndecodable) << structure.name;
}

TEST(Structure, EveryStandardStructureIsWalkedOverAsTheLibraryEncodesIt) {
  StandardTypes types;
  int count = 0;
  for (const UA_DataType& type : std::span(UA_TYPES, UA_TYPES_COUNT)) {
    if (type.typeKind <= UA_DATATYPEKIND_ENUM || type.membersSize == 0) continue;
    void* value = UA_new(&type);
    const auto bytes = encoded(value, type);
    UA_delete(value, &type);
    const auto wire = types.wire_type(type);
    ASSERT_TRUE(wire.has_value()) << type.typeName << ": " << wire.error().message;
    const std::vector<PathStep> path{{"nowhere", {}}};
    EXPECT_STREQ(find_in(*wire->structure, bytes, path).fault, kNoSuchElement) << type.typeName;
    expect_undecodable_when_cut(*wire->structure, bytes);
    ++count;
  }
  EXPECT_GT(count, 100);
}

// Values of all built-in types, with everything set that may be left out.
class Everything {
 public:
  Everything() {
    text_ = UA_STRING(const_cast<char*>("text"));
    id_ = {UA_NODEID_STRING(300, const_cast<char*>("node")), text_, 70'000};
    name_ = {3, text_};
    localized_ = {text_, text_};
    object_.encoding = UA_EXTENSIONOBJECT_ENCODED_BYTESTRING;
    object_.content.encoded = {UA_NODEID_GUID(2, UA_GUID_NULL), text_};
    inner_.hasSymbolicId = inner_.hasInnerStatusCode = true;
    info_.hasSymbolicId = info_.hasNamespaceUri = info_.hasLocalizedText = info_.hasLocale = true;
    info_.hasAdditionalInfo = info_.hasInnerStatusCode = info_.hasInnerDiagnosticInfo = true;
    info_.additionalInfo = text_;
    info_.innerDiagnosticInfo = &inner_;
    UA_Variant_setArray(&matrix_, texts_.data(), texts_.size(), &UA_TYPES[UA_TYPES_STRING]);
    matrix_.arrayDimensions = dimensions_.data();
    matrix_.arrayDimensionsSize = dimensions_.size();
    data_.hasValue = data_.hasStatus = data_.hasSourceTimestamp = data_.hasServerTimestamp = true;
    data_.hasSourcePicoseconds = data_.hasServerPicoseconds = true;
    data_.value = matrix_;
  }
  // As a Variant, so that the library encodes it.
  [[nodiscard]] std::vector<UA_Variant> all() {
    std::vector<UA_Variant> values;
    const auto put = [&](void* value, std::size_t type) {
      UA_Variant variant;
      UA_Variant_setScalar(&variant, value, &UA_TYPES[type]);
      values.push_back(variant);
    };
    put(&id_.nodeId, UA_TYPES_NODEID);
    put(&id_, UA_TYPES_EXPANDEDNODEID);
    put(&name_, UA_TYPES_QUALIFIEDNAME);
    put(&localized_, UA_TYPES_LOCALIZEDTEXT);
    put(&object_, UA_TYPES_EXTENSIONOBJECT);
    put(&info_, UA_TYPES_DIAGNOSTICINFO);
    put(&data_, UA_TYPES_DATAVALUE);
    values.push_back(matrix_);
    UA_Variant nested;
    UA_Variant_setArray(&nested, &matrix_, 1, &UA_TYPES[UA_TYPES_VARIANT]);
    values.push_back(nested);
    return values;
  }

 private:
  UA_String text_{};
  std::array<UA_String, 4> texts_{};
  std::array<UA_UInt32, 2> dimensions_{2, 2};
  UA_ExpandedNodeId id_{};
  UA_QualifiedName name_{};
  UA_LocalizedText localized_{};
  UA_ExtensionObject object_{};
  UA_DiagnosticInfo inner_{}, info_{};
  UA_Variant matrix_{};
  UA_DataValue data_{};
};

TEST(Structure, WhatLiesBehindAnyBuiltInValueIsFound) {
  Everything everything;
  const Structure pair{"Pair",
                       Structure::Form::plain,
                       {{"any", {UA_DATATYPEKIND_VARIANT, nullptr}}, {"number", {UA_DATATYPEKIND_UINT16, nullptr}}}};
  const std::vector<PathStep> path{{"number", {}}};
  for (const UA_Variant& value : everything.all()) {
    auto bytes = encoded(&value, UA_TYPES[UA_TYPES_VARIANT]);
    bytes.insert(bytes.end(), {0x34, 0x12});
    const Found found = find_in(pair, bytes, path);
    ASSERT_EQ(found.fault, nullptr) << value.type->typeName << ' ' << found.fault;
    EXPECT_EQ(found.kind, UA_DATATYPEKIND_UINT16);
    EXPECT_EQ(found.bytes.data(), bytes.data() + bytes.size() - 2) << value.type->typeName;
    expect_undecodable_when_cut(pair, bytes);
  }
}

TEST(Structure, ADefinitionThatCanNotBeReadNamesItsMember) {
  StandardTypes types;
  std::array<UA_StructureField, 2> fields{};
  fields[0].name = UA_STRING(const_cast<char*>("speed"));
  fields[0].dataType = UA_TYPES[UA_TYPES_DOUBLE].typeId;
  fields[0].valueRank = UA_VALUERANK_SCALAR;
  fields[1] = fields[0];
  fields[1].name = UA_STRING(const_cast<char*>("map"));
  UA_StructureDefinition definition{};
  definition.fields = fields.data();
  definition.fieldsSize = fields.size();
  const auto error = [&] {
    const auto made = structure_of("S", definition, types.type_of());
    return made ? "" : made.error().message;
  };
  EXPECT_EQ(error(), "");
  fields[1].valueRank = UA_VALUERANK_TWO_DIMENSIONS;
  EXPECT_NE(error().find("'map'"), std::string::npos) << error();
  fields[1].valueRank = UA_VALUERANK_SCALAR;
  fields[1].dataType = UA_NODEID_NUMERIC(9, 9);
  EXPECT_NE(error().find("'map'"), std::string::npos) << error();
  definition.fieldsSize = 0;
  EXPECT_NE(error().find("no members"), std::string::npos) << error();
  definition.fieldsSize = 1;
  definition.structureType = static_cast<UA_StructureType>(17);
  EXPECT_NE(error(), "");
}

}  // namespace
}  // namespace alara::opcua
