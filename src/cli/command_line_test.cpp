// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.hpp"

#include <gtest/gtest.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <stdexcept>

namespace alara::cli {
namespace {

TEST(CommandLine, EndsWithASentenceWhereALibraryThrows) {
  const AddCommand broken = [](CLI::App& app, CommandLine&) {
    app.add_subcommand("break", "Throws")->callback([] { throw std::runtime_error("out of order"); });
  };
  std::vector<std::string> words = {"program", "break"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_command_line(2, arguments.data(), {"program", "", ""}, std::vector{broken}), kFailed);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("internal error: out of order"), std::string::npos) << said;
}

}  // namespace
}  // namespace alara::cli
