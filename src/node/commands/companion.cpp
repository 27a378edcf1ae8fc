// SPDX-License-Identifier: Apache-2.0
// `alara lab …` starts `alara-lab …`, which lies beside this program or in the path: one word for the whole family.
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "node/commands/commands.hpp"

namespace alara::node {
namespace {

// Returns only when the program can not be started.
int become(const std::string& program, const std::string& own_path, std::vector<std::string> words) {
  words.insert(words.begin(), program);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string beside = (std::filesystem::path(own_path).parent_path() / program).string();
  execv(beside.c_str(), arguments.data());
  execvp(program.c_str(), arguments.data());
  return report({ErrorKind::unavailable,
                 fmt::format("'{}' can not be started: {}", program, std::strerror(errno)),
                 {},
                 "it belongs beside alara, or into the PATH; `make build` builds it"});
}

}  // namespace

void add_lab_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("lab", "Models: inspect, train, quantise, prune, distil (starts alara-lab)");
  command->footer("Example:\n  alara lab inspect bearing.onnx\nWhat it can do:  alara-lab --help");
  command->prefix_command();
  command->callback([&line, command] { line.exit_code = become("alara-lab", line.program, command->remaining()); });
}

}  // namespace alara::node
