// SPDX-License-Identifier: Apache-2.0
#include "node/commands/commands.hpp"

#include "bench/command.hpp"

namespace alara::node {

int run_command_line(int argc, char** argv, std::span<const bench::Bench> benches) {
  const cli::Program program = {
      "alara", "Alara Edge: from machines' raw signals to decisions on site, in milliseconds.",
      "Start with:  alara demo\nThen:        alara check site.yaml && alara run site.yaml\nOf each:     alara COMMAND "
      "--help"};
  const auto add_bench = [&](CLI::App& app, CommandLine& line) { bench::add_bench_command(app, line, benches); };
  const cli::AddCommand commands[] = {
      add_run_command,    add_check_command,  add_explain_command, add_test_command,
      add_sim_command,    add_demo_command,   add_probe_command,   add_connectors_command,
      add_model_command,  add_doctor_command, add_bench,           add_reference_command,
      add_browse_command, add_trust_command,  add_import_command,  add_lab_command};
  return cli::run_command_line(argc, argv, program, commands);
}

}  // namespace alara::node
