// SPDX-License-Identifier: Apache-2.0
// CoAP against implementations that are not ours: libcoap's programs, with and without DTLS, and the npm package coap.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/child_process.hpp"
#include "connect/coap/coap.hpp"
#include "connect/coap/discover.hpp"
#include "tests/contract/running_connector.hpp"

namespace alara::contract {
namespace {

constexpr const char* kServer = "coap-server-openssl";
constexpr const char* kClient = "coap-client-openssl";

class CoapPeer : public RunningConnector {
 protected:
  CoapPeer() : RunningConnector(coap::coap_protocol()) {
    folder_ = (std::filesystem::temp_directory_path() / "alara-coap-XXXXXX").string();
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  }
  ~CoapPeer() override {
    if (connector_) connector_->stop();
    peer_.reset();
    std::filesystem::remove_all(folder_);
  }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_ + "/" + name; }
  void write(const std::string& name, const std::string& text) const { std::ofstream(file(name)) << text; }
  [[nodiscard]] std::string text_of(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(file(name)).rdbuf();
    return text.str();
  }
  void start_peer(std::vector<std::string> arguments) {
    arguments[0] = find_program(arguments[0]);
    auto started = ChildProcess::start(arguments, file("output"));
    ASSERT_TRUE(started.has_value()) << started.error().message;
    peer_ = std::move(*started);
  }
  // Runs a program to its end; what it printed.
  std::string run(std::vector<std::string> arguments) {
    arguments[0] = find_program(arguments[0]);
    auto started = ChildProcess::start(arguments, file("said"));
    EXPECT_TRUE(started.has_value());
    static_cast<void>((*started)->wait(20 * kSecond));
    return text_of("said");
  }
  void options_and_start(const std::string& place, const std::string& more, const std::vector<std::string>& signals,
                         const std::vector<std::string>& targets = {}, const std::vector<std::string>& published = {}) {
    start(fmt::format("{}\ntimeout: 1s\nkeepalive: 200ms\nreconnect_min: 20ms\nreconnect_max: 200ms\n{}", place, more),
          signals, targets, published);
  }

  std::string folder_;
  std::unique_ptr<ChildProcess> peer_;
  const int port_ = free_loopback_port();
};

class LibcoapPeer : public CoapPeer {
 protected:
  void SetUp() override {
    if (find_program(kServer).empty() || find_program(kClient).empty())
      GTEST_SKIP() << kServer << " is not installed (Debian: libcoap3-bin)";
  }
  // An authority, and a certificate it made out to `name`.
  void make_certificates(const std::string& authority, const std::vector<std::string>& names) {
    const auto openssl = [this](const std::string& arguments) {
      const std::string command = fmt::format("cd {} && openssl {} >/dev/null 2>&1", folder_, arguments);
      ASSERT_EQ(std::system(command.c_str()), 0) << command;
    };
    openssl(
        fmt::format("req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN={0} -keyout {0}.key -out {0}.pem", authority));
    for (const std::string& name : names) {
      openssl(fmt::format("req -newkey rsa:2048 -nodes -subj /CN={0} -keyout {0}.key -out {0}.csr", name));
      openssl(fmt::format("x509 -req -in {0}.csr -days 1 -CA {1}.pem -CAkey {1}.key -CAcreateserial -out {0}.pem", name,
                          authority));
    }
  }
  void expect_a_value_to_go_round() {
    ASSERT_TRUE(eventually([&] { return connected(); })) << connector_->last_error();
    commands_.send(ActuatorId{0}, 42.5, true);
    ASSERT_TRUE(eventually([&] { return commands_.acks().size() == 1; }));
    EXPECT_EQ(commands_.acks()[0].outcome, Outcome::done) << name_of(commands_.acks()[0].outcome);
    EXPECT_TRUE(eventually([&] { return has(0, 42.5); }));  // it was observed before
  }
};

TEST_F(LibcoapPeer, IsObservedAndWritten) {
  start_peer({kServer, "-A", "127.0.0.1", "-p", std::to_string(port_)});
  options_and_start(fmt::format("endpoint: coap://127.0.0.1:{}", port_), "", {"/example_data"}, {"/example_data"});
  expect_a_value_to_go_round();
}

TEST_F(LibcoapPeer, IsReachedWithAPreSharedKeyAndOnlyWithTheRightOne) {
  start_peer({kServer, "-A", "127.0.0.1", "-p", std::to_string(port_), "-k", "the-secret", "-h", "plant"});
  write("right", "edge-1:the-secret\n");
  write("wrong", "edge-1:another\n");
  const std::string place = fmt::format("endpoint: coaps://127.0.0.1:{}", port_ + 1);
  options_and_start(place, "psk_file: " + file("wrong"), {"/example_data"}, {"/example_data"});
  ASSERT_TRUE(eventually([&] { return connector_->stats().errors > 0; }));
  EXPECT_FALSE(connected());
  EXPECT_NE(connector_->last_error().find("keys"), std::string::npos) << connector_->last_error();
  connector_->stop();
  options_and_start(place, "psk_file: " + file("right"), {"/example_data"}, {"/example_data"});
  expect_a_value_to_go_round();
}

TEST_F(LibcoapPeer, IsReachedWithCertificatesOfATrustedAuthority) {
  make_certificates("plant", {"device", "edge"});
  make_certificates("strangers", {});
  start_peer({kServer, "-A", "127.0.0.1", "-p", std::to_string(port_), "-c", file("device.pem"), "-j",
              file("device.key"), "-C", file("plant.pem")});
  const std::string place = fmt::format("endpoint: coaps://127.0.0.1:{}", port_ + 1);
  const std::string own = fmt::format("certificate: {}\nkey: {}\n", file("edge.pem"), file("edge.key"));
  options_and_start(place, own + "ca: " + file("strangers.pem"), {"/example_data"}, {"/example_data"});
  ASSERT_TRUE(eventually([&] { return connector_->stats().errors > 0; }));
  EXPECT_FALSE(connected());
  connector_->stop();
  options_and_start(place, own + "ca: " + file("plant.pem"), {"/example_data"}, {"/example_data"});
  ASSERT_TRUE(eventually([&] { return connector_->last_error().find("not to '127.0.0.1'") != std::string::npos; }))
      << connector_->last_error();  // the plant's, but of another device
  EXPECT_FALSE(connected());
  connector_->stop();
  options_and_start(place, own + "peer: device\nca: " + file("plant.pem"), {"/example_data"}, {"/example_data"});
  expect_a_value_to_go_round();
}

TEST_F(LibcoapPeer, IsBrowsed) {
  start_peer({kServer, "-A", "127.0.0.1", "-p", std::to_string(port_)});
  coap::Settings settings;
  settings.endpoint = {"127.0.0.1", static_cast<std::uint16_t>(port_)};
  std::vector<coap::Link> links;
  ASSERT_TRUE(eventually([&] {
    auto found = coap::discover(settings, running_.clock());
    if (found) links = std::move(*found);
    return found.has_value();
  }));
  const auto time = std::ranges::find(links, "/time", &coap::Link::path);
  ASSERT_NE(time, links.end()) << coap::format_links(links);
  EXPECT_TRUE(time->observable);
  EXPECT_NE(coap::format_signals(links, "room").find("time: \"room//time\""), std::string::npos);
  peer_.reset();
  const auto gone = coap::discover(settings, running_.clock());
  ASSERT_FALSE(gone.has_value());
  EXPECT_NE(gone.error().message.find("does not answer"), std::string::npos) << gone.error().message;
}

TEST_F(LibcoapPeer, SendsReadingsToOurServer) {
  options_and_start(fmt::format("listen: coap://127.0.0.1:{}", port_), "", {"/press/1", "/list#[99]"});
  ASSERT_TRUE(eventually([&] { return connected(); })) << connector_->last_error();
  const std::string url = fmt::format("coap://127.0.0.1:{}", port_);
  run({kClient, "-m", "put", "-e", "8.5", url + "/press/1"});
  EXPECT_TRUE(has(0, 8.5));
  std::string list = "[0";
  for (int i = 1; i < 200; ++i) list += "," + std::to_string(i);
  write("list", list + "]");
  run({kClient, "-m", "post", "-t", "50", "-b", "64", "-f", file("list"), url + "/list"});
  EXPECT_TRUE(has(1, 99));
  EXPECT_NE(run({kClient, "-m", "put", "-e", "x", url + "/press/1"}).find("4.00"), std::string::npos)
      << text_of("said");
  EXPECT_NE(run({kClient, "-m", "get", url + "/.well-known/core"}).find("</press/1>"), std::string::npos)
      << text_of("said");
}

TEST_F(LibcoapPeer, ReachesOurServerWithItsKeyOnly) {
  write("keys", "# who may send\nsensor-1:first-secret\nsensor-2:second-secret\n");
  options_and_start(fmt::format("listen: coaps://127.0.0.1:{}", port_), "psk_file: " + file("keys"), {"/press/1"});
  ASSERT_TRUE(eventually([&] { return connected(); })) << connector_->last_error();
  const std::string url = fmt::format("coaps://127.0.0.1:{}/press/1", port_);
  run({kClient, "-B", "2", "-m", "put", "-u", "sensor-2", "-k", "first-secret", "-e", "1", url});
  run({kClient, "-B", "2", "-m", "put", "-u", "nobody", "-k", "first-secret", "-e", "2", url});
  EXPECT_EQ(inlet_.all(), 0u);
  run({kClient, "-m", "put", "-u", "sensor-2", "-k", "second-secret", "-e", "8.5", url});
  EXPECT_TRUE(has(0, 8.5));
}

TEST_F(LibcoapPeer, ReachesOurServerWithATrustedCertificateOnly) {
  make_certificates("plant", {"edge", "sensor"});
  make_certificates("strangers", {"stranger"});
  options_and_start(
      fmt::format("listen: coaps://127.0.0.1:{}", port_),
      fmt::format("certificate: {}\nkey: {}\nca: {}", file("edge.pem"), file("edge.key"), file("plant.pem")),
      {"/press/1"});
  ASSERT_TRUE(eventually([&] { return connected(); })) << connector_->last_error();
  const std::string url = fmt::format("coaps://127.0.0.1:{}/press/1", port_);
  run({kClient, "-B", "2", "-m", "put", "-c", file("stranger.pem"), "-j", file("stranger.key"), "-R", file("plant.pem"),
       "-e", "1", url});
  EXPECT_EQ(inlet_.all(), 0u);
  run({kClient, "-m", "put", "-c", file("sensor.pem"), "-j", file("sensor.key"), "-C", file("plant.pem"), "-e", "8.5",
       url});
  EXPECT_TRUE(has(0, 8.5)) << text_of("said");
}

class NodeCoapPeer : public CoapPeer {
 protected:
  void SetUp() override {
    const std::string modules = std::string(ALARA_SOURCE) + "/build/deps/peers/node_modules";
    if (find_program("node").empty() || !std::filesystem::exists(modules + "/coap"))
      GTEST_SKIP() << "node or the npm package coap is not installed: run tools/setup";
    setenv("NODE_PATH", modules.c_str(), 1);
  }
  std::vector<std::string> script(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"node", std::string(ALARA_SOURCE) + "/tests/contract/coap_peer.js"});
    return arguments;
  }
};

TEST_F(NodeCoapPeer, IsObservedAndWritten) {
  start_peer(script({"serve", std::to_string(port_)}));
  options_and_start(fmt::format("endpoint: coap://127.0.0.1:{}", port_), "", {"/counter"}, {"/valve"});
  ASSERT_TRUE(eventually([&] { return inlet_.last(0).quality == Quality::good && inlet_.last(0).value >= 20; }))
      << connector_->last_error();
  double last = -1;
  for (const Point& point : inlet_.points(0)) {
    if (point.quality != Quality::good) continue;
    EXPECT_EQ(point.value, last + 1);  // every change, in order
    last = point.value;
  }
  commands_.send(ActuatorId{0}, 3.25, true);
  ASSERT_TRUE(eventually([&] { return commands_.acks().size() == 1; }));
  EXPECT_EQ(commands_.acks()[0].outcome, Outcome::done);
}

TEST_F(NodeCoapPeer, SendsReadingsToOurServerAndObservesItsValues) {
  options_and_start(fmt::format("listen: coap://127.0.0.1:{}", port_), "", {"/press/1"}, {"/valve"}, {"/health"});
  ASSERT_TRUE(eventually([&] { return connected(); })) << connector_->last_error();
  const std::string codes = run(script({"push", std::to_string(port_), "/press/1", "10"}));
  EXPECT_EQ(codes, "2.04\n2.04\n2.04\n2.04\n2.04\n2.04\n2.04\n2.04\n2.04\n2.04\n");
  EXPECT_TRUE(has(0, 10));
  outlets_.put({OutletId{0}, 0.5, 0, Quality::good, 0});
  ASSERT_TRUE(eventually([&] { return outlets_.account().delivered == 1; }));
  start_peer(script({"observe", std::to_string(port_), "/health"}));
  ASSERT_TRUE(eventually([&] { return text_of("output").find("\"value\":0.5") != std::string::npos; }));
  outlets_.put({OutletId{0}, 0.75, 0, Quality::good, 0});
  EXPECT_TRUE(eventually([&] { return text_of("output").find("\"value\":0.75") != std::string::npos; }))
      << text_of("output");
}

}  // namespace
}  // namespace alara::contract
