// SPDX-License-Identifier: Apache-2.0
// What a site file may say about the server: addresses, how they get along, options, alarms.
#include <gtest/gtest.h>

#include "connect/opcua/server_alarms.hpp"
#include "connect/opcua/server_plan.hpp"
#include "connect/opcua/server_settings.hpp"
#include "connect/opcua/server_units.hpp"

namespace alara::opcua {
namespace {

TEST(ServerAddress, IsAPathOrANodeIdWithARange) {
  const auto path = parse_server_address("Line1/Machine3/vibration");
  ASSERT_TRUE(path.has_value()) << path.error().text();
  EXPECT_EQ(path->path, (std::vector<std::string>{"Line1", "Machine3", "vibration"}));
  EXPECT_EQ(path->text(), "Line1/Machine3/vibration");
  EXPECT_FALSE(path->range);
  const auto ranged = parse_server_address("Line1/wanted speed in -5..1500.5");
  ASSERT_TRUE(ranged.has_value());
  EXPECT_EQ(ranged->text(), "Line1/wanted speed");
  EXPECT_EQ(ranged->range, (ValueRange{-5, 1500.5}));
  EXPECT_EQ(parse_server_address("Water in/Flow in tank")->text(), "Water in/Flow in tank") << "no range without ..";
  EXPECT_EQ(parse_server_address("ns=2;i=7")->number, 7u);
  EXPECT_EQ(parse_server_address("i=7")->text(), "i=7");
  EXPECT_EQ(parse_server_address("ns=2;s=A/b")->text(), "A/b");
  EXPECT_EQ(parse_server_address("s=A")->text(), "A");
}

TEST(ServerAddress, RefusesWhatIsNone) {
  std::string deep = "a";
  for (std::size_t i = 0; i < kMostFolders + 1; ++i) deep += "/a";
  for (const std::string& bad : std::vector<std::string>{
           "", "/a", "a/", "a//b", "ns=3;s=A", "ns=2;A", "i=", "i=0", "i=4294967296", "i=1x", "a in 5..1", "a in 1..1",
           "a in x..y", "Alarms/mine", "Alarms", "a\nb", "a\xFF", std::string(kMostServerAddressBytes + 1, 'a'), deep})
    EXPECT_FALSE(parse_server_address(bad).has_value()) << bad;
  EXPECT_NE(parse_server_address("ns=1;s=A").error().text().find("namespace 2"), std::string::npos);
}

SignalBinding signal(std::uint32_t id, const std::string& address, SignalType type = SignalType::float64) {
  SignalBinding binding;
  binding.signal = SignalId{id};
  binding.name = "signal-" + std::to_string(id);
  binding.address = address;
  binding.type = type;
  binding.where = {"site.yaml", static_cast<int>(id) + 1, 1};
  return binding;
}
OutletBinding outlet(std::uint32_t id, const std::string& address) {
  OutletBinding binding;
  binding.outlet = OutletId{id};
  binding.name = "outlet-" + std::to_string(id);
  binding.address = address;
  return binding;
}

TEST(ServerPlan, GivesEachAddressANodeAndLetsSeveralSignalsShareOne) {
  ServerPlan plan;
  std::vector<Error> errors;
  const std::vector<SignalBinding> signals{signal(1, "L/wanted in 0..9"), signal(2, "L/wanted in 0..9"),
                                           signal(3, "L/lamp", SignalType::boolean)};
  plan.add(signals, errors);
  const std::vector<OutletBinding> outlets{outlet(7, "L/speed"), outlet(8, "i=4")};
  plan.add(outlets, errors);
  ASSERT_TRUE(errors.empty()) << errors.front().text();
  ASSERT_EQ(plan.nodes().size(), 4u);
  EXPECT_EQ(plan.nodes()[0].signals, (std::vector<SignalId>{SignalId{1}, SignalId{2}}));
  EXPECT_EQ(plan.nodes()[1].type, SignalType::boolean);
  EXPECT_EQ(plan.index_of_outlet(OutletId{8}), 3u);
  EXPECT_EQ(plan.index_of_outlet(OutletId{9}), ServerPlan::kNone);
}

TEST(ServerPlan, RefusesWhatCanNotBeTogetherAndSaysWhere) {
  ServerPlan plan;
  std::vector<Error> errors;
  const std::vector<SignalBinding> signals{signal(0, "L/a"),
                                           signal(1, "L/a in 0..1"),
                                           signal(2, "L/a/b"),
                                           signal(3, "L"),
                                           signal(4, "L/a", SignalType::int16),
                                           signal(5, "x/../")};
  plan.add(signals, errors);
  ASSERT_EQ(errors.size(), 5u);
  for (std::size_t i = 0; i < errors.size(); ++i) {
    EXPECT_EQ(errors[i].where.line, static_cast<int>(i) + 2);
    EXPECT_NE(errors[i].message.find("signal-" + std::to_string(i + 1)), std::string::npos) << errors[i].text();
  }
  const std::vector<OutletBinding> outlets{outlet(1, "L/a"), outlet(2, "L/c"), outlet(3, "L/c")};
  errors.clear();
  plan.add(outlets, errors);
  ASSERT_EQ(errors.size(), 2u) << "one is written by clients, one is shown twice";
  EXPECT_NE(errors[0].text().find("signal-0"), std::string::npos) << errors[0].text();
}

Result<ServerSettings> settings(const std::string& yaml) {
  const Node node = parse_document(yaml, "site.yaml").value();
  std::vector<Error> errors;
  server_schema().check(node, errors);
  if (!errors.empty()) return tl::unexpected<Error>(errors.front());
  return read_server_settings(node, "/site");
}

TEST(ServerSettings, AreSecureUnlessAskedOtherwise) {
  const auto usual = settings("users: {ann: {password_file: ann.txt}, bob: {password_file: /etc/bob, may: read}}");
  ASSERT_TRUE(usual.has_value()) << usual.error().text();
  EXPECT_EQ(usual->endpoint(usual->port), "opc.tcp://127.0.0.1:4840");
  EXPECT_EQ(usual->security, (std::vector{Security::aes256_sha256_rsapss, Security::aes128_sha256_rsaoaep}));
  EXPECT_EQ(usual->anonymous, Rights::none);
  ASSERT_NE(usual->user("ann"), nullptr);
  EXPECT_EQ(usual->user("ann")->password_file, "/site/ann.txt");
  EXPECT_EQ(usual->user("ann")->rights, Rights::write);
  EXPECT_EQ(usual->user("bob")->password_file, "/etc/bob");
  EXPECT_EQ(usual->user("bob")->rights, Rights::read);
  EXPECT_EQ(usual->user("eve"), nullptr);
  EXPECT_EQ(settings("anonymous: read\nsecurity: none")->security, std::vector{Security::none});
}

TEST(ServerSettings, RefuseWhatWouldBeOpenOrUseless) {
  EXPECT_NE(settings("security: none").error().text().find("nobody"), std::string::npos);
  EXPECT_NE(settings("security: none\nusers: {a: {password_file: x}}").error().text().find("passwords"),
            std::string::npos);
  EXPECT_FALSE(settings("security: []\nanonymous: read").has_value());
  EXPECT_FALSE(settings("security: [md5]\nanonymous: read").has_value());
  EXPECT_FALSE(settings("users: {a: {}}").has_value()) << "a user without a password";
  EXPECT_FALSE(settings("anonymous: read\nlisten: plc.local:4840").has_value()) << "a name";
}

TEST(ServerSettings, ListenOnNumericAddresses) {
  EXPECT_EQ(parse_listen("10.0.0.5")->port, 4840);
  EXPECT_EQ(parse_listen("[::1]:0")->host, "::1");
  for (const char* bad : {"", "localhost", "1.2.3:1", "[::1", "::1", "1.2.3.4:", "1.2.3.4:70000", "1.2.3.4:-1",
                          "1.2.3.4x", "[1.2.3.4]:1"})
    EXPECT_FALSE(parse_listen(bad).has_value()) << bad;
}

TEST(AlarmBoard, KnowsWhatStandsAndWhatIsNew) {
  AlarmBoard board;
  board.take({1, true, Severity::low, "wear", "press-1", "plan maintenance", 5 * kSecond});
  board.take({2, true, Severity::critical, "stop", "press-2", "overload", 6 * kSecond});
  auto standing = board.standing();
  EXPECT_EQ(standing.count, 2u);
  EXPECT_EQ(standing.highest, severity_number(Severity::critical));
  ASSERT_EQ(standing.lines.size(), 2u);
  EXPECT_EQ(standing.lines[0].find("critical press-2 stop: overload"), 0u) << standing.lines[0];
  board.take({2, false, Severity::critical, "stop", "press-2", "overload", 7 * kSecond});
  EXPECT_EQ(board.standing().count, 1u);
  const auto notices = board.notices();
  ASSERT_EQ(notices.size(), 3u);
  EXPECT_FALSE(notices[2].raised);
  EXPECT_TRUE(board.notices().empty());
}

TEST(AlarmBoard, IsBoundedAndCountsWhatItLeavesOut) {
  AlarmBoard board;
  const std::string text(AlarmBoard::kMostTextBytes - 1, 'x');
  for (std::uint64_t key = 0; key < AlarmBoard::kMostActive + 5; ++key)
    board.take({key, true, Severity::low, "p", "a", text + "\xC3\xBC\xC3\xBC", 0});
  EXPECT_EQ(board.standing().count, AlarmBoard::kMostActive);
  EXPECT_EQ(board.standing().lines.size(), AlarmBoard::kMostLines);
  const auto notices = board.notices();
  EXPECT_EQ(notices.size(), AlarmBoard::kMostWaiting);
  EXPECT_EQ(notices.back().text, text) << "cut before a character that does not fit whole";
  EXPECT_EQ(board.dropped(), 5 + AlarmBoard::kMostActive + 5 - AlarmBoard::kMostWaiting);
}

TEST(Units, HaveTheCodesOfTheirRecommendation) {
  EXPECT_EQ(unece_unit_id("degC"), 4408652) << "CEL, as OPC UA Part 8 gives it";
  EXPECT_EQ(unece_unit_id("%"), 20529);
  EXPECT_EQ(unece_unit_id("furlong"), kNoUnitId);
}

}  // namespace
}  // namespace alara::opcua
