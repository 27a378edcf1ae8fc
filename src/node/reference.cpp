// SPDX-License-Identifier: Apache-2.0
#include "node/reference.hpp"

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "node/fixtures.hpp"
#include "node/registry.hpp"
#include "node/site.hpp"

namespace alara::node {
namespace {

using Json = nlohmann::ordered_json;

Json object_schema(const Schema& schema) { return Json::parse(json_schema(schema)); }

Json one_key_of(const Json& choices) {
  return {{"type", "object"},
          {"minProperties", 1},
          {"maxProperties", 1},
          {"additionalProperties", false},
          {"properties", choices}};
}

Json step_options(const OperatorKind& kind) {
  if (kind.schema().properties.empty())
    return {{"type", {"string", "number"}}, {"description", kind.schema().sentence}};
  return object_schema(kind.schema());
}

std::string step_section(const OperatorKind& kind) {
  if (!kind.schema().properties.empty()) return markdown_reference(kind.schema());
  return fmt::format("### {}\n\n{}\n", kind.schema().name, kind.schema().sentence);
}

constexpr std::string_view kIntroduction =
    "# Configuration reference\n\n"
    "Made by `alara reference` from the declarations that also check a site file; do not edit. [Site files by "
    "example](site-file.md)\n"
    "is the place to begin; `docs/site.schema.json` lets an editor complete and check names.\n\n"
    "| section | what stands in it |\n|---|---|\n"
    "| `node` | the node's name |\n"
    "| `settings` | how the node runs |\n"
    "| `connectors` | `NAME: {PROTOCOL: {options}}`, one for each device, broker or file |\n"
    "| `asset_types` | `NAME: {signals: {SIGNAL: {options}}}`: what is measured on a kind of machine |\n"
    "| `assets` | `NAME: {type: TYPE, from: {SIGNAL: CONNECTOR/ADDRESS}, with: {VARIABLE: value}}`: the machines |\n"
    "| `pipelines` | `NAME: {for: TYPE or ASSET, lane: fast or slow, admit: {options}, steps: {STEP: {KIND: "
    "options}}}` |\n"
    "| `uplink` | what goes to the layer above |\n"
    "| `tests` | input traces and what must come of them |\n\n"
    "Durations are written 10ms, 2s, 5min, 1h, 1d; sizes 64KB, 2GB; frequencies 50Hz, 6.4kHz. `${NAME}` and "
    "`${NAME:-otherwise}` take a\n"
    "value from the environment.\n\n";

}  // namespace

std::string describe_protocol(const Protocol& protocol) {
  std::string out = fmt::format("{}\n\n{}\n\naddresses:\n{}\n\noptions:\n", protocol.key(), protocol.schema().sentence,
                                trim(protocol.address_help()));
  for (const Property& property : protocol.schema().properties) {
    std::string choices;
    for (const std::string& choice : property.choices) choices += (choices.empty() ? " One of " : ", ") + choice;
    if (!choices.empty()) choices += '.';
    out += fmt::format("  {:<16} {}{}{}\n", property.name, property.sentence, choices,
                       property.required           ? " Required."
                       : property.fallback.empty() ? ""
                                                   : " Default " + property.fallback + ".");
  }
  return out;
}

std::string reference_markdown() {
  std::string out(kIntroduction);
  out += "## Settings, signals, admission, uplink\n\n";
  for (const Schema* schema : {&settings_schema(), &signal_schema(), &admit_schema(), &uplink_schema()})
    out += markdown_reference(*schema) + "\n";
  out += "## Connectors\n\n";
  for (const Protocol* protocol : protocols())
    out += fmt::format("{}\nAddresses:\n\n```text\n{}\n```\n\n", markdown_reference(protocol->schema()),
                       trim(protocol->address_help()));
  out += "## Steps of a pipeline\n\n";
  for (const OperatorKind* kind : operator_kinds()) out += step_section(*kind) + "\n";
  out += "## Tests\n\n" + markdown_reference(fixture_schema());
  return out;
}

std::string site_json_schema() {
  Json connector = Json::object();
  for (const Protocol* protocol : protocols())
    connector[std::string(protocol->key())] = object_schema(protocol->schema());
  Json step = Json::object();
  for (const OperatorKind* kind : operator_kinds()) step[std::string(kind->key())] = step_options(*kind);

  Json pipeline_properties = {
      {"for", {{"type", "string"}, {"description", "An asset type, or one asset."}}},
      {"lane", {{"enum", {"fast", "slow"}}, {"description", "slow: off the threads that stop machines."}}},
      {"admit", object_schema(admit_schema())},
      {"steps", {{"type", "object"}, {"additionalProperties", one_key_of(step)}}}};
  for (const auto& [key, schema] : step.items()) pipeline_properties[key] = schema;

  const Json asset_type = {
      {"type", "object"},
      {"required", {"signals"}},
      {"properties", {{"signals", {{"type", "object"}, {"additionalProperties", object_schema(signal_schema())}}}}},
      {"additionalProperties", false}};
  const Json asset = {
      {"type", "object"},
      {"required", {"type"}},
      {"properties",
       {{"type", {{"type", "string"}, {"description", "One of asset_types."}}},
        {"from",
         {{"type", "object"},
          {"description", "Where each signal comes from: connector/address."},
          {"additionalProperties", {{"type", "string"}}}}},
        {"with", {{"type", "object"}, {"description", "Placeholders of this asset for its addresses."}}}}},
      {"additionalProperties", false}};
  const auto map_of = [](const Json& value) { return Json{{"type", "object"}, {"additionalProperties", value}}; };
  const Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                       {"title", "Alara Edge site file"},
                       {"type", "object"},
                       {"required", {"node"}},
                       {"additionalProperties", false},
                       {"properties",
                        {{"node", {{"type", "string"}, {"description", "The node's name."}}},
                         {"settings", object_schema(settings_schema())},
                         {"connectors", map_of(one_key_of(connector))},
                         {"asset_types", map_of(asset_type)},
                         {"assets", map_of(asset)},
                         {"pipelines", map_of({{"type", "object"},
                                               {"required", {"for"}},
                                               {"properties", pipeline_properties},
                                               {"additionalProperties", false}})},
                         {"uplink", object_schema(uplink_schema())},
                         {"tests", map_of(object_schema(fixture_schema()))}}}};
  return schema.dump(1) + "\n";
}

}  // namespace alara::node
