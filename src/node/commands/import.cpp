// SPDX-License-Identifier: Apache-2.0
#include "node/import.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "node/commands/commands.hpp"
#include "node/compile.hpp"

namespace alara::node {
namespace {

struct ImportArguments {
  std::string file, out;
  CsvImport csv;
};

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::bad_input, "'{}' can not be read", path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// What is written has been checked as any site file is.
int write_site(const Result<Imported>& imported, const ImportArguments& arguments) {
  if (!imported) return report(imported.error());
  const std::string site = site_of(*imported, arguments.file);
  const auto checked = check_site_text(site, arguments.out.empty() ? "the imported file" : arguments.out);
  for (const Error& error : checked->diagnosis.errors) report(error);
  for (const std::string& line : imported->left_out) fmt::print(stderr, "left out: {}\n", line);
  if (arguments.out.empty()) {
    fmt::print("{}", site);
  } else {
    std::ofstream out(arguments.out);
    out << site;
    out.close();
    if (!out) return report({ErrorKind::bad_input, fmt::format("'{}' can not be written", arguments.out), {}, {}});
  }
  std::size_t tags = 0;
  for (const ImportedDevice& device : imported->devices) tags += device.tags.size();
  fmt::print(stderr, "{} tags of {} devices, {} remarks\n", tags, imported->devices.size(), imported->left_out.size());
  return checked->diagnosis.ok() ? kGood : kFailed;
}

}  // namespace

void add_import_command(CLI::App& app, CommandLine& line) {
  CLI::App* command =
      app.add_subcommand("import", "Make a site file of what others have: Telegraf's Modbus tables, CSV tag lists");
  command->footer(
      "Example:\n  alara import telegraf /etc/telegraf/telegraf.conf --out site.yaml\n"
      "  alara import csv tags.csv --endpoint tcp://10.0.0.5:502 > site.yaml");
  command->require_subcommand(1);
  auto arguments = std::make_shared<ImportArguments>();
  const auto common = [&arguments](CLI::App* to) {
    to->add_option("FILE", arguments->file, "What to import")->required()->option_text(" ");
    to->add_option("--out", arguments->out, "Where to write the site file; default standard output")
        ->option_text("FILE");
  };
  CLI::App* telegraf = command->add_subcommand("telegraf", "The [[inputs.modbus]] tables of a Telegraf configuration");
  common(telegraf);
  telegraf->callback([&line, arguments] {
    const auto text = read_file(arguments->file);
    line.exit_code = text ? write_site(import_telegraf(*text, arguments->file), *arguments) : report(text.error());
  });
  CLI::App* csv = command->add_subcommand("csv", "A list of tags, one in each line under a header");
  common(csv);
  csv->add_option("--device", arguments->csv.device, "Connector of tags without a device column; default plc")
      ->option_text("NAME");
  csv->add_option("--endpoint", arguments->csv.endpoint, "Its Modbus endpoint; default tcp://127.0.0.1:502")
      ->option_text("URL");
  csv->callback([&line, arguments] {
    const auto text = read_file(arguments->file);
    line.exit_code =
        text ? write_site(import_csv(*text, arguments->file, arguments->csv), *arguments) : report(text.error());
  });
}

}  // namespace alara::node
