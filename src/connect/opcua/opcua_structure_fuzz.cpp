// SPDX-License-Identifier: Apache-2.0
// Definitions of any content, of which later ones may use earlier ones, and a value of the last: what is found lies
// within the value. The library is not linked (it is built by another compiler): definitions come from a recipe.
#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>

#include "connect/opcua/structure.hpp"

using namespace alara;
using namespace alara::opcua;

namespace {

constexpr std::size_t kMostMembers = 8;
std::array<std::string, kMostMembers> names{"a", "b", "c", "d", "e", "f", "g", "h"};

class Recipe {
 public:
  explicit Recipe(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  std::uint8_t next() {
    if (bytes_.empty()) return 0;
    const std::uint8_t byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }
  [[nodiscard]] std::span<const std::uint8_t> rest() const { return bytes_; }

 private:
  std::span<const std::uint8_t> bytes_;
};

// Types below 64 are built in, others an earlier structure.
Result<WireType> wire_type(const UA_NodeId& id, const std::deque<Structure>& earlier) {
  const std::size_t number = id.identifier.numeric;
  if (number < UA_DATATYPEKIND_DECIMAL) return WireType{static_cast<UA_DataTypeKind>(number), nullptr};
  if (number >= 64 && number - 64 < earlier.size()) return WireType{UA_DATATYPEKIND_STRUCTURE, &earlier[number - 64]};
  return fail(ErrorKind::not_found, "no such type");
}

// A byte for the form, one for the number of members; each of them a byte for the type and one for what it may be.
void define(Recipe& recipe, std::deque<Structure>& earlier) {
  UA_StructureDefinition definition{};
  std::array<UA_StructureField, kMostMembers> members{};
  definition.structureType = static_cast<UA_StructureType>(recipe.next() % 6);
  definition.fields = members.data();
  definition.fieldsSize = recipe.next() % (kMostMembers + 1);
  for (std::size_t i = 0; i < definition.fieldsSize; ++i) {
    members[i].name = borrowed(names[i]);
    members[i].dataType.identifier.numeric = recipe.next();
    const std::uint8_t may = recipe.next();
    members[i].valueRank = may % 4 - 1;  // scalar, any, array, of two dimensions
    if (members[i].valueRank == 0) members[i].valueRank = UA_VALUERANK_SCALAR;
    members[i].isOptional = (may & 16) != 0;
  }
  auto made = structure_of("S", definition, [&](const UA_NodeId& id) { return wire_type(id, earlier); });
  if (made) earlier.push_back(std::move(*made));
}

void look_for(const Structure& structure, std::span<const std::uint8_t> body, const std::vector<PathStep>& path) {
  const Found found = find_in(structure, body, path);
  if (found.fault != nullptr) return;
  if (found.bytes.data() < body.data() || found.bytes.data() + found.bytes.size() > body.data() + body.size())
    __builtin_trap();
  if (found.rest.size() >= path.size()) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Recipe recipe({data, size});
  std::deque<Structure> structures;
  for (int count = recipe.next() % 4; count > 0; --count) define(recipe, structures);
  if (structures.empty()) return 0;
  const std::vector<std::uint8_t> body(recipe.rest().begin(), recipe.rest().end());  // so that reading beyond it shows
  for (const Field& field : structures.back().fields) {
    look_for(structures.back(), body, {{field.name, {}}});
    look_for(structures.back(), body, {{field.name, {}}, {"", 1}});
    look_for(structures.back(), body, {{field.name, {}}, {"", 0}, {"a", {}}});
    look_for(structures.back(), body, {{field.name, {}}, {"b", {}}});
  }
  return 0;
}
