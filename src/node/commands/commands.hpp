// SPDX-License-Identifier: Apache-2.0
// The subcommands of `alara`. Each file here declares one: its options, its help with an example, and what it runs.
// Exit codes: 0 good, 1 the work failed, 2 bad usage or configuration.
#pragma once

#include <span>

#include "cli/command_line.hpp"

namespace alara::bench {
struct Bench;
}

namespace alara::node {

using cli::CommandLine;
using cli::exit_code_of;
using cli::kBadUsage;
using cli::kFailed;
using cli::kGood;
using cli::report;

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
void add_reference_command(CLI::App& app, CommandLine& line);
void add_browse_command(CLI::App& app, CommandLine& line);
void add_trust_command(CLI::App& app, CommandLine& line);
void add_import_command(CLI::App& app, CommandLine& line);
void add_lab_command(CLI::App& app, CommandLine& line);

// Parses the arguments and runs the chosen command.
int run_command_line(int argc, char** argv, std::span<const bench::Bench> benches);

}  // namespace alara::node
