// SPDX-License-Identifier: Apache-2.0
// The OPC UA server keeps what every connector promises. Its peer is a client that writes two nodes again and again.
#include <atomic>
#include <filesystem>
#include <thread>

#include "base/child_process.hpp"
#include "connect/opcua/opcua.hpp"
#include "tests/contract/connector_contract.hpp"
#include "tests/contract/opcua_test_client.hpp"
#include "tests/contract/raw_socket.hpp"

namespace alara::contract {
namespace {

class OpcuaServerHarness final : public ConnectorHarness {
 public:
  OpcuaServerHarness() : port_(free_loopback_port()) {
    folder_ = (std::filesystem::temp_directory_path() / "alara-opcua-server-XXXXXX").string();
    ALARA_ASSERT(mkdtemp(folder_.data()) != nullptr, "a folder for the test");
  }
  ~OpcuaServerHarness() override {
    stop_peer();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  const Protocol& protocol() const override { return opcua::opcua_server_protocol(); }
  bool listens() const override { return true; }

  void start_peer() override {
    if (thread_.joinable()) return;
    thread_ = std::jthread([this](const std::stop_token& stop) { write(stop); });
  }
  void stop_peer() override {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    thread_ = {};
  }
  void offer(double value) override {
    value_ = value;
    offering_ = true;
  }
  std::uint64_t stop_offering() override {
    stop_peer();
    return written_;
  }

  std::string options() const override {
    return fmt::format("listen: 127.0.0.1:{}\nsecurity: none\nanonymous: write\npki: {}\n", port_, folder_);
  }
  std::vector<std::string> signal_addresses() const override { return {"Line/first", "Line/second"}; }

  bool can_send_garbage() const override { return true; }
  void send_garbage() override {
    RawSocket nonsense(port_);
    nonsense.send("GET / HTTP/1.1\r\nHost: plc\r\n\r\n");
    EXPECT_TRUE(nonsense.closed_by_peer());
  }

  std::vector<BadText> bad_options() const override {
    return {{"listen: plc.local:4840\nanonymous: read\n", "numeric"},
            {"security: none\nlisten: 127.0.0.1:4840\n", "nobody"},
            {"security: [basic128]\nanonymous: read\n", "basic256sha256"},
            {"users: {ann: {}}\n", "password_file"},
            {"sesions: 3\nanonymous: read\n", "sessions"}};
  }
  std::vector<BadText> bad_addresses() const override {
    return {{"", "empty"},
            {"ns=1;s=a", "namespace 2"},
            {"Line//a", "empty"},
            {"a in 5..1", "empty"},
            {"Alarms/a", "alarms"}};
  }

 private:
  void write(const std::stop_token& stop) {
    OpcuaTestClient client(port_);
    SystemClock clock;
    bool connected = false;
    while (!stop.stop_requested()) {
      if (!connected) connected = RawSocket(port_).connected() && client.connect() == 0;
      for (const std::string& node : signal_addresses()) {
        if (!connected || !offering_) break;
        connected = client.write(node, value_) == 0;
        written_ += connected ? 1 : 0;
      }
      clock.sleep_until(clock.monotonic() + 5 * kMillisecond);
    }
  }

  int port_;
  std::string folder_;
  std::atomic<double> value_{0};
  std::atomic<bool> offering_{false};
  std::atomic<std::uint64_t> written_{0};
  std::jthread thread_;
};

std::unique_ptr<ConnectorHarness> opcua_server() { return std::make_unique<OpcuaServerHarness>(); }

INSTANTIATE_TEST_SUITE_P(OpcuaServer, ConnectorContract, testing::Values(&opcua_server));

}  // namespace
}  // namespace alara::contract
