// SPDX-License-Identifier: Apache-2.0
// Definitions of any content, of which later ones may use earlier ones, and a value of the last: what is found lies
// within the value.
#include <cstddef>
#include <deque>

#include "connect/opcua/structure.hpp"

using namespace alara;
using namespace alara::opcua;

namespace {

constexpr std::size_t kMostDefinitions = 3;

class Definitions {
 public:
  void add(std::span<const std::uint8_t> bytes) {
    Ua<UA_StructureDefinition, UA_TYPES_STRUCTUREDEFINITION> definition;
    const UA_ByteString source = borrowed(bytes);
    if (UA_decodeBinary(&source, &*definition, &UA_TYPES[UA_TYPES_STRUCTUREDEFINITION], nullptr) != UA_STATUSCODE_GOOD)
      return;
    auto made = structure_of("S", *definition, [this](const UA_NodeId& id) { return wire_type(id); });
    if (made) structures_.push_back(std::move(*made));
  }
  [[nodiscard]] const std::deque<Structure>& structures() const { return structures_; }

 private:
  Result<WireType> wire_type(const UA_NodeId& id) {
    if (id.namespaceIndex == 1 && id.identifierType == UA_NODEIDTYPE_NUMERIC &&
        id.identifier.numeric < structures_.size())
      return WireType{UA_DATATYPEKIND_STRUCTURE, &structures_[id.identifier.numeric]};
    const UA_DataType* type = UA_findDataType(&id);
    if (type == nullptr || type->typeKind >= UA_DATATYPEKIND_DECIMAL) return fail(ErrorKind::not_found, "no such type");
    return WireType{static_cast<UA_DataTypeKind>(type->typeKind), nullptr};
  }
  std::deque<Structure> structures_;
};

void look_for(const Structure& structure, std::span<const std::uint8_t> body, const std::vector<PathStep>& path) {
  const Found found = find_in(structure, body, path);
  if (found.fault != nullptr) return;
  if (found.bytes.data() < body.data() || found.bytes.data() + found.bytes.size() > body.data() + body.size())
    __builtin_trap();
  if (found.rest.size() >= path.size()) __builtin_trap();
}

}  // namespace

// A byte with the length of each definition before it, 0 before the value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::uint8_t> bytes(data, size);
  Definitions definitions;
  for (std::size_t i = 0; i < kMostDefinitions && !bytes.empty() && bytes[0] != 0; ++i) {
    const std::size_t length = std::min<std::size_t>(bytes[0], bytes.size() - 1);
    definitions.add(bytes.subspan(1, length));
    bytes = bytes.subspan(1 + length);
  }
  if (definitions.structures().empty() || bytes.empty()) return 0;
  const std::vector<std::uint8_t> body(bytes.begin() + 1, bytes.end());  // so that reading beyond it shows
  for (const Structure& structure : definitions.structures())
    for (const Field& field : structure.fields) {
      look_for(structure, body, {{field.name, {}}});
      look_for(structure, body, {{field.name, {}}, {"", 1}});
    }
  return 0;
}
