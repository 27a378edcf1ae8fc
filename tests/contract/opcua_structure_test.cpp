// SPDX-License-Identifier: Apache-2.0
// The OPC UA client reads into structures that the server defines itself, and says which it can not read.
#include "tests/contract/opcua_client_fixture.hpp"

namespace alara::contract {
namespace {

std::string of(const std::string& path) { return "nsu=urn:plant:types;s=" + path; }

class OpcuaStructures : public OpcuaClient {
 protected:
  void make_reader(const std::string& options, const std::vector<std::string>& paths) {
    std::vector<std::string> addresses;
    for (const std::string& path : paths) addresses.push_back(of(path));
    make(options, addresses);
  }
  [[nodiscard]] std::string values(std::size_t count) const {
    std::string text = connector_->last_error();
    for (std::uint32_t i = 0; i < count; ++i)
      text += inlet_.points(i).empty() ? " -" : fmt::format(" {}", inlet_.last(i).value);
    return text;
  }
};

TEST_F(OpcuaStructures, MembersAreReadHoweverTheyLie) {
  const std::vector<std::pair<std::string, double>> wanted{
      {"motor#main.position", 4.5}, {"motor#main.state", 3},      {"motor#axes[1].position", 2.5},
      {"motor#axes[1].state", -2},  {"motor#currents[2]", 12.5},  {"motor#limits.High", 55},
      {"motor#any", 4.25},          {"motor#part.position", 7.5}, {"motors#[1].main.position", 104.5},
      {"option#count", 9},          {"option#rate", 0.75},        {"choice#count", -17},
      {"open#position", 2.5}};
  std::vector<std::string> paths;
  for (const auto& [path, value] : wanted) paths.push_back(path);
  for (const char* read : {"read: subscribe\n", "read: poll\n"}) {
    make_reader(read, paths);
    for (std::uint32_t i = 0; i < wanted.size(); ++i)
      EXPECT_TRUE(eventually([&] { return has(i, wanted[i].second); }))
          << read << wanted[i].first << values(wanted.size());
    server_.write_position(9.75);
    EXPECT_TRUE(eventually([&] { return has(0, 9.75); })) << read << values(1);
    server_.write_position(4.5);
    connector_->stop();
  }
}

TEST_F(OpcuaStructures, WhatIsNotThereIsRejectedAndTheRestGoesOn) {
  make_reader("", {"motor#main.position", "motor#main.speed", "motor#axes[2].state", "option#level", "choice#speed",
                   "motor#name", "motor#main"});
  EXPECT_TRUE(eventually([&] {
    return has(0, 4.5) && inlet_.rejected("no_such_element") >= 4 && inlet_.rejected("wrong_type") >= 2;
  })) << values(7);
  EXPECT_TRUE(connected());
}

TEST_F(OpcuaStructures, WhatCanNotBeReadIsRefusedWithItsNodeAndType) {
  for (const char* read : {"read: subscribe\n", "read: poll\n"}) {
    make_reader(read, {"secret#position"});
    ASSERT_TRUE(eventually([&] { return has(0, 0, Quality::bad); })) << read << values(1);
    EXPECT_TRUE(eventually([&] {
      const std::string error = connector_->last_error();
      return error.find("s=secret") != std::string::npos && error.find("encoded as ns=2;i=504") != std::string::npos;
    })) << connector_->last_error();
    connector_->stop();
    make_reader(read, {"broken#position"});
    ASSERT_TRUE(eventually([&] { return has(0, 0, Quality::bad); })) << read << values(1);
    EXPECT_TRUE(eventually([&] {
      const std::string error = connector_->last_error();
      return error.find("s=broken") != std::string::npos && error.find("structure Axis") != std::string::npos;
    })) << connector_->last_error();
    connector_->stop();
  }
}

TEST_F(OpcuaStructures, ARefusedOneIsAskedForAgainAndDoesNotDisturbTheOthers) {
  make_reader("retry: 50ms\n", {"secret#position", "motor#main.position", "broken#state", "open#position"});
  ASSERT_TRUE(eventually([&] { return has(1, 4.5) && has(3, 2.5) && has(0, 0, Quality::bad); })) << values(4);
  for (const double position : {5.5, 6.5, 7.5}) {
    SystemClock().sleep_until(SystemClock().monotonic() + 120 * kMillisecond);  // two tries
    server_.write_position(position);
    EXPECT_TRUE(eventually([&] { return has(1, position); })) << values(4);
  }
  EXPECT_EQ(connector_->stats().connects, 1u);
}

class OpcuaStructuresRead : public OpcuaStructures, public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(By, OpcuaStructuresRead, testing::Values("subscribe", "poll"),
                         [](const auto& read) { return read.param; });

TEST_P(OpcuaStructuresRead, ARestartedServerMayHaveNumberedThemAnew) {
  make_reader(fmt::format("read: {}\nsilence: 500ms\nreconnect_max: 100ms\n", GetParam()),
              {"motor#axes[0].position", "motors#[0].part.state", "open#state"});
  ASSERT_TRUE(eventually([&] { return has(0, 1.5) && has(1, 7) && has(2, -2); })) << values(3);
  server_.stop();
  ASSERT_TRUE(eventually([&] { return has(0, 0, Quality::bad) && has(2, 0, Quality::bad); })) << values(3);
  server_.renumber_structures();
  server_.start();
  EXPECT_TRUE(eventually([&] { return has(0, 1.5) && has(1, 7) && has(2, -2); })) << values(3);
}

}  // namespace
}  // namespace alara::contract
