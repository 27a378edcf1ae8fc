// SPDX-License-Identifier: Apache-2.0
// The OPC UA client against a server of another make (node-opcua): every security policy, trust, log-in, writes and
// calls.
#include <gtest/gtest.h>

#include <algorithm>

#include "connect/opcua/browse.hpp"
#include "connect/opcua/opcua.hpp"
#include "connect/opcua/trust.hpp"
#include "tests/contract/certificate_authority.hpp"
#include "tests/contract/opcua_peer.hpp"
#include "tests/contract/recorders.hpp"

namespace alara::contract {
namespace {

class OpcuaPeerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (OpcuaPeer::installed(ALARA_SOURCE)) peer = std::make_unique<OpcuaPeer>(ALARA_SOURCE);
  }
  static void TearDownTestSuite() { peer.reset(); }
  void SetUp() override {
    if (!peer) GTEST_SKIP() << "node-opcua is not installed (tools/setup fetches it): not tested against another make";
    ASSERT_TRUE(peer->ready()) << peer->output();
    endpoint = peer->endpoint();
    pki = peer->folder() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  void TearDown() override { stop(); }
  void stop() {
    if (connector) connector->stop();
    connector.reset();
  }
  void start(const std::string& options, const std::vector<std::string>& addresses = kUsual) {
    stop();
    const auto node =
        parse_document(fmt::format("endpoint: {}\npki: {}\ninterval: 20ms\ntimeout: 5s\nreconnect_min: 5ms\n"
                                   "reconnect_max: 50ms\n{}",
                                   endpoint, pki, options),
                       "site.yaml")
            .value();
    auto made = opcua::opcua_protocol().make("plc", node, ".");
    ASSERT_TRUE(made.has_value()) << made.error().text();
    connector = std::move(*made);
    inlet = std::make_unique<RecordingInlet>();
    std::vector<SignalBinding> signals;
    for (const std::string& address : addresses) {
      SignalBinding binding;
      binding.signal = SignalId{static_cast<std::uint32_t>(signals.size())};
      binding.name = binding.address = address;
      signals.push_back(binding);
    }
    const std::vector<ActuatorBinding> actuators{{ActuatorId{0}, "wanted", "ns=1;s=Line.Wanted", {}},
                                                 {ActuatorId{1}, "start", "call ns=1;s=Line ns=1;s=Line.Start", {}}};
    std::vector<Error> errors;
    connector->bind(signals, actuators, errors);
    ASSERT_TRUE(errors.empty()) << errors.front().text();
    ASSERT_TRUE(connector->start({inlet.get(), &commands, &running.clock(), &running.loop(), 1}));
  }
  bool flows() {
    return eventually([&] {
      return !inlet->points(0).empty() && !inlet->points(1).empty() && inlet->last(1).value == 2.5 &&
             inlet->last(0).quality == Quality::good;
    });
  }
  bool says(const std::string& error) {
    return eventually([&] { return connector->last_error().find(error) != std::string::npos; });
  }
  std::string put(const std::string& name, const Bytes& bytes) const {
    const std::filesystem::path path = pki + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path.string();
  }
  // The server's certificate is a stranger's until a person accepts it.
  void trust_the_server() {
    start("");
    ASSERT_TRUE(eventually([&] { return connector->last_error().find("is not trusted") != std::string::npos; }))
        << connector->last_error();
    EXPECT_FALSE(connector->stats().connected);
    EXPECT_TRUE(inlet->points(0).empty());
    const opcua::TrustList trust(pki);
    ASSERT_EQ(trust.entries().size(), 1u);
    EXPECT_EQ(trust.entries()[0].info.uri, "urn:peer:server");
    ASSERT_TRUE(trust.accept(trust.entries()[0].info.fingerprint).has_value());
  }

  static inline const std::vector<std::string> kUsual{"nsu=urn:peer:server;s=Line.Speed", "ns=1;s=Line.Axes#[1]"};
  static std::unique_ptr<OpcuaPeer> peer;
  std::string endpoint, pki;
  std::unique_ptr<RecordingInlet> inlet;
  CommandQueue commands;
  RunningLoop running;
  std::unique_ptr<Connector> connector;
};
std::unique_ptr<OpcuaPeer> OpcuaPeerTest::peer;

TEST_F(OpcuaPeerTest, AStrangerIsRefusedAndOnceTrustedEveryPolicyWorks) {
  ASSERT_NO_FATAL_FAILURE(trust_the_server());
  EXPECT_TRUE(flows()) << "it is tried again by itself: " << connector->last_error();
  for (const char* policy : {"aes256_sha256_rsapss", "aes128_sha256_rsaoaep", "basic256sha256"})
    for (const char* mode : {"sign", "sign_and_encrypt"}) {
      start(fmt::format("security: {}\nmode: {}\n", policy, mode));
      EXPECT_TRUE(flows()) << policy << ' ' << mode << ": " << connector->last_error();
    }
}

TEST_F(OpcuaPeerTest, WritesAndCallsComeBackAsValues) {
  start("security: none\n");
  ASSERT_TRUE(flows()) << connector->last_error();
  commands.send(ActuatorId{0}, 1200, true);
  ASSERT_TRUE(eventually([&] { return commands.acks().size() == 1; }));
  EXPECT_EQ(commands.acks()[0].outcome, Outcome::done) << connector->last_error();
  EXPECT_TRUE(eventually([&] { return inlet->last(0).value == 1200; }));
  commands.send(ActuatorId{0}, 70'000);
  ASSERT_TRUE(eventually([&] { return commands.acks().size() == 2; }));
  EXPECT_EQ(commands.acks()[1].outcome, Outcome::refused_device);
  commands.send(ActuatorId{1}, 450.5);
  ASSERT_TRUE(eventually([&] { return commands.acks().size() == 3; }));
  EXPECT_EQ(commands.acks()[2].outcome, Outcome::done) << connector->last_error();
  EXPECT_TRUE(eventually([&] { return inlet->last(0).value == 450.5; }));
}

TEST_F(OpcuaPeerTest, ALogInIsAcceptedOrRefusedWithTheReason) {
  ASSERT_NO_FATAL_FAILURE(trust_the_server());
  stop();
  const std::string file = pki + "/password";
  std::ofstream(file) << "secret\n";
  start(fmt::format("username: operator\npassword_file: {}\n", file));
  EXPECT_TRUE(flows()) << connector->last_error();
  std::ofstream(file) << "wrong\n";
  start(fmt::format("username: operator\npassword_file: {}\n", file));
  EXPECT_TRUE(eventually([&] { return connector->last_error().find("BadUserAccessDenied") != std::string::npos; }))
      << connector->last_error();
}

TEST_F(OpcuaPeerTest, StructuresOfTheServersOwnAreReadInto) {
  const std::vector<std::pair<std::string, double>> wanted{{"ns=1;s=Line.Motor#main.mode", 5},
                                                           {"ns=1;s=Line.Motor#axes[1].position", 2.5},
                                                           {"ns=1;s=Line.Motor#currents[1]", 11.5},
                                                           {"ns=1;s=Line.Motor#started", 1'767'225'600},
                                                           {"ns=1;s=Line.Motor#limits.High", 55},
                                                           {"ns=1;s=Line.Motor#cycle", 12.5},
                                                           {"ns=1;s=Line.Motors#[1].main.position", 104.5},
                                                           {"ns=1;s=Line.Option#rate", 0.75},
                                                           {"ns=1;s=Line.Choice#count", -17},
                                                           {"ns=1;s=Line.Open#position", 7.5},
                                                           {"ns=1;s=Line.Motor#main.position", 800}};
  std::vector<std::string> addresses;
  for (const auto& [address, value] : wanted) addresses.push_back(address);
  for (const char* read : {"subscribe", "poll"}) {
    start(fmt::format("security: none\nread: {}\n", read), addresses);
    ASSERT_TRUE(eventually([&] { return connector->stats().connected.load(); })) << connector->last_error();
    commands.send(ActuatorId{0}, 800);
    for (std::uint32_t i = 0; i < wanted.size(); ++i)
      EXPECT_TRUE(eventually([&] { return !inlet->points(i).empty() && inlet->last(i).value == wanted[i].second; }))
          << read << ' ' << wanted[i].first << " is " << (inlet->points(i).empty() ? -1 : inlet->last(i).value) << ": "
          << connector->last_error();
  }
}

TEST_F(OpcuaPeerTest, AServerIsTrustedByItsAuthority) {
  CertificateAuthority plant("Plant CA"), line("Line CA", &plant);
  const Issued device = line.issue("urn:peer:server", "IP:127.0.0.1");
  OpcuaPeer issued(ALARA_SOURCE, pem_of(device.certificate, "CERTIFICATE"), pem_of(device.key, "PRIVATE KEY"));
  ASSERT_TRUE(issued.ready()) << issued.output();
  endpoint = issued.endpoint();
  put("issuers/line.der", line.certificate());
  put("crl/plant.crl", plant.revocation_list());
  start("");
  EXPECT_TRUE(says("is not trusted")) << connector->last_error();
  ASSERT_TRUE(opcua::TrustList(pki).accept(put("plant.der", plant.certificate())).has_value());
  EXPECT_TRUE(says("whether CN = Line CA has revoked it is not known")) << connector->last_error();
  put("crl/line.crl", line.revocation_list());
  for (const char* policy : {"aes256_sha256_rsapss", "aes128_sha256_rsaoaep", "basic256sha256"}) {
    start(fmt::format("security: {}\n", policy));
    EXPECT_TRUE(flows()) << policy << ": " << connector->last_error();
  }
  put("crl/newer.crl", line.revocation_list({device.serial}));
  start("");
  EXPECT_TRUE(says("has revoked it")) << connector->last_error();
  stop();
}

TEST_F(OpcuaPeerTest, AServerThatSendsItsChainIsRefusedWithTheReason) {
  CertificateAuthority plant("Plant CA");
  const Issued device = plant.issue("urn:peer:server", "IP:127.0.0.1");
  OpcuaPeer issued(ALARA_SOURCE, pem_of(device.certificate, "CERTIFICATE") + pem_of(plant.certificate(), "CERTIFICATE"),
                   pem_of(device.key, "PRIVATE KEY"));
  ASSERT_TRUE(issued.ready()) << issued.output();
  endpoint = issued.endpoint();
  put("crl/plant.crl", plant.revocation_list());
  ASSERT_TRUE(opcua::TrustList(pki).accept(put("plant.der", plant.certificate())).has_value());
  start("");
  EXPECT_TRUE(says("let it send its own alone")) << connector->last_error();
  stop();
}

TEST_F(OpcuaPeerTest, BrowsingShowsTypesValuesAndUnits) {
  SystemClock clock;
  opcua::Settings settings;
  settings.endpoint = peer->endpoint();
  settings.timeout = 5 * kSecond;
  const auto browsed = opcua::browse(settings, {.from = "ns=1;s=Line"}, clock);
  ASSERT_TRUE(browsed.has_value()) << browsed.error().text();
  const auto& nodes = browsed->nodes;
  const auto speed = std::ranges::find(nodes, "ns=1;s=Line.Speed", &opcua::BrowsedNode::id);
  ASSERT_NE(speed, nodes.end());
  EXPECT_EQ(speed->type, "Double");
  EXPECT_FALSE(speed->unit.empty());
  EXPECT_TRUE(speed->number);
  EXPECT_NE(std::ranges::find(nodes, opcua::BrowsedNode::Kind::method, &opcua::BrowsedNode::kind), nodes.end());
  const std::string site = opcua::format_signals(*browsed, "plc");
  EXPECT_NE(site.find("Speed: \"plc/ns=1;s=Line.Speed\""), std::string::npos) << site;
  const auto cut = opcua::browse(settings, {.from = "ns=1;s=Line", .most = 2}, clock);
  ASSERT_TRUE(cut.has_value());
  EXPECT_TRUE(cut->cut);
  EXPECT_FALSE(opcua::browse(settings, {.from = "ns=1;s=nowhere"}, clock).has_value());
}

}  // namespace
}  // namespace alara::contract
