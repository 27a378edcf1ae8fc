// SPDX-License-Identifier: Apache-2.0
// The OPC UA server as a client of another make (node-opcua) sees it: without security and with, before it is trusted
// and after.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/child_process.hpp"
#include "connect/opcua/server_connector.hpp"
#include "connect/opcua/trust.hpp"
#include "core/fakes.hpp"
#include "tests/contract/recorders.hpp"

namespace alara::contract {
namespace {

using Json = nlohmann::json;

constexpr Nanos kPatient = 60 * kSecond;  // it makes its certificate first
constexpr Nanos kTime = 1'700'000'000 * kSecond + 250 * kMillisecond;

class OpcuaServerPeerTest : public ::testing::Test {
 protected:
  OpcuaServerPeerTest() {
    folder = (std::filesystem::temp_directory_path() / "alara-opcua-server-XXXXXX").string();
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
  }
  ~OpcuaServerPeerTest() override {
    peer.reset();
    if (connector) connector->stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  void SetUp() override {
    if (find_program("node").empty() ||
        !std::filesystem::exists(std::string(ALARA_SOURCE) + "/build/deps/peers/node_modules/node-opcua"))
      GTEST_SKIP() << "node-opcua is not installed (tools/setup fetches it): not tested against another make";
  }

  void listen(opcua::ServerSettings settings) {
    settings.port = 0;
    settings.pki = folder + "/pki";
    settings.namespace_uri = "urn:test:values";
    settings.interval = 10 * kMillisecond;
    connector = std::make_unique<opcua::OpcuaServerConnector>("scada", std::move(settings));
    std::vector<SignalBinding> signals(2);
    signals[0].address = "Line/wanted in 0..1500";
    signals[1].address = "Line/lamp";
    signals[1].signal = SignalId{1};
    signals[1].type = SignalType::boolean;
    std::vector<OutletBinding> shown(1);
    shown[0].address = "Line/speed in 0..3000";
    shown[0].unit = Unit::parse("rpm").value();
    std::vector<Error> errors;
    connector->bind(signals, {}, errors);
    connector->bind_outlets(shown, errors);
    ASSERT_TRUE(errors.empty()) << errors.front().text();
    ASSERT_TRUE(connector->start({&inlet, &commands, &running.clock(), &running.loop(), 1, &outlets}));
    ASSERT_TRUE(eventually([&] { return connector->port() != 0; }, kPatient)) << connector->last_error();
    outlets.put({OutletId{0}, 1450.5, kTime, Quality::good, 0});
    outlets.wait_until_settled();
  }
  void start_peer(const std::string& policy, const std::vector<std::string>& user = {}) {
    setenv("NODE_PATH", (std::string(ALARA_SOURCE) + "/build/deps/peers/node_modules").c_str(), 1);
    std::vector<std::string> arguments{find_program("node"),
                                       std::string(ALARA_SOURCE) + "/tests/contract/opcua_client_peer.js",
                                       fmt::format("opc.tcp://127.0.0.1:{}", connector->port()), folder, policy};
    arguments.insert(arguments.end(), user.begin(), user.end());
    auto started = ChildProcess::start(arguments, folder + "/output");
    ASSERT_TRUE(started.has_value()) << started.error().text();
    peer = std::move(*started);
  }
  // All it has said so far under `key`; lines that are not complete are left out.
  std::vector<Json> said(const std::string& key) const {
    std::vector<Json> found;
    std::ifstream file(folder + "/output");
    for (std::string line; std::getline(file, line);)
      if (const Json json = Json::parse(line, nullptr, false); json.is_object() && json.contains(key))
        found.push_back(json);
    return found;
  }
  std::string output() const {
    std::ifstream file(folder + "/output");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool says(const std::string& key, std::size_t times = 1) {
    return eventually([&] { return said(key).size() >= times || !peer->running(); }, kPatient) &&
           said(key).size() >= times;
  }

  void expect_all_is_as_it_should_be() {
    ASSERT_TRUE(says("subscribed")) << output();
    EXPECT_EQ(said("browsed")[0]["browsed"], (std::vector<std::string>{"lamp", "speed", "wanted"}));
    const Json read = said("read")[0];
    EXPECT_EQ(read["read"], 1450.5);
    EXPECT_EQ(read["type"], "Double");
    EXPECT_EQ(read["status"], "Good");
    EXPECT_EQ(read["time"], kTime / kMillisecond);
    EXPECT_EQ(said("unit")[0]["unit"], "rpm");
    const auto writes = said("wrote");
    ASSERT_EQ(writes.size(), 5u);
    EXPECT_EQ(writes[0]["status"], "Good");
    EXPECT_EQ(writes[1]["status"], "BadOutOfRange");
    EXPECT_EQ(writes[2]["status"], "BadTypeMismatch");
    EXPECT_EQ(writes[3]["status"], "Good");
    EXPECT_EQ(writes[4]["status"], "BadNotWritable");
    EXPECT_EQ(inlet.all(), 2u);
    EXPECT_EQ(inlet.last(0).value, 1200);
    EXPECT_EQ(inlet.last(1).value, 1);
    EXPECT_EQ(inlet.rejected("out_of_range"), 1u);
    // Each change on its own, in order, with its time and status; the alarm while it happens.
    ASSERT_TRUE(says("change", 1)) << output();
    for (int i = 1; i <= 5; ++i) {
      outlets.put({OutletId{0}, 1000.0 + i, kTime + i * kSecond, i == 3 ? Quality::uncertain : Quality::good, 0});
      ASSERT_TRUE(says("change", static_cast<std::size_t>(i) + 1)) << output();
    }
    const auto changes = said("change");
    for (std::size_t i = 1; i <= 5; ++i) {
      EXPECT_EQ(changes[i]["change"], 1000.0 + static_cast<double>(i));
      EXPECT_EQ(changes[i]["time"], kTime / kMillisecond + static_cast<Nanos>(i) * 1000);
      EXPECT_EQ(changes[i]["status"], i == 3 ? "Uncertain" : "Good");
    }
    EXPECT_EQ(outlets.wait_until_settled().delivered, 6u);
    connector->announce({7, true, Severity::high, "stop-on-overload", "press-1", "42 A, stopped", kTime});
    ASSERT_TRUE(says("event")) << output();
    const Json event = said("event")[0];
    EXPECT_EQ(event["event"], "42 A, stopped");
    EXPECT_EQ(event["source"], "press-1");
    EXPECT_EQ(event["severity"], 700);
  }

  std::string folder;
  RecordingInlet inlet;
  CommandQueue commands;
  alara::testing::FakeOutlets outlets;
  RunningLoop running;
  std::unique_ptr<opcua::OpcuaServerConnector> connector;
  std::unique_ptr<ChildProcess> peer;
};

TEST_F(OpcuaServerPeerTest, ReadsWritesAndSubscribesWithoutSecurityWhereThatIsAskedFor) {
  ASSERT_NO_FATAL_FAILURE(listen({.security = {opcua::Security::none}, .anonymous = opcua::Rights::write}));
  ASSERT_NO_FATAL_FAILURE(start_peer("None"));
  expect_all_is_as_it_should_be();
}

TEST_F(OpcuaServerPeerTest, IsRefusedUntilTrustedAndThenLogsInEncrypted) {
  std::ofstream(folder + "/password") << "secret\n";
  ASSERT_NO_FATAL_FAILURE(listen({.security = {opcua::Security::aes256_sha256_rsapss},
                                  .users = {{"operator", folder + "/password", opcua::Rights::write}}}));
  ASSERT_NO_FATAL_FAILURE(start_peer("Aes256_Sha256_RsaPss", {"operator", "secret"}));
  ASSERT_TRUE(says("refused")) << output();
  const opcua::TrustList trust(folder + "/pki");
  ASSERT_TRUE(eventually([&] { return trust.entries().size() == 1; }, kPatient)) << output();
  EXPECT_TRUE(said("connected").empty());
  EXPECT_NE(connector->last_error().find("alara trust add"), std::string::npos) << connector->last_error();
  ASSERT_TRUE(trust.accept(trust.entries()[0].info.fingerprint).has_value());
  expect_all_is_as_it_should_be();
}

}  // namespace
}  // namespace alara::contract
