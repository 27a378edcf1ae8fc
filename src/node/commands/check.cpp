// SPDX-License-Identifier: Apache-2.0
// `alara check`, `alara explain`, `alara test`: everything about a site file that needs no device.
#include <CLI/App.hpp>
#include <cstdio>

#include "base/quantity.hpp"
#include "node/commands/commands.hpp"
#include "node/commands/site_argument.hpp"
#include "node/compile.hpp"
#include "node/fixtures.hpp"

namespace alara::node {
namespace {

int check(const std::string& path) {
  const auto checked = open_site(path);
  if (!checked) return kBadUsage;
  std::vector<Error> errors;
  const auto fixtures = read_fixtures(checked->site, errors);
  print_diagnosis({errors, {}});
  if (!errors.empty()) return kBadUsage;
  fmt::print(
      "{}: good. {} signals, {} assets, {} connectors, {} pipelines, {} tests; pipelines hold at most {} of {}\n", path,
      checked->compiled.signals.size(), checked->site.assets.size(), checked->site.connectors.size(),
      checked->site.pipelines.size(), fixtures.size(), format_size(checked->compiled.memory_bound),
      format_size(checked->site.settings.memory));
  return kGood;
}

int explain_file(const std::string& path) {
  const auto checked = open_site(path);
  if (!checked) return kBadUsage;
  fmt::print("{}", explain(checked->site, checked->compiled, checked->identities));
  return kGood;
}

int test(const std::string& path, bool verbose) {
  const auto checked = open_site(path);
  if (!checked) return kBadUsage;
  std::vector<Error> errors;
  const auto fixtures = read_fixtures(checked->site, errors);
  print_diagnosis({errors, {}});
  if (!errors.empty()) return kBadUsage;
  if (fixtures.empty())
    return report({ErrorKind::bad_input, fmt::format("'{}' has no tests", path), {}, "add a section 'tests'"});
  std::size_t failed = 0;
  for (const Fixture& fixture : fixtures) {
    const auto outcome = run_fixture(checked->site, fixture);
    if (!outcome) return report(outcome.error());
    fmt::print("{} {}\n", outcome->passed() ? "passed" : "FAILED", outcome->name);
    if (verbose || !outcome->passed())
      for (const std::string& line : outcome->log) fmt::print("    {}\n", line);
    for (const std::string& failure : outcome->failures) fmt::print("    {}\n", failure);
    failed += outcome->passed() ? 0 : 1;
  }
  fmt::print("{} passed, {} failed\n", fixtures.size() - failed, failed);
  return failed == 0 ? kGood : kFailed;
}

}  // namespace

void add_check_command(CLI::App& app, CommandLine& line) {
  CLI::App* command =
      app.add_subcommand("check", "Check a site file: names, types, units, shapes, memory, unreachable parts");
  command->footer(
      "Prints every fault with file:line:column and what is allowed; exit code 2 when there is one.\nExample:\n  alara "
      "check examples/03-stop-by-modbus.yaml");
  auto path = std::make_shared<std::string>();
  command->add_option("SITE", *path, "The site file")->required()->option_text(" ");
  command->callback([&line, path] { line.exit_code = check(*path); });
}

void add_explain_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("explain", "Show the compiled plan: shards, lanes, steps, polling schedule");
  command->alias("plan");
  command->footer("Example:\n  alara explain examples/03-stop-by-modbus.yaml");
  auto path = std::make_shared<std::string>();
  command->add_option("SITE", *path, "The site file")->required()->option_text(" ");
  command->callback([&line, path] { line.exit_code = explain_file(*path); });
}

void add_test_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("test", "Run the tests written in a site file, in virtual time");
  command->footer(
      "Needs no device: commands are confirmed at once, and time is virtual.\nExample:\n  alara test "
      "examples/03-stop-by-modbus.yaml --verbose");
  auto path = std::make_shared<std::string>();
  auto verbose = std::make_shared<bool>(false);
  command->add_option("SITE", *path, "The site file")->required()->option_text(" ");
  command->add_flag("-v,--verbose", *verbose, "Also show what happened in the tests that passed");
  command->callback([&line, path, verbose] { line.exit_code = test(*path, *verbose); });
}

}  // namespace alara::node
