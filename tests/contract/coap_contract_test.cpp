// SPDX-License-Identifier: Apache-2.0
// The connector contract for CoAP, as client and as server.
#include "connect/coap/coap.hpp"
#include "tests/contract/coap_device.hpp"
#include "tests/contract/coap_pusher.hpp"
#include "tests/contract/push_harness.hpp"

namespace alara::contract {
namespace {

constexpr int kSignals = 5;

std::string path_of(int signal) { return fmt::format("/sensors/{}", signal); }

class CoapHarness final : public ConnectorHarness {
 public:
  CoapHarness() {
    device_.start();  // for its port
    device_.stop();
  }
  const Protocol& protocol() const override { return coap::coap_protocol(); }
  void start_peer() override {
    device_.start();
    device_.set("/valve", "0");
  }
  void stop_peer() override { device_.stop(); }
  void offer(double value) override {
    for (int i = 0; i < kSignals; ++i) device_.set(path_of(i), fmt::format("{}", value));
  }
  std::uint64_t stop_offering() override {
    device_.stop_reading();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // an answer that is under way
    return device_.values_sent();
  }
  std::string options() const override {
    return fmt::format(
        "endpoint: coap://127.0.0.1:{}\nobserve: false\npoll: 5ms\ntimeout: 600ms\nkeepalive: 100ms\nretry: 10ms\n"
        "reconnect_min: 2ms\nreconnect_max: 20ms\n",
        device_.port());
  }
  std::vector<std::string> signal_addresses() const override {
    std::vector<std::string> addresses;
    for (int i = 0; i < kSignals; ++i) addresses.push_back(path_of(i));
    return addresses;
  }
  std::vector<std::string> actuator_addresses() const override { return {"/valve"}; }
  double actuator_value(std::size_t) const override { return std::strtod(device_.value("/valve").c_str(), nullptr); }
  bool can_mute() const override { return true; }
  void mute() override { device_.mute(); }
  bool can_send_garbage() const override { return true; }
  void send_garbage() override {
    for (const char* bytes : {"", "\xFF", "\x40\x45", "\x60\x45\x12\x34\xFF", "hello, this is no CoAP"})
      device_.send_raw(bytes);
    const auto before = device_.values_sent();
    for (int i = 0; i < kSignals; ++i) device_.set(path_of(i), "{\"no");
    eventually([&] { return device_.values_sent() > before + 2 * kSignals; });
  }
  std::vector<BadText> bad_options() const override {
    return {{"poll: 1s\n", "endpoint"},
            {"endpoint: coap://a\nlisten: coap://127.0.0.1\n", "either"},
            {"endpoint: http://a\n", "coap://"},
            {"endpoint: coap://a\npsk_file: x\n", "coaps://"},
            {"endpoint: coap://a\npeer: b\n", "coaps://"},
            {"endpoint: coaps://a\n", "psk_file"},
            {"endpoint: coaps://a\ncertificate: x\n", "belong together"},
            {"listen: coap://localhost\n", "no number"},
            {"endpoint: coap://a\nobserv: true\n", "observe"}};
  }
  std::vector<BadText> bad_addresses() const override {
    return {{"sensors/1", "begin with"}, {"/a b", "character"}, {"/a//b", "empty"}, {"/a#", "behind #"}};
  }

 private:
  CoapDevice device_;
};

class CoapServerHarness final : public PushHarness {
 public:
  const Protocol& protocol() const override { return coap::coap_protocol(); }
  std::string options() const override { return fmt::format("listen: coap://127.0.0.1:{}\n", port()); }
  void send_garbage() override {
    CoapPusher device(port());
    for (const char* bytes : {"\xFF", "\x40\x45", "\x60\x45\x12\x34\xFF", "hello, this is no CoAP"})
      device.send_raw(bytes);
    EXPECT_EQ(device.put(path_of(0), "{\"no"), "4.00");
  }
  std::vector<BadText> bad_options() const override { return {{"listen: coap://127.0.0.1:0\n", "65535"}}; }
  std::vector<BadText> bad_addresses() const override { return {{"a", "begin with"}, {"/.well-known/core", "listed"}}; }

 private:
  Push pusher() override {
    return [device = std::make_shared<CoapPusher>(port())](const std::string& path, const std::string& body) {
      return device->put(path, body) == "2.04";
    };
  }
};

std::unique_ptr<ConnectorHarness> coap_client() { return std::make_unique<CoapHarness>(); }
std::unique_ptr<ConnectorHarness> coap_server() { return std::make_unique<CoapServerHarness>(); }

INSTANTIATE_TEST_SUITE_P(CoapClient, ConnectorContract, testing::Values(coap_client));
INSTANTIATE_TEST_SUITE_P(CoapServer, ConnectorContract, testing::Values(coap_server));

}  // namespace
}  // namespace alara::contract
