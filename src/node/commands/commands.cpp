// SPDX-License-Identifier: Apache-2.0
#include "node/commands/commands.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <filesystem>

namespace alara::node {

int report(const Error& error) {
  fmt::print(stderr, "error: {}\n", error.text());
  return error.kind == ErrorKind::bad_input ? kBadUsage : kFailed;
}

int run_command_line(int argc, char** argv, std::span<const bench::Bench> benches) {
  CLI::App app{"Alara Edge: from machines' raw signals to decisions on site, in milliseconds.", "alara"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "alara 0.1.0");
  app.footer("Start with:  alara demo\nThen:        alara check site.yaml && alara run site.yaml");
  CommandLine line;
  std::error_code ignored;
  line.program = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  line.benches = benches;
  for (const auto add : {add_run_command, add_check_command, add_explain_command, add_test_command, add_sim_command,
                         add_demo_command, add_probe_command, add_connectors_command, add_model_command,
                         add_doctor_command, add_bench_command, add_reference_command})
    add(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);
    const int code = app.exit(error);
    return asked ? code : kBadUsage;
  }
  return line.exit_code;
}

}  // namespace alara::node
