// SPDX-License-Identifier: Apache-2.0
// What the program answers to right and wrong usage. Exit codes: 0 good, 1 the work failed, 2 bad usage or
// configuration.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/system/running_node.hpp"

namespace alara::system_test {
namespace {

void expect_refused(const std::vector<std::string>& arguments, int code, const std::string& part) {
  const Finished run = alara(arguments);
  EXPECT_EQ(run.code, code) << run.output;
  EXPECT_NE(run.output.find(part), std::string::npos) << run.output;
}

TEST(CommandLine, WithoutACommandItHelps) { expect_refused({}, 2, "alara demo"); }
TEST(CommandLine, AnUnknownCommandIsBadUsage) { expect_refused({"rnu", "site.yaml"}, 2, "rnu"); }
TEST(CommandLine, HelpAndVersionAreGood) {
  EXPECT_EQ(alara({"--help"}).code, 0);
  EXPECT_EQ(alara({"--version"}).code, 0);
  EXPECT_EQ(alara({"run", "--help"}).code, 0);
}

TEST(CommandLine, AMissingArgumentIsBadUsage) {
  for (const char* command : {"run", "check", "explain", "test"}) expect_refused({command}, 2, "SITE is required");
  expect_refused({"probe"}, 2, "DEVICE is required");
}

TEST(CommandLine, AMissingSiteFileIsNamed) {
  for (const char* command : {"run", "check", "explain", "test"})
    expect_refused({command, "/nowhere/site.yaml"}, 2, "/nowhere/site.yaml");
}

TEST(CommandLine, WhatIsNoFileIsRefusedAtOnce) {
  const Folder folder;
  expect_refused({"check", folder.file("")}, 2, "not a regular file");
  expect_refused({"run", "/dev/null"}, 2, "not a regular file");
  ASSERT_EQ(mkfifo(folder.file("pipe").c_str(), 0600), 0);
  expect_refused({"run", folder.file("pipe")}, 2, "not a regular file");
  ASSERT_EQ(symlink("loop", folder.file("loop").c_str()), 0);
  expect_refused({"check", folder.file("loop")}, 2, "loop");
}

TEST(CommandLine, AFileThatMayNotBeReadIsNamed) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read every file";
  const Folder folder;
  const std::string path = folder.write("site.yaml", "node: secret\n");
  ASSERT_EQ(chmod(path.c_str(), 0), 0);
  expect_refused({"check", path}, 2, path);
}

TEST(CommandLine, ABadSiteIsBadConfiguration) {
  const Folder folder;
  const std::string path = folder.write("site.yaml", "node: x\nconectors: {}\n");
  for (const char* command : {"run", "check", "explain", "test"})
    expect_refused({command, path}, 2, path + ":2:1: unknown section 'conectors' (did you mean 'connectors'?)");
}

TEST(CommandLine, ASiteWithoutTestsCanNotBeTested) {
  const Folder folder;
  expect_refused({"test", folder.write("site.yaml", "node: x\n")}, 2, "has no tests");
}

TEST(CommandLine, AFailedTestIsFailedWork) {
  const Folder folder;
  const std::string path = folder.write("site.yaml", R"(node: x
connectors: {plc: {modbus: {endpoint: "tcp://127.0.0.1:1"}}}
asset_types: {a: {signals: {x: {}}}}
assets: {a-1: {type: a, from: {x: plc/input/1}}}
pipelines: {p: {for: a, rule: {when: x > 1, raise: {text: high}}}}
tests:
  low values raise something:
    given: [{set: {a-1.x: 0}}]
    expect: [{event: p}]
)");
  expect_refused({"test", path}, 1, path + ":9:14: did not happen: event of 'p'");
}

TEST(CommandLine, UnknownNamesAreBadUsage) {
  expect_refused({"bench", "nosuch"}, 2, "nosuch");
  expect_refused({"connectors", "describe", "modbuss"}, 2, "modbus");
  expect_refused({"sim", "nosuch"}, 2, "nosuch");
  expect_refused({"model", "inspect", "/nowhere/m.onnx"}, 2, "/nowhere/m.onnx");
}

TEST(CommandLine, AProbeOfADeadPortIsFailedWorkAndOfABadAddressBadUsage) {
  const std::string endpoint = "tcp://127.0.0.1:" + std::to_string(free_loopback_port());
  expect_refused({"probe", endpoint, "holding/1"}, 1, endpoint.substr(6));
  expect_refused({"probe", endpoint, "nothing/1"}, 2, "nothing");
  expect_refused({"probe", "127.0.0.1", "holding/1"}, 2, "tcp://");
  expect_refused({"probe", endpoint, "holding/1", "--unit", "999"}, 2, "999");
  expect_refused({"probe", "/dev/null", "holding/1"}, 1, "no serial line");
  expect_refused({"probe", "/nowhere/tty", "holding/1", "--parity", "mark"}, 2, "mark");
}

TEST(CommandLine, BadAddressesOfThePagesAreBadUsage) {
  const Folder folder;
  const std::string path = folder.write("site.yaml", "node: x\n");
  for (const char* address : {"8090", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:http"})
    expect_refused({"run", path, "--quiet", "--http", address, "--for", "5"}, 2, "is not host:port");
}

TEST(CommandLine, AFolderThatCanNotBeWrittenIsNamed) {
  const Folder folder;
  expect_refused({"run", folder.write("site.yaml", "node: x\nsettings: {events: /nowhere/e.jsonl, http: \"\"}\n")}, 2,
                 "/nowhere/e.jsonl");
  expect_refused({"run", folder.write("site.yaml", "node: x\nsettings: {audit: /nowhere/a.log, http: \"\"}\n")}, 2,
                 "/nowhere/a.log");
}

TEST(CommandLine, WhatCanNotBeBrowsedIsSaid) {
  expect_refused({"browse", "ftp://a"}, 2, "opc.tcp://host:port nor coap://");
  expect_refused({"browse", "coap://127.0.0.1:99999"}, 2, "65535");
  expect_refused({"browse", "coaps://127.0.0.1"}, 2, "psk_file");
  expect_refused({"browse", "coaps://127.0.0.1", "--psk-file", "/nowhere/keys"}, 2, "/nowhere/keys");
  expect_refused({"browse", fmt::format("coap://127.0.0.1:{}", free_loopback_port())}, 1, "does not answer");
}

}  // namespace
}  // namespace alara::system_test
