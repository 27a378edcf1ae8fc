// SPDX-License-Identifier: Apache-2.0
// The edge node before a host application that is not ours (npm sparkplug-payload and mqtt), through mosquitto.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/child_process.hpp"
#include "connect/mqtt/protocol.hpp"
#include "connect/mqtt/test_broker.hpp"
#include "core/fakes.hpp"
#include "tests/contract/recorders.hpp"

namespace alara::contract {
namespace {

using Json = nlohmann::json;
using alara::testing::FakeOutlets;

constexpr Nanos kLong = 15 * kSecond;  // a limit, not an expectation

std::string modules() {
  const std::string folder = "build/deps/peers/node_modules";
  return access((folder + "/sparkplug-payload").c_str(), R_OK) == 0 ? std::filesystem::absolute(folder).string() : "";
}

// The script as a child, spoken to by a pipe; what it tells lies in a file.
class HostScript {
 public:
  HostScript(const std::string& node, int port, const std::string& folder) : told_(folder + "/told") {
    fifo_ = folder + "/ask";
    EXPECT_EQ(mkfifo(fifo_.c_str(), 0600), 0);
    const std::string run = fmt::format(
        "NODE_PATH={} exec {} tests/contract/sparkplug_host.js {} plant edge scada < {}", modules(), node, port, fifo_);
    child_ = std::move(*ChildProcess::start({"/bin/sh", "-c", run}, told_));
    ask_ = open(fifo_.c_str(), O_WRONLY | O_CLOEXEC);  // until the script opens its end
  }
  ~HostScript() {
    if (ask_ >= 0) close(ask_);
  }
  void ask(const std::string& line) {
    const std::string text = line + "\n";
    EXPECT_EQ(write(ask_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] std::vector<Json> told() const {
    std::vector<Json> out;
    std::ifstream file(told_);
    for (std::string line; std::getline(file, line);) {
      Json one = Json::parse(line, nullptr, false);
      if (!one.is_discarded()) out.push_back(std::move(one));
    }
    return out;
  }
  [[nodiscard]] std::size_t count(const std::string& event) const {
    std::size_t count = 0;
    for (const Json& one : told()) count += one["event"] == event ? 1 : 0;
    return count;
  }
  [[nodiscard]] bool wait_for(const std::string& event, std::size_t times) const {
    return eventually([&] { return count(event) >= times; }, kLong);
  }

 private:
  std::string told_, fifo_;
  std::unique_ptr<ChildProcess> child_;
  int ask_ = -1;
};

class SparkplugHost : public ::testing::Test {
 protected:
  void SetUp() override {
    node_program_ = find_program("node");
    if (node_program_.empty() || modules().empty() || mqtt::mosquitto_path().empty())
      GTEST_SKIP() << "node, its package sparkplug-payload, or mosquitto is not installed";
    std::string folder = (std::filesystem::temp_directory_path() / "alara-sparkhost-XXXXXX").string();
    folder_ = mkdtemp(folder.data());
    broker_ = std::make_unique<mqtt::TestBroker>();
    host_ = std::make_unique<HostScript>(node_program_, broker_->port(), folder_);
    ASSERT_TRUE(host_->wait_for("ready", 1));
  }
  void TearDown() override {
    if (connector_) connector_->stop();
    host_.reset();
    broker_.reset();
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  void start(const std::string& options, int port = 0) {
    const auto document =
        parse_document(fmt::format("endpoint: mqtt://127.0.0.1:{}\ngroup: plant\nedge_node: edge\nbirth_jitter: 0s\n"
                                   "birth_spacing: 10ms\nreconnect_min: 10ms\nreconnect_max: 50ms\n{}",
                                   port != 0 ? port : broker_->port(), options),
                       "site.yaml");
    connector_ = std::move(*mqtt::sparkplug_protocol().make("up", *document, folder_));
    std::vector<Error> errors;
    const std::vector<SignalBinding> signals{{SignalId{0}, "set", "cell/set", SignalType::float64, 0, {}, 0}};
    connector_->bind(signals, {}, errors);
    std::vector<OutletBinding> outlets(2);
    outlets[0].address = "cell/speed";
    outlets[0].unit = *Unit::parse("m/s");
    outlets[1].outlet = OutletId{1};
    outlets[1].address = "load";
    connector_->bind_outlets(outlets, errors);
    ASSERT_TRUE(errors.empty());
    ASSERT_TRUE(connector_->start({&inlet_, nullptr, &clock_, nullptr, 5, &outlets_}));
  }
  void put(std::uint32_t outlet, double value, Quality quality = Quality::good) {
    outlets_.put({OutletId{outlet}, value, clock_.wall(), quality, 0});
  }
  static Json metric(const Json& message, const std::string& name) {
    for (const Json& one : message["metrics"])
      if (one["name"] == name) return one;
    ADD_FAILURE() << message["event"] << " has no " << name;
    return {};
  }
  std::vector<Json> of(const std::string& event) const {
    std::vector<Json> out;
    for (const Json& one : host_->told())
      if (one["event"] == event) out.push_back(one);
    return out;
  }
  void expect_order() const {
    for (const Json& one : host_->told()) {
      EXPECT_NE(one["event"], "undecodable") << one.dump();
      if (one.contains("inOrder")) {
        EXPECT_TRUE(one["inOrder"].get<bool>()) << one.dump();
        EXPECT_FALSE(one["retain"].get<bool>());
        EXPECT_EQ(one["qos"], one["event"] == "NDEATH" ? 1 : 0);
      }
    }
  }

  std::string node_program_, folder_;
  SystemClock clock_;
  RecordingInlet inlet_;
  FakeOutlets outlets_;
  std::unique_ptr<mqtt::TestBroker> broker_;
  std::unique_ptr<HostScript> host_;
  std::unique_ptr<Connector> connector_;
};

TEST_F(SparkplugHost, ReadsBirthsAndDataAsksForARebirthAndWrites) {
  start("");
  ASSERT_TRUE(host_->wait_for("DBIRTH", 1));
  EXPECT_EQ(metric(of("NBIRTH")[0], "bdSeq")["value"], 0);
  EXPECT_EQ(metric(of("NBIRTH")[0], "Node Control/Rebirth")["value"], false);
  EXPECT_EQ(metric(of("DBIRTH")[0], "speed")["properties"]["engUnit"], "m/s");
  for (int i = 0; i < 300; ++i)
    put(static_cast<std::uint32_t>(i % 2), 1.5 * i, i == 298 ? Quality::uncertain : Quality::good);
  EXPECT_EQ(outlets_.wait_until_settled().delivered, 300u);
  std::vector<Json> values;
  ASSERT_TRUE(eventually(
      [&] {
        values.clear();
        for (const char* const event : {"DDATA", "NDATA"})
          for (const Json& message : of(event))
            for (const Json& one : message["metrics"]) values.push_back(one);
        return values.size() == 300;
      },
      kLong));
  const Json last = of("DDATA").back()["metrics"].back();
  EXPECT_EQ(last["name"], "speed");
  EXPECT_FALSE(last["named"].get<bool>()) << "by alias";
  EXPECT_EQ(last["value"], 447);
  EXPECT_EQ(last["properties"]["Quality"], 500);
  host_->ask("rebirth");
  ASSERT_TRUE(host_->wait_for("DBIRTH", 2));
  EXPECT_EQ(metric(of("NBIRTH")[1], "bdSeq")["value"], 0) << "no new session";
  EXPECT_EQ(metric(of("DBIRTH")[1], "speed")["value"], 447);
  EXPECT_EQ(connector_->stats().connects, 1u);
  host_->ask("dcmd cell set 12.5");
  ASSERT_TRUE(eventually([&] { return !inlet_.points(0).empty(); }, kLong));
  EXPECT_EQ(inlet_.last(0).value, 12.5);
  connector_->stop();
  ASSERT_TRUE(host_->wait_for("NDEATH", 1));
  EXPECT_EQ(metric(of("NDEATH")[0], "bdSeq")["value"], 0);
  EXPECT_TRUE(of("NDEATH")[0]["seq"].is_null());
  expect_order();
}

// What a host reads of our messages, beside those of an edge node that is not ours.
TEST_F(SparkplugHost, SpeaksAsTheReferenceEdgeNodeDoes) {
  if (!std::filesystem::exists(modules() + "/sparkplug-client")) GTEST_SKIP() << "sparkplug-client is not installed";
  setenv("NODE_PATH", modules().c_str(), 1);
  const auto twin = ChildProcess::start(
      {node_program_, "tests/contract/sparkplug_twin.js", std::to_string(broker_->port()), "plant", "twin"});
  ASSERT_TRUE(twin);
  start("");
  put(0, 1.5);
  const auto said = [this](const std::string& event, const std::string& edge) {
    for (const Json& one : of(event))
      if (one["edge"] == edge) return one;
    return Json();
  };
  for (const std::string event : {"NBIRTH", "DBIRTH", "DDATA"}) {
    ASSERT_TRUE(eventually([&] { return !said(event, "edge").is_null() && !said(event, "twin").is_null(); }, kLong))
        << event;
    const Json ours = said(event, "edge"), theirs = said(event, "twin");
    for (const char* const member : {"seq", "device", "retain", "qos", "inOrder"})
      EXPECT_EQ(ours[member], theirs[member]) << event << " " << member;
    EXPECT_LT(std::abs(ours["timestamp"].get<double>() - theirs["timestamp"].get<double>()), 60'000);  // milliseconds
    for (const Json& wanted : theirs["metrics"]) {
      const Json same = metric(ours, wanted["name"]);  // must be there
      // Specification 3.0 says Int64 for bdSeq; the package has UInt64, as 2.2 did.
      if (wanted["name"] == "bdSeq") continue;
      EXPECT_EQ(same["type"], wanted["type"]) << event << " " << wanted["name"];
    }
  }
}

TEST_F(SparkplugHost, WhoGoesAndComesGetsTheHistory) {
  start("primary_host: scada\n");
  put(0, 1);
  ASSERT_TRUE(eventually([&] { return connector_->stats().connected.load(); }, kLong));
  std::size_t births = 0;
  for (int round = 0; round < 3; ++round) {
    host_->ask("online");
    ASSERT_TRUE(host_->wait_for("DBIRTH", ++births));
    EXPECT_EQ(outlets_.wait_until_settled().settled(), static_cast<std::uint64_t>(1 + 5 * round));
    host_->ask("offline");
    ASSERT_TRUE(host_->wait_for("NDEATH", births));
    for (int i = 0; i < 5; ++i) put(0, 100. * (round + 1) + i);
  }
  host_->ask("online");
  ASSERT_TRUE(host_->wait_for("DBIRTH", ++births));
  EXPECT_EQ(outlets_.wait_until_settled().delivered, 16u);
  ASSERT_TRUE(eventually(
      [&] {
        std::size_t historical = 0;
        for (const Json& message : of("DDATA"))
          for (const Json& one : message["metrics"]) historical += one["historical"].get<bool>() ? 1 : 0;
        return historical == 16;
      },
      kLong));
  const auto deaths = of("NDEATH"), node_births = of("NBIRTH");
  for (std::size_t i = 0; i < deaths.size(); ++i)
    EXPECT_EQ(metric(deaths[i], "bdSeq")["value"], metric(node_births[i], "bdSeq")["value"]);
  EXPECT_EQ(metric(node_births.back(), "bdSeq")["value"], 3);
  expect_order();
}

// A proxy that is cut is for the broker what a node that is killed is: no DISCONNECT, so the will goes out.
TEST_F(SparkplugHost, TheBrokerTellsTheDeathOfANodeThatIsKilled) {
  const std::string socat = find_program("socat");
  if (socat.empty()) GTEST_SKIP() << "socat is not installed";
  const int port = mqtt::free_port();
  auto proxy = ChildProcess::start({socat, fmt::format("TCP-LISTEN:{},bind=127.0.0.1,reuseaddr", port),
                                    fmt::format("TCP:127.0.0.1:{}", broker_->port())});
  ASSERT_TRUE(proxy);
  start("", port);
  ASSERT_TRUE(host_->wait_for("DBIRTH", 1));
  (*proxy)->signal(SIGKILL);
  ASSERT_TRUE(host_->wait_for("NDEATH", 1));
  EXPECT_EQ(metric(of("NDEATH")[0], "bdSeq")["value"], metric(of("NBIRTH")[0], "bdSeq")["value"]);
  EXPECT_TRUE(of("NDEATH")[0]["seq"].is_null());
  EXPECT_EQ(of("NDEATH")[0]["metrics"].size(), 1u);
}

TEST_F(SparkplugHost, ABrokerThatRestartsSeesANewSessionAndTheHistory) {
  start("");
  ASSERT_TRUE(host_->wait_for("DBIRTH", 1));
  broker_->stop();
  ASSERT_TRUE(eventually([&] { return !connector_->stats().connected.load(); }, kLong));
  for (int i = 0; i < 20; ++i) put(0, i);
  // A host that is there before the edge node hears the birth; one that comes later asks for it.
  broker_->start();
  ASSERT_TRUE(host_->wait_for("ready", 2));
  EXPECT_EQ(outlets_.wait_until_settled().delivered, 20u);
  host_->ask("rebirth");
  ASSERT_TRUE(
      eventually([&] { return !of("NBIRTH").empty() && metric(of("NBIRTH").back(), "bdSeq")["value"] != 0; }, kLong));
}

}  // namespace
}  // namespace alara::contract
