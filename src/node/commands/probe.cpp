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
  std::string place, address, timeout = "1s", parity = "even";
  int unit = 1, stop_bits = 1;
  std::uint32_t baud = 19'200;
};

Result<modbus::Settings> settings_of(const ProbeOptions& options) {
  modbus::Settings settings;
  ALARA_TRY(settings.timeout, parse_duration(options.timeout));
  if (!options.place.starts_with('/')) {
    ALARA_TRY(settings.endpoint, parse_endpoint(options.place, "tcp", modbus::kModbusPort));
    return settings;
  }
  modbus::SerialLine& line = settings.serial.emplace();
  line.device = options.place;
  line.baud = options.baud;
  using modbus::Parity;
  line.parity = options.parity == "none" ? Parity::none : options.parity == "odd" ? Parity::odd : Parity::even;
  line.stop_bits = static_cast<unsigned>(options.stop_bits);
  return settings;
}

int run_probe(const ProbeOptions& options) {
  const auto settings = settings_of(options);
  if (!settings) return report(settings.error());
  modbus::AddressDefaults defaults;
  defaults.unit = static_cast<std::uint8_t>(options.unit);
  const auto address = modbus::parse_address(options.address, defaults);
  if (!address) return report(address.error());
  SystemClock clock;
  const auto probe = modbus::probe(*settings, *address, clock);
  if (!probe) return report(probe.error());
  fmt::print("{}", modbus::format_probe(*probe));
  return kGood;
}

}  // namespace

void add_probe_command(CLI::App& app, CommandLine& line) {
  CLI::App* command =
      app.add_subcommand("probe", "Show a live Modbus register in every type and byte order, to pick by sight");
  command->footer(
      "Example:\n  alara probe tcp://10.0.0.5:502 holding/100 --unit 1\n  alara probe /dev/ttyUSB0 holding/100 --baud "
      "9600 "
      "--parity none");
  auto options = std::make_shared<ProbeOptions>();
  command->add_option("DEVICE", options->place, "Where the device listens, tcp://host:port; or a serial line, /dev/...")
      ->required()
      ->option_text(" ");
  command->add_option("ADDRESS", options->address, "As in a site file: holding/100, input/7, coil/3")
      ->required()
      ->option_text(" ");
  command->add_option("--unit", options->unit, "Unit identifier, 0 to 255; default 1")
      ->check(CLI::Range(0, 255))
      ->option_text("N");
  command->add_option("--baud", options->baud, "Speed of the serial line; default 19200")
      ->check(CLI::Range(300u, 4'000'000u))
      ->option_text("N");
  command->add_option("--parity", options->parity, "Of the serial line: even, odd or none; default even")
      ->check(CLI::IsMember({"even", "odd", "none"}))
      ->option_text("WORD");
  command->add_option("--stop-bits", options->stop_bits, "Of the serial line, 1 or 2; default 1")
      ->check(CLI::Range(1, 2))
      ->option_text("N");
  command->add_option("--timeout", options->timeout, "How long to wait for an answer, as in 500ms; default 1s")
      ->option_text("DURATION");
  command->callback([&line, options] { line.exit_code = run_probe(*options); });
}

}  // namespace alara::node
