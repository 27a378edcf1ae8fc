// SPDX-License-Identifier: Apache-2.0
// What the command line tells a person who does not know it yet.
#include "node/commands/commands.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "bench/bench.hpp"

namespace alara::node {
namespace {

struct Said {
  int code = 0;
  std::string out, err;
};

Said say(std::vector<std::string> words) {
  words.insert(words.begin(), "alara");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Said said;
  said.code = run_command_line(static_cast<int>(arguments.size()), arguments.data(), {});
  said.out = testing::internal::GetCapturedStdout();
  said.err = testing::internal::GetCapturedStderr();
  return said;
}

TEST(CommandLine, WithoutWordsItHelps) {
  const Said said = say({});
  EXPECT_EQ(said.code, kBadUsage);
  EXPECT_NE(said.err.find("alara demo"), std::string::npos) << said.err;
}

TEST(CommandLine, NamesTheNearestCommand) {
  const Said said = say({"chek", "site.yaml"});
  EXPECT_EQ(said.code, kBadUsage);
  EXPECT_EQ(said.err, "error: there is no command 'chek' (did you mean 'check'?)\nsee: alara --help\n");
}

TEST(CommandLine, NamesWhatMayFollow) {
  EXPECT_EQ(say({"model"}).err, "error: a command is missing: inspect\nsee: alara model --help\n");
  EXPECT_EQ(say({"run"}).err, "error: SITE is required\nsee: alara run --help\n");
}

TEST(CommandLine, EveryCommandHasAnExampleInItsHelp) {
  const std::vector<std::vector<std::string>> commands = {{"run"},        {"check"},
                                                          {"explain"},    {"test"},
                                                          {"sim"},        {"sim", "cnc"},
                                                          {"demo"},       {"probe"},
                                                          {"connectors"}, {"connectors", "describe"},
                                                          {"model"},      {"model", "inspect"},
                                                          {"doctor"},     {"bench"},
                                                          {"reference"},  {"lab"}};
  for (std::vector<std::string> command : commands) {
    std::string example = "  alara";
    for (const std::string& word : command) example += " " + word;
    command.emplace_back("--help");
    const Said said = say(command);
    EXPECT_EQ(said.code, kGood);
    EXPECT_NE(said.out.find(example), std::string::npos) << said.out;
  }
}

TEST(CommandLine, ADescriptionOfAProtocolHasItsAddressesAndOptions) {
  const Said said = say({"connectors", "describe", "modbus"});
  EXPECT_EQ(said.code, kGood);
  for (const char* wanted : {"holding/102:float32be", "endpoint", "Default 19200."})
    EXPECT_NE(said.out.find(wanted), std::string::npos) << wanted;
  EXPECT_EQ(say({"connectors", "describe", "modbuss"}).code, kBadUsage);
}

}  // namespace
}  // namespace alara::node
