// SPDX-License-Identifier: Apache-2.0
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <fstream>

#include "base/quantity.hpp"
#include "cli/stop_signals.hpp"
#include "node/cnc_line.hpp"
#include "node/commands/commands.hpp"

namespace alara::node {
namespace {

struct SimOptions {
  CncLineOptions line;
  std::string site, http = "127.0.0.1:8090";
  std::string overload_every = "0s", wear_growth = "1h";
  double seconds = 0;
};

Status read_durations(SimOptions& options) {
  ALARA_TRY(options.line.overload_every, parse_duration(options.overload_every));
  ALARA_TRY(options.line.wear_growth, parse_duration(options.wear_growth));
  return {};
}

int simulate(SimOptions options) {
  if (const Status read = read_durations(options); !read) return report(read.error());
  SystemClock clock;
  const cli::StopSignals signals;
  const auto line = CncLine::start(options.line, clock);
  if (!line) return report(line.error());
  fmt::print(stderr, "{} machines, controllers on 127.0.0.1 ports {} … {}\n", options.line.machines,
             (*line)->ports().front(), (*line)->ports().back());
  if (!options.site.empty()) {
    std::ofstream file(options.site);
    file << (*line)->site_file(options.http);
    if (!file.flush()) return report({ErrorKind::unavailable, fmt::format("can not write '{}'", options.site), {}, {}});
    fmt::print(stderr, "site file written: alara run {}\n", options.site);
  }
  const Nanos end = options.seconds > 0 ? clock.monotonic() + static_cast<Nanos>(options.seconds * 1e9) : kNever;
  while (clock.monotonic() < end) {
    const int signal = signals.next(100);
    if (signal == SIGINT || signal == SIGTERM) break;
  }
  const CncLineTotals totals = (*line)->totals();
  fmt::print("overloads {}, stopped while jammed {}, stopped otherwise {}, waveform messages {}\n", totals.overloads,
             totals.stops, totals.other_stops, totals.waveform_messages);
  return kGood;
}

}  // namespace

void add_sim_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("sim", "Simulated plants that speak real protocols");
  command->footer("Example:\n  alara sim cnc --machines 8 --site line.yaml");
  command->require_subcommand(1);
  CLI::App* cnc = command->add_subcommand("cnc", "A line of CNC machines: Modbus TCP controllers, vibration over MQTT");
  cnc->footer("Example:\n  alara sim cnc --machines 8 --site line.yaml --overload-every 5s\n  alara run line.yaml");
  auto options = std::make_shared<SimOptions>();
  cnc->add_option("--machines", options->line.machines, "How many, 1 to 200; default 40")
      ->check(CLI::Range(1, 200))
      ->option_text("N");
  cnc->add_option("--port", options->line.first_port,
                  "Port of the first controller, the others follow; 0 takes free ones")
      ->check(CLI::Range(0, 65000))
      ->option_text("PORT");
  cnc->add_option("--mqtt-port", options->line.mqtt_port,
                  "Broker on 127.0.0.1 for the waveforms; without it none are sent")
      ->check(CLI::Range(1, 65535))
      ->option_text("PORT");
  cnc->add_option("--seed", options->line.seed,
                  "Seed of the machines' work and noise; the same seed gives the same line")
      ->option_text("N");
  cnc->add_option("--overload-every", options->overload_every, "Jam a machine this often, as in 5s; 0s for never")
      ->option_text("DURATION");
  cnc->add_option("--worn", options->line.worn_machine, "Number of the machine whose bearing wears out; 0 for none")
      ->check(CLI::Range(0, 200))
      ->option_text("N");
  cnc->add_option("--wear-growth", options->wear_growth, "Time until it is worn, as in 30s")->option_text("DURATION");
  cnc->add_option("--site", options->site, "Write a site file for this line to FILE")->option_text("FILE");
  cnc->add_option("--http", options->http, "Where that site file has the node serve its pages")
      ->option_text("HOST:PORT");
  cnc->add_option("--for", options->seconds, "How long to run; default is until stopped")
      ->check(CLI::Range(0.0, 1e9))
      ->option_text("SECONDS");
  cnc->callback([&line, options] { line.exit_code = simulate(*options); });
}

}  // namespace alara::node
