// SPDX-License-Identifier: Apache-2.0
// The subcommands of `alara-lab`. Each file here declares one: its options, its help with an example, and what it runs.
#pragma once

#include "cli/command_line.hpp"

namespace alara::lab {

using cli::CommandLine;

void add_inspect_command(CLI::App& app, CommandLine& line);
void add_quantize_command(CLI::App& app, CommandLine& line);
void add_train_command(CLI::App& app, CommandLine& line);
void add_finetune_command(CLI::App& app, CommandLine& line);
void add_prune_command(CLI::App& app, CommandLine& line);
void add_distill_command(CLI::App& app, CommandLine& line);
void add_report_command(CLI::App& app, CommandLine& line);

// Parses the arguments and runs the chosen command.
int run_command_line(int argc, char** argv);

}  // namespace alara::lab
