// SPDX-License-Identifier: Apache-2.0
// The connector contract for Modbus, against the project's own server.
#include "connect/modbus/modbus.hpp"
#include "connect/modbus/server.hpp"
#include "tests/contract/connector_contract.hpp"
#include "tests/contract/counting_bank.hpp"
#include "tests/contract/scripted_device.hpp"

namespace alara::contract {
namespace {

using modbus::RegisterBank;
using modbus::ServerThread;
using modbus::Table;

class ModbusHarness final : public ConnectorHarness {
 public:
  const Protocol& protocol() const override { return modbus::modbus_protocol(); }

  void start_peer() override {
    script_.reset();
    server_ = std::move(*ServerThread::create(clock_));
    const auto port = server_->listen(port_, bank_);
    ALARA_ASSERT(port.has_value(), "the server must listen again on its port");
    port_ = *port;
  }
  void stop_peer() override {
    server_.reset();
    script_.reset();
  }
  void offer(double value) override { bank_.offer(value); }
  std::uint64_t stop_offering() override {
    bank_.ended = true;
    server_->call([](modbus::Server&) {});  // a request that was being served is done
    return bank_.points;
  }

  std::string options() const override {
    return fmt::format(
        "endpoint: tcp://127.0.0.1:{}\npoll: 5ms\ntimeout: 100ms\nreconnect_min: 2ms\nreconnect_max: 20ms\n",
        port_ == 0 ? 502 : port_);
  }
  std::vector<std::string> signal_addresses() const override { return CountingBank::signal_addresses(); }
  std::vector<std::string> actuator_addresses() const override { return CountingBank::actuator_addresses(); }
  double actuator_value(std::size_t actuator) const override { return bank_.actuator_value(actuator); }
  bool can_mute() const override { return true; }
  void mute() override {
    stop_peer();
    script_ = std::make_unique<ScriptedDevice>([](int, int, const Bytes&) { return ScriptedDevice::Reply{}; }, port_);
  }
  bool can_send_garbage() const override { return true; }
  void send_garbage() override {
    stop_peer();
    const auto garbage = [](int, int, const Bytes&) {
      return ScriptedDevice::Reply{Bytes{'2', '2', '0', ' ', 'm', 'a', 'i', 'l', '\r', '\n'}};
    };
    script_ = std::make_unique<ScriptedDevice>(garbage, port_);
    ALARA_ASSERT(eventually([&] { return script_->connections() >= 2; }), "the client must come back after garbage");
    start_peer();
  }

  std::vector<BadText> bad_options() const override {
    return {{"unit: 1\n", "endpoint"},
            {"endpoint: tcp://a:502\nuint: 1\n", "unit"},
            {"endpoint: udp://a:502\n", "tcp://"},
            {"endpoint: tcp://a:70000\n", "65535"},
            {"endpoint: tcp://a\npoll: soon\n", "soon"},
            {"endpoint: tcp://a\npoll: 0ms\n", "poll"},
            {"endpoint: tcp://a\nmax_registers: 126\n", "125"},
            {"endpoint: tcp://a\nin_flight: 17\n", "16"},
            {"endpoint: tcp://a\nbyte_order: ACBD\n", "CDAB"},
            {"endpoint: tcp://a\nreconnect_min: 1min\nreconnect_max: 1s\n", "shorter"}};
  }
  std::vector<BadText> bad_addresses() const override {
    return {
        {"holdin/1", "holding"}, {"holding/70000", "65535"}, {"holding/1:flaot32", "float32"}, {"", "table/number"}};
  }

 private:
  SystemClock clock_;
  CountingBank bank_;
  std::uint16_t port_ = 0;
  std::unique_ptr<ServerThread> server_;
  std::unique_ptr<ScriptedDevice> script_;
};

std::unique_ptr<ConnectorHarness> make_modbus_harness() { return std::make_unique<ModbusHarness>(); }

INSTANTIATE_TEST_SUITE_P(Modbus, ConnectorContract, testing::Values(make_modbus_harness));

}  // namespace
}  // namespace alara::contract
