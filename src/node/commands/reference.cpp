// SPDX-License-Identifier: Apache-2.0
#include "node/reference.hpp"

#include <CLI/App.hpp>
#include <cstdio>

#include "base/text.hpp"
#include "node/commands/commands.hpp"
#include "node/registry.hpp"

namespace alara::node {
namespace {

int describe(const std::string& name) {
  if (const Protocol* protocol = protocol_named(name)) {
    fmt::print("{}", describe_protocol(*protocol));
    return kGood;
  }
  std::vector<std::string_view> known;
  for (const Protocol* protocol : protocols()) known.push_back(protocol->key());
  return report(
      {ErrorKind::bad_input, fmt::format("there is no connector '{}'", name), {}, "there are " + enumerate(known)});
}

}  // namespace

void add_connectors_command(CLI::App& app, CommandLine& line) {
  CLI::App* command =
      app.add_subcommand("connectors", "List the protocols; describe one with its options and addresses");
  command->footer("Examples:\n  alara connectors\n  alara connectors describe modbus");
  CLI::App* about = command->add_subcommand("describe", "Options and addresses of one protocol");
  auto name = std::make_shared<std::string>();
  about->footer("Example:\n  alara connectors describe modbus");
  about->add_option("NAME", *name, "modbus, mqtt or file")->required()->option_text(" ");
  about->callback([&line, name] { line.exit_code = describe(*name); });
  command->callback([command] {
    if (!command->get_subcommands().empty()) return;
    for (const Protocol* protocol : protocols())
      fmt::print("{:<10} {}\n", protocol->key(), protocol->schema().sentence);
  });
}

void add_reference_command(CLI::App& app, CommandLine& line) {
  CLI::App* command =
      app.add_subcommand("reference", "Print the configuration reference, or the JSON Schema for editors");
  command->footer("Examples:\n  alara reference > reference.md\n  alara reference --json-schema > site.schema.json");
  auto schema = std::make_shared<bool>(false);
  command->add_flag("--json-schema", *schema, "Print the JSON Schema of a site file");
  command->callback([&line, schema] {
    fmt::print("{}", *schema ? site_json_schema() : reference_markdown());
    line.exit_code = kGood;
  });
}

}  // namespace alara::node
