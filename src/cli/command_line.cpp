// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>

#include "base/text.hpp"

namespace alara::cli {
namespace {

std::string what_is_wrong(const CLI::App& command, const CLI::Error& error) {
  const auto choices = command.get_subcommands({});
  if (choices.empty() || error.get_name() != "RequiredError") return error.what();
  std::vector<std::string_view> names;
  for (const CLI::App* choice : choices) names.push_back(choice->get_name());
  const std::vector<std::string> words = command.remaining();
  if (words.empty()) return fmt::format("a command is missing: {}", enumerate(names));
  const std::string guess = nearest(words.front(), names);
  return fmt::format("there is no command '{}' ({})", words.front(),
                     guess.empty() ? "there are " + enumerate(names) : "did you mean '" + guess + "'?");
}

// For wrong arguments: the fault, and where the help is that would have prevented it.
std::string complaint(const CLI::App* app, const CLI::Error& error) {
  std::string path = app->get_name();
  for (auto named = app->get_subcommands(); !named.empty(); named = app->get_subcommands()) {
    app = named.front();
    path += " " + app->get_name();
  }
  return fmt::format("error: {}\nsee: {} --help\n", what_is_wrong(*app, error), path);
}

}  // namespace

int exit_code_of(const Error& error) {
  return error.kind == ErrorKind::bad_input || error.kind == ErrorKind::not_found ? kBadUsage : kFailed;
}

int report(const Error& error) {
  fmt::print(stderr, "error: {}\n", error.text());
  return exit_code_of(error);
}

int run_command_line(int argc, char** argv, const Program& program, std::span<const AddCommand> commands) {
  CLI::App app{program.sentence, program.name};
  app.require_subcommand(1);
  app.set_version_flag("--version", program.name + " 0.1.0");
  app.footer(program.footer);
  app.failure_message(complaint);
  CommandLine line;
  std::error_code ignored;
  line.program = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  for (const AddCommand& add : commands) add(app, line);
  if (argc <= 1) {
    fmt::print(stderr, "{}", app.help());
    return kBadUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);
    const int code = app.exit(error);
    return asked ? code : kBadUsage;
  } catch (const std::exception& error) {  // none is meant to come this far; a person still gets a sentence
    fmt::print(stderr, "error: internal error: {}\nThis is a fault of {}: please report it with the command.\n",
               error.what(), program.name);
    return kFailed;
  }
  return line.exit_code;
}

}  // namespace alara::cli
