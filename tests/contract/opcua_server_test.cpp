// SPDX-License-Identifier: Apache-2.0
// The OPC UA server's own promises: what clients see, who may write what, who gets in, and that nobody can stop it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "base/child_process.hpp"
#include "connect/opcua/opcua.hpp"
#include "connect/opcua/server_connector.hpp"
#include "connect/opcua/trust.hpp"
#include "core/fakes.hpp"
#include "tests/contract/certificate_authority.hpp"
#include "tests/contract/opcua_test_client.hpp"
#include "tests/contract/raw_socket.hpp"
#include "tests/contract/recorders.hpp"

namespace alara::contract {
namespace {

using opcua::OpcuaServerConnector;

constexpr Nanos kPatient = 20 * kSecond;

class OpcuaServerTest : public ::testing::Test {
 protected:
  OpcuaServerTest() {
    folder = (std::filesystem::temp_directory_path() / "alara-opcua-server-XXXXXX").string();
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    signal("Line/wanted in 0..1500");
    signal("Line/lamp", SignalType::boolean);
    signal("Line/count", SignalType::uint16);
    outlet("Line/speed in 0..3000", SignalType::float64, Unit::parse("rpm").value());
    outlet("Line/running", SignalType::boolean);
    outlet("Line/parts", SignalType::uint16);
  }
  ~OpcuaServerTest() override {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  void signal(const std::string& address, SignalType type = SignalType::float64) {
    SignalBinding binding;
    binding.signal = SignalId{static_cast<std::uint32_t>(signals.size())};
    binding.name = address;
    binding.address = address;
    binding.type = type;
    signals.push_back(binding);
  }
  void outlet(const std::string& address, SignalType type, const Unit& unit = {}) {
    OutletBinding binding;
    binding.outlet = OutletId{static_cast<std::uint32_t>(outlets_bound.size())};
    binding.name = address;
    binding.address = address;
    binding.type = type;
    binding.boolean = type == SignalType::boolean;
    binding.unit = unit;
    outlets_bound.push_back(binding);
  }
  void bind(const std::string& options, int port = 0) {
    const Node node =
        parse_document(fmt::format("listen: 127.0.0.1:{}\npki: {}/pki\ninterval: 10ms\n{}\n", port, folder, options),
                       "site.yaml")
            .value();
    std::vector<Error> errors;
    opcua::opcua_server_protocol().schema().check(node, errors);
    ASSERT_TRUE(errors.empty()) << errors.front().text();
    auto made = opcua::opcua_server_protocol().make("scada", node, folder);
    ASSERT_TRUE(made.has_value()) << made.error().text();
    connector.reset(dynamic_cast<OpcuaServerConnector*>(made->release()));
    ASSERT_NE(connector, nullptr);
    connector->bind(signals, {}, errors);
    connector->bind_outlets(outlets_bound, errors);
    ASSERT_TRUE(errors.empty()) << errors.front().text();
  }
  void run() { ASSERT_TRUE(connector->start({&inlet, &commands, &running.clock(), &running.loop(), 1, &outlets})); }
  void listening(const std::string& options) {
    ASSERT_NO_FATAL_FAILURE(bind(options));
    ASSERT_NO_FATAL_FAILURE(run());
    ASSERT_TRUE(eventually([&] { return connector->port() != 0; }, kPatient)) << connector->last_error();
  }
  void stop() {
    if (connector) connector->stop();
  }
  void publish(std::uint32_t outlet_index, double value, Quality quality = Quality::good, Nanos time = kSecond) {
    outlets.put({OutletId{outlet_index}, value, time, quality, 0});
  }
  void expect_account(std::uint64_t delivered, const std::map<std::string, std::uint64_t>& dropped) {
    const auto account = outlets.wait_until_settled();
    EXPECT_EQ(account.settled(), account.published);
    EXPECT_EQ(account.delivered, delivered);
    EXPECT_EQ(account.dropped, dropped);
  }
  std::uint64_t counter(std::string_view name) {
    std::vector<Connector::Counter> all;
    connector->counters(all);
    for (const auto& each : all)
      if (each.name == name) return each.value;
    ADD_FAILURE() << "no counter " << name;
    return 0;
  }

  std::string folder;
  std::vector<SignalBinding> signals;
  std::vector<OutletBinding> outlets_bound;
  RecordingInlet inlet;
  CommandQueue commands;
  alara::testing::FakeOutlets outlets, others;
  RunningLoop running;
  std::unique_ptr<OpcuaServerConnector> connector;
};

constexpr const char* kOpen = "security: none\nanonymous: write";

TEST_F(OpcuaServerTest, ShowsPublishedValuesWithTypeTimeQualityUnitAndRange) {
  ASSERT_NO_FATAL_FAILURE(listening(kOpen));
  OpcuaTestClient client(connector->port());
  ASSERT_EQ(status_name(client.connect()), "Good");
  EXPECT_EQ(status_name(client.read("Line/speed").status), "BadWaitingForInitialData");
  const Nanos time = 1'700'000'000 * kSecond + 123 * kMillisecond;
  publish(0, 1450.5, Quality::good, time);
  publish(1, 1);
  publish(2, 42, Quality::uncertain);
  expect_account(3, {});
  const auto speed = client.read("Line/speed");
  EXPECT_EQ(speed.value, 1450.5);
  EXPECT_EQ(speed.type, "Double");
  EXPECT_EQ(speed.time, time);
  EXPECT_EQ(status_name(speed.status), "Good");
  const auto shape = client.shape("Line/speed");
  ASSERT_TRUE(shape.has_value());
  EXPECT_EQ(shape->unit, "rpm");
  EXPECT_EQ(shape->unit_id, 'R' << 16 | 'P' << 8 | 'M');
  EXPECT_EQ(shape->low, 0);
  EXPECT_EQ(shape->high, 3000);
  EXPECT_EQ(client.read("Line/running").type, "Boolean");
  EXPECT_EQ(status_name(client.read("Line/parts").status), "Uncertain");
  publish(0, std::numeric_limits<double>::quiet_NaN(), Quality::bad);
  expect_account(4, {});
  EXPECT_EQ(status_name(client.read("Line/speed").status), "Bad");
}

TEST_F(OpcuaServerTest, SaysSoWhenAValueDoesNotFitItsNode) {
  ASSERT_NO_FATAL_FAILURE(listening(kOpen));
  OpcuaTestClient client(connector->port());
  ASSERT_EQ(status_name(client.connect()), "Good");
  publish(2, 42);
  publish(2, 70'000);
  publish(77, 1);
  expect_account(1, {{"does_not_fit", 1}, {"unknown_outlet", 1}});
  EXPECT_EQ(status_name(client.read("Line/parts").status), "BadOutOfRange") << "not the old value as if it were good";
  EXPECT_NE(connector->last_error().find("Line/parts"), std::string::npos) << connector->last_error();
}

TEST_F(OpcuaServerTest, TakesWritesToTheNodesOfSignalsOnly) {
  ASSERT_NO_FATAL_FAILURE(listening(kOpen));
  OpcuaTestClient client(connector->port());
  ASSERT_EQ(status_name(client.connect()), "Good");
  EXPECT_EQ(status_name(client.read("Line/wanted").status), "BadWaitingForInitialData");
  const Nanos before = running.clock().wall();
  EXPECT_EQ(status_name(client.write("Line/wanted", 1200)), "Good");
  EXPECT_EQ(status_name(client.write("Line/lamp", 1, SignalType::boolean)), "Good");
  EXPECT_EQ(status_name(client.write("Line/count", 7, SignalType::uint16)), "Good");
  EXPECT_EQ(inlet.last(0).value, 1200);
  EXPECT_EQ(inlet.last(0).quality, Quality::good);
  EXPECT_GE(inlet.last(0).time, before);
  EXPECT_EQ(inlet.last(1).value, 1);
  EXPECT_EQ(inlet.last(2).value, 7);
  EXPECT_EQ(client.read("Line/wanted").value, 1200) << "what was written can be read";
  EXPECT_GE(client.read("Line/wanted").time, before / 100 * 100);

  EXPECT_EQ(status_name(client.write("Line/speed", 1)), "BadNotWritable");
  EXPECT_EQ(status_name(client.write("Alarms/Count", 1)), "BadNotWritable");
  EXPECT_EQ(status_name(client.write("i=2258", 1)), "BadNotWritable") << "the server's clock";
  EXPECT_EQ(status_name(client.write("Line", 1)), "BadNodeClassInvalid");
  EXPECT_EQ(status_name(client.write("Line/none", 1)), "BadNodeIdUnknown");
  EXPECT_EQ(status_name(client.rename("Line/wanted", "mine")), "BadUserAccessDenied");
  EXPECT_EQ(status_name(client.add_folder("mine")), "BadUserAccessDenied");
  EXPECT_EQ(status_name(client.remove("Line/wanted")), "BadUserAccessDenied");
  EXPECT_EQ(inlet.all(), 3u);
}

TEST_F(OpcuaServerTest, ChecksTypeAndRangeOfWrites) {
  ASSERT_NO_FATAL_FAILURE(listening(kOpen));
  OpcuaTestClient client(connector->port());
  ASSERT_EQ(status_name(client.connect()), "Good");
  EXPECT_EQ(status_name(client.write("Line/wanted", 0)), "Good");
  EXPECT_EQ(status_name(client.write("Line/wanted", 1500)), "Good");
  EXPECT_EQ(status_name(client.write("Line/wanted", 1500.5)), "BadOutOfRange");
  EXPECT_EQ(status_name(client.write("Line/wanted", -1)), "BadOutOfRange");
  EXPECT_EQ(status_name(client.write("Line/wanted", std::numeric_limits<double>::quiet_NaN())), "BadOutOfRange");
  EXPECT_EQ(status_name(client.write("Line/wanted", std::numeric_limits<double>::infinity())), "BadOutOfRange");
  EXPECT_EQ(inlet.rejected("out_of_range"), 4u);
  EXPECT_NE(connector->last_error().find("Line/wanted"), std::string::npos) << connector->last_error();
  for (const std::uint32_t status :
       {client.write("Line/wanted", 5, SignalType::uint16), client.write_text("Line/wanted", "5"),
        client.write_array("Line/wanted", {1, 2}), client.write("Line/lamp", 1), client.write("Line/count", 1)})
    EXPECT_EQ(status_name(status), "BadTypeMismatch");
  EXPECT_EQ(inlet.all(), 2u);
  EXPECT_EQ(client.read("Line/wanted").value, 1500);
}

TEST_F(OpcuaServerTest, UsersAreToldByTheirPasswordsAndReadersMayNotWrite) {
  std::ofstream(folder + "/ann.txt") << "secret of ann\n";
  std::ofstream(folder + "/bob.txt") << "secret of bob\n";
  ASSERT_NO_FATAL_FAILURE(
      listening("users: {ann: {password_file: ann.txt}, bob: {password_file: bob.txt, may: read}, eve: {password_file: "
                "eve.txt}}"));
  const std::string pki = folder + "/client";
  const auto identity = opcua::own_identity(pki, "urn:test:client");
  ASSERT_TRUE(identity.has_value());
  ASSERT_TRUE(opcua::TrustList(folder + "/pki").accept(pki + "/own/certificate.der").has_value());
  const auto status_of = [&](const std::string& user, const std::string& password) {
    OpcuaTestClient client(connector->port(), {user, password, pki});
    return status_name(client.connect());
  };
  EXPECT_EQ(status_of("ann", "secret of bob"), "BadUserAccessDenied");
  EXPECT_EQ(status_of("ann", ""), "BadUserAccessDenied");
  EXPECT_EQ(status_of("zoe", "secret of ann"), "BadUserAccessDenied");
  EXPECT_EQ(status_of("eve", "anything"), "BadUserAccessDenied") << "her file is not there";
  EXPECT_NE(status_of("", ""), "Good") << "not anonymous";
  EXPECT_EQ(counter("logins"), 0u);
  OpcuaTestClient ann(connector->port(), {"ann", "secret of ann", pki});
  ASSERT_EQ(status_name(ann.connect()), "Good");
  EXPECT_EQ(status_name(ann.write("Line/wanted", 3)), "Good");
  OpcuaTestClient bob(connector->port(), {"bob", "secret of bob", pki});
  ASSERT_EQ(status_name(bob.connect()), "Good");
  EXPECT_EQ(bob.read("Line/wanted").value, 3);
  EXPECT_EQ(status_name(bob.write("Line/wanted", 4)), "BadUserAccessDenied");
  EXPECT_EQ(inlet.all(), 1u);
  EXPECT_EQ(counter("logins"), 2u);
  EXPECT_EQ(counter("sessions"), 2u);
}

TEST_F(OpcuaServerTest, AStrangerIsKeptOutUntilAPersonTrustsIt) {
  ASSERT_NO_FATAL_FAILURE(listening("anonymous: read"));
  OpcuaTestClient client(connector->port(), {"", "", folder + "/client"});
  EXPECT_NE(status_name(client.connect()), "Good");
  EXPECT_GE(counter("untrusted_clients"), 1u);
  EXPECT_NE(connector->last_error().find("alara trust add"), std::string::npos) << connector->last_error();
  const opcua::TrustList trust(folder + "/pki");
  ASSERT_EQ(trust.entries().size(), 1u);
  EXPECT_EQ(trust.entries()[0].info.uri, "urn:test:client");
  ASSERT_TRUE(trust.accept(trust.entries()[0].info.fingerprint).has_value());
  EXPECT_TRUE(eventually([&] { return client.connect() == 0; }, kPatient)) << "without a restart";
  EXPECT_EQ(connector->last_error(), "");
  EXPECT_EQ(status_name(client.write("Line/wanted", 3)), "BadUserAccessDenied") << "anonymous may only read";
  OpcuaTestClient open(connector->port());
  EXPECT_NE(status_name(open.connect()), "Good") << "none has not been asked for by name";
}

TEST_F(OpcuaServerTest, ClientsOfATrustedAuthorityGetInUntilItRevokesThem) {
  CertificateAuthority plant("Plant CA");
  const Issued scada = plant.issue("urn:test:client", "DNS:scada");
  const auto put = [this](const std::string& name, const Bytes& bytes) {
    const std::filesystem::path path = folder + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path.string();
  };
  put("client/own/certificate.der", scada.certificate);
  put("client/own/key.der", scada.key);
  ASSERT_TRUE(opcua::TrustList(folder + "/pki").accept(put("plant.der", plant.certificate())).has_value());
  ASSERT_NO_FATAL_FAILURE(listening("anonymous: read"));
  const auto connects = [&] { return OpcuaTestClient(connector->port(), {"", "", folder + "/client"}).connect() == 0; };
  EXPECT_FALSE(connects());
  EXPECT_NE(connector->last_error().find("revocation list (CRL)"), std::string::npos) << connector->last_error();
  put("pki/crl/plant.crl", plant.revocation_list());
  EXPECT_TRUE(eventually(connects, kPatient)) << connector->last_error();
  put("pki/crl/newer.crl", plant.revocation_list({scada.serial}));
  EXPECT_TRUE(eventually([&] { return !connects(); }, kPatient));
  EXPECT_NE(connector->last_error().find("has revoked it"), std::string::npos) << connector->last_error();
}

// A wall clock that is wrong by so much.
class WrongClock final : public Clock {
 public:
  explicit WrongClock(Nanos by) : by_(by) {}
  [[nodiscard]] Nanos wall() const override { return clock_.wall() + by_; }
  [[nodiscard]] Nanos monotonic() const override { return clock_.monotonic(); }
  void sleep_until(Nanos instant) override { clock_.sleep_until(instant); }

 private:
  const Nanos by_;
  SystemClock clock_;
};

TEST_F(OpcuaServerTest, ACertificateThatHasExpiredIsSaidAndTrustedNoMore) {
  WrongClock in_thirty_years(30LL * 365 * 24 * kHour);
  ASSERT_NO_FATAL_FAILURE(bind("anonymous: read"));
  const std::string pki = folder + "/client";
  ASSERT_TRUE(opcua::own_identity(pki, "urn:test:client").has_value());
  ASSERT_TRUE(opcua::TrustList(folder + "/pki").accept(pki + "/own/certificate.der").has_value());
  ASSERT_TRUE(connector->start({&inlet, &commands, &in_thirty_years, &running.loop(), 1, &outlets}));
  ASSERT_TRUE(eventually([&] { return connector->port() != 0; }, kPatient)) << connector->last_error();
  EXPECT_NE(connector->last_error().find("our own certificate has expired"), std::string::npos)
      << connector->last_error();
  OpcuaTestClient client(connector->port(), {"", "", pki});
  EXPECT_NE(status_name(client.connect()), "Good");
  EXPECT_EQ(counter("untrusted_clients"), 1u);
  EXPECT_NE(connector->last_error().find("it has expired"), std::string::npos) << connector->last_error();
  connector->stop();
}

TEST_F(OpcuaServerTest, AlarmsAreNodesAndEvents) {
  ASSERT_NO_FATAL_FAILURE(bind(kOpen));
  ASSERT_NE(connector->event_sink(), nullptr);
  connector->event_sink()->announce({1, true, Severity::low, "wear", "press-1", "plan maintenance", kSecond});
  ASSERT_NO_FATAL_FAILURE(run());
  ASSERT_TRUE(eventually([&] { return connector->port() != 0; }, kPatient)) << connector->last_error();
  OpcuaTestClient client(connector->port());
  ASSERT_EQ(status_name(client.connect()), "Good");
  EXPECT_TRUE(eventually([&] { return client.read("Alarms/Count").value == 1; }, kPatient))
      << "raised before it listened";
  ASSERT_TRUE(client.subscribe_to_events());
  connector->event_sink()->announce({2, true, Severity::critical, "stop", "press-2", "overload", 2 * kSecond});
  connector->event_sink()->announce({1, false, Severity::low, "wear", "press-1", "plan maintenance", 3 * kSecond});
  ASSERT_TRUE(eventually([&] { return client.events().size() == 2; }, kPatient));
  const auto events = client.events();
  EXPECT_EQ(events[0].message, "overload");
  EXPECT_EQ(events[0].source, "press-2");
  EXPECT_EQ(events[0].severity, 900);
  EXPECT_TRUE(events[0].active);
  EXPECT_EQ(events[1].message, "plan maintenance");
  EXPECT_FALSE(events[1].active);
  EXPECT_EQ(client.read("Alarms/Count").value, 1);
  EXPECT_EQ(client.read("Alarms/HighestSeverity").value, 900);
  const auto active = client.read("Alarms/Active").texts;
  ASSERT_EQ(active.size(), 1u);
  EXPECT_EQ(active[0].find("critical press-2 stop: overload"), 0u) << active[0];
}

TEST_F(OpcuaServerTest, WaitsForItsPortAndKeepsTheNewestValueMeanwhile) {
  ASSERT_NO_FATAL_FAILURE(listening(kOpen));
  const int taken = connector->port();
  std::unique_ptr<OpcuaServerConnector> first = std::move(connector);
  ASSERT_NO_FATAL_FAILURE(bind(kOpen, taken));
  ASSERT_TRUE(connector->start({&inlet, &commands, &running.clock(), &running.loop(), 1, &others}));
  ASSERT_TRUE(eventually([&] { return connector->stats().errors > 0; }, kPatient));
  EXPECT_FALSE(connector->stats().connected);
  EXPECT_NE(connector->last_error().find(fmt::format("127.0.0.1:{}", taken)), std::string::npos)
      << connector->last_error();
  others.put({OutletId{0}, 1, kSecond, Quality::good, 0});
  others.put({OutletId{0}, 2, 2 * kSecond, Quality::good, 0});
  ASSERT_TRUE(eventually([&] { return others.account().settled() == 1; }, kPatient));
  first->stop();
  ASSERT_TRUE(eventually([&] { return connector->stats().connected.load(); }, kPatient)) << connector->last_error();
  EXPECT_EQ(connector->last_error(), "");
  const auto account = others.wait_until_settled();
  EXPECT_EQ(account.delivered, 1u);
  EXPECT_EQ(account.dropped.at("not_listening"), 1u);
  OpcuaTestClient client(connector->port());
  ASSERT_EQ(status_name(client.connect()), "Good");
  EXPECT_EQ(client.read("Line/speed").value, 2);
}

TEST_F(OpcuaServerTest, SettlesWhatIsLeftWhenItStops) {
  ASSERT_NO_FATAL_FAILURE(listening(kOpen));
  connector->stop();
  publish(0, 1);
  ASSERT_NO_FATAL_FAILURE(run());
  for (int i = 0; i < 1000; ++i) publish(0, i);
  connector->stop();
  std::uint64_t left = 0;
  for (OutletSample sample; outlets.pop(sample);) ++left;
  const auto account = outlets.account();
  EXPECT_EQ(account.settled() + left, account.published);
}

TEST_F(OpcuaServerTest, GarbageAndHalfOpenConnectionsHarmNobody) {
  ASSERT_NO_FATAL_FAILURE(listening(std::string(kOpen) + "\nsessions: 3"));
  OpcuaTestClient client(connector->port());
  ASSERT_EQ(status_name(client.connect()), "Good");
  using namespace std::string_view_literals;
  const std::string huge_hello = std::string("HELF\xFF\xFF\xFF\x7F", 8) + std::string(4096, 'x');
  const std::string short_hello("HELF\x08\x00\x00\x00", 8);
  const std::string wrong_channel(
      "MSGF\x20\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
      "\xFF",
      32);
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(70'000, '\xFF'), huge_hello, short_hello, wrong_channel}) {
    const RawSocket nonsense(connector->port());
    nonsense.send(bytes);
    EXPECT_TRUE(nonsense.closed_by_peer()) << bytes.substr(0, 4);
  }
  EXPECT_TRUE(eventually([&] { return connector->stats().errors >= 5; }, kPatient));
  EXPECT_EQ(status_name(client.write("Line/wanted", 5)), "Good");

  std::vector<RawSocket> flood;  // connections that say nothing, or the beginning of a message
  for (int i = 0; i < 200; ++i) {
    flood.emplace_back(connector->port());
    if (i % 2 == 0) flood.back().send("HELF\x40"sv);
  }
  EXPECT_EQ(status_name(client.write("Line/wanted", 6)), "Good") << "a session is not given up for strangers";
  EXPECT_TRUE(eventually([&] { return counter("connections") <= 3 + 10; }, kPatient));
  OpcuaTestClient another(connector->port());
  EXPECT_EQ(status_name(another.connect()), "Good");
  EXPECT_EQ(status_name(another.write("Line/wanted", 7)), "Good");
  flood.clear();
  EXPECT_TRUE(eventually([&] { return counter("connections") == 2; }, kPatient));
  EXPECT_TRUE(connector->stats().connected);
}

TEST_F(OpcuaServerTest, HasNoMoreSessionsThanAllowed) {
  ASSERT_NO_FATAL_FAILURE(listening(std::string(kOpen) + "\nsessions: 2"));
  OpcuaTestClient first(connector->port()), second(connector->port()), third(connector->port());
  EXPECT_EQ(status_name(first.connect()), "Good");
  EXPECT_EQ(status_name(second.connect()), "Good");
  EXPECT_EQ(status_name(third.connect()), "BadTooManySessions");
  first.disconnect();
  EXPECT_TRUE(eventually([&] { return third.connect() == 0; }, kPatient));
}

TEST_F(OpcuaServerTest, RefusesActuatorsWhenTheFileIsLoaded) {
  ASSERT_NO_FATAL_FAILURE(bind(kOpen));
  std::vector<Error> errors;
  const std::vector<ActuatorBinding> actuators{{ActuatorId{0}, "line.wanted", "Line/wanted", {"site.yaml", 3, 4}}};
  connector->bind({}, actuators, errors);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].where.text(), "site.yaml:3:4");
  EXPECT_NE(errors[0].text().find("publish"), std::string::npos);
}

}  // namespace
}  // namespace alara::contract
