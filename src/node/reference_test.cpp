// SPDX-License-Identifier: Apache-2.0
// The committed reference and JSON Schema are what the declarations in the code say today.
#include "node/reference.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "node/registry.hpp"

namespace alara::node {
namespace {

// Tests run in the repository's root.
std::string committed(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(Reference, IsCommittedAsTheCodeDeclaresIt) {
  if (protocol_named("opcua") == nullptr) GTEST_SKIP() << "built without open62541: the reference lacks OPC UA";
  EXPECT_TRUE(committed("docs/reference.md") == reference_markdown())
      << "stale: run `alara reference > docs/reference.md`";
}

TEST(Reference, TheJsonSchemaIsCommittedAsTheCodeDeclaresIt) {
  if (protocol_named("opcua") == nullptr) GTEST_SKIP() << "built without open62541: the schema lacks OPC UA";
  EXPECT_TRUE(committed("docs/site.schema.json") == site_json_schema())
      << "stale: run `alara reference --json-schema > docs/site.schema.json`";
}

TEST(Reference, EveryOptionHasASentence) {
  const auto schema = nlohmann::json::parse(site_json_schema());
  const auto& sections = schema.at("properties");
  for (const char* section : {"settings", "uplink"})
    for (const auto& [name, option] : sections.at(section).at("properties").items())
      EXPECT_TRUE(option.value("description", "").ends_with('.')) << section << '.' << name;
  for (const char* section : {"connectors", "pipelines"})
    for (const auto& [kind, options] : sections.at(section).at("additionalProperties").at("properties").items())
      if (options.contains("properties")) {
        for (const auto& [name, option] : options.at("properties").items())
          EXPECT_GT(option.value("description", "").size(), 5u) << section << '.' << kind << '.' << name;
      }
}

}  // namespace
}  // namespace alara::node
