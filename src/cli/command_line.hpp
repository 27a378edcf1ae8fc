// SPDX-License-Identifier: Apache-2.0
// The frame of every program's command line: subcommands, help, what a wrong word is answered with, exit codes.
// Exit codes: 0 good, 1 the work failed, 2 bad usage or configuration.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "base/result.hpp"

namespace CLI {
class App;
}

namespace alara::cli {

inline constexpr int kGood = 0;
inline constexpr int kFailed = 1;
inline constexpr int kBadUsage = 2;

// What a program hands to its commands; `exit_code` is what the chosen one left.
struct CommandLine {
  std::string program;  // path of this executable, for commands that start children
  int exit_code = kGood;
};

// Declares one subcommand: its options, its help with an example, and what it runs.
using AddCommand = std::function<void(CLI::App& app, CommandLine& line)>;

struct Program {
  std::string name;      // "alara"
  std::string sentence;  // what it is for
  std::string footer;    // where to start
};

// What the user can mend, in the file or on the command line, is kBadUsage.
[[nodiscard]] int exit_code_of(const Error& error);
// Prints "error: …" to stderr; returns the exit code that fits the error's kind.
int report(const Error& error);

// Parses the arguments and runs the chosen command.
int run_command_line(int argc, char** argv, const Program& program, std::span<const AddCommand> commands);

}  // namespace alara::cli
