// SPDX-License-Identifier: Apache-2.0
// The subcommands of `alara`. Each file here declares one: its options, its help with an example, and what it runs.
// Exit codes: 0 good, 1 the work failed, 2 bad usage or configuration.
#pragma once

#include <span>
#include <string>

#include "base/result.hpp"

namespace CLI {
class App;
}

namespace alara::bench {
struct Bench;
}

namespace alara::node {

inline constexpr int kGood = 0;
inline constexpr int kFailed = 1;
inline constexpr int kBadUsage = 2;

// What main hands to the commands; `exit_code` is what the chosen one left.
struct CommandLine {
  std::string program;                    // path of this executable, for commands that start children
  std::span<const bench::Bench> benches;  // the benchmarks linked into it
  int exit_code = kGood;
};

void add_run_command(CLI::App& app, CommandLine& line);
void add_check_command(CLI::App& app, CommandLine& line);
void add_explain_command(CLI::App& app, CommandLine& line);
void add_test_command(CLI::App& app, CommandLine& line);
void add_sim_command(CLI::App& app, CommandLine& line);
void add_demo_command(CLI::App& app, CommandLine& line);
void add_probe_command(CLI::App& app, CommandLine& line);
void add_connectors_command(CLI::App& app, CommandLine& line);
void add_model_command(CLI::App& app, CommandLine& line);
void add_doctor_command(CLI::App& app, CommandLine& line);
void add_bench_command(CLI::App& app, CommandLine& line);
void add_reference_command(CLI::App& app, CommandLine& line);
void add_browse_command(CLI::App& app, CommandLine& line);
void add_trust_command(CLI::App& app, CommandLine& line);
void add_import_command(CLI::App& app, CommandLine& line);

// What the user can mend, in the file or on the command line, is kBadUsage.
[[nodiscard]] int exit_code_of(const Error& error);
// Prints "error: …" to stderr; returns the exit code that fits the error's kind.
int report(const Error& error);

// Parses the arguments and runs the chosen command.
int run_command_line(int argc, char** argv, std::span<const bench::Bench> benches);

}  // namespace alara::node
