// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/probe.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>

#include "base/quantity.hpp"
#include "node/commands/commands.hpp"

namespace alara::node {
namespace {

struct ProbeOptions {
  std::string endpoint, address, timeout = "1s";
  int unit = 1;
};

int run_probe(const ProbeOptions& options) {
  const auto endpoint = modbus::parse_endpoint(options.endpoint);
  if (!endpoint) return report(endpoint.error());
  modbus::AddressDefaults defaults;
  defaults.unit = static_cast<std::uint8_t>(options.unit);
  const auto address = modbus::parse_address(options.address, defaults);
  if (!address) return report(address.error());
  const auto timeout = parse_duration(options.timeout);
  if (!timeout) return report(timeout.error());
  SystemClock clock;
  const auto probe = modbus::probe(*endpoint, *address, *timeout, clock);
  if (!probe) return report(probe.error());
  fmt::print("{}", modbus::format_probe(*probe));
  return kGood;
}

}  // namespace

void add_probe_command(CLI::App& app, CommandLine& line) {
  CLI::App* command =
      app.add_subcommand("probe", "Show a live Modbus register in every type and byte order, to pick by sight");
  command->footer("Example:\n  alara probe tcp://10.0.0.5:502 holding/100 --unit 1");
  auto options = std::make_shared<ProbeOptions>();
  command->add_option("ENDPOINT", options->endpoint, "Where the device listens: tcp://host:port")
      ->required()
      ->option_text(" ");
  command->add_option("ADDRESS", options->address, "As in a site file: holding/100, input/7, coil/3")
      ->required()
      ->option_text(" ");
  command->add_option("--unit", options->unit, "Unit identifier, 0 to 255; default 1")
      ->check(CLI::Range(0, 255))
      ->option_text("N");
  command->add_option("--timeout", options->timeout, "How long to wait for an answer, as in 500ms; default 1s")
      ->option_text("DURATION");
  command->callback([&line, options] { line.exit_code = run_probe(*options); });
}

}  // namespace alara::node
