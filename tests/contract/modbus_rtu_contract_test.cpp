// SPDX-License-Identifier: Apache-2.0
// The connector contract for Modbus RTU, over a pseudo terminal, and what only a serial line can do wrong.
#include "base/child_process.hpp"
#include "connect/modbus/modbus.hpp"
#include "connect/modbus/serial_port.hpp"
#include "connect/modbus/server.hpp"
#include "tests/contract/connector_contract.hpp"
#include "tests/contract/counting_bank.hpp"
#include "tests/contract/raw_socket.hpp"
#include "tests/contract/rtu_device.hpp"
#include "tests/contract/running_connector.hpp"

namespace alara::contract {
namespace {

using modbus::RegisterBank;
using modbus::Table;
using Bytes = RtuDevice::Bytes;

constexpr RegisterBank::Sizes kSizes{.coils = 10, .discrete = 0, .holding = 100, .input = 0};

class ModbusRtuHarness final : public ConnectorHarness {
 public:
  const Protocol& protocol() const override { return modbus::modbus_protocol(); }
  void start_peer() override { device_.start(); }
  void stop_peer() override { device_.stop(); }
  void offer(double value) override { bank_.offer(value); }
  std::uint64_t stop_offering() override {
    bank_.ended = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // a request that was being served is done
    return bank_.points;
  }
  std::string options() const override {
    return fmt::format(
        "serial: {}\nbaud: 115200\npoll: 10ms\ntimeout: 100ms\nreconnect_min: 2ms\nreconnect_max: 20ms\n",
        device_.device());
  }
  std::vector<std::string> signal_addresses() const override { return CountingBank::signal_addresses(); }
  std::vector<std::string> actuator_addresses() const override { return CountingBank::actuator_addresses(); }
  double actuator_value(std::size_t actuator) const override { return bank_.actuator_value(actuator); }
  bool can_mute() const override { return true; }
  void mute() override { device_.mute(); }
  bool can_send_garbage() const override { return true; }
  void send_garbage() override {
    const Bytes garbage(300, 0x5A);
    for (int i = 0; i < 5; ++i) device_.babble(garbage);
  }
  std::vector<BadText> bad_options() const override {
    return {{"endpoint: tcp://a\nserial: /dev/ttyS0\n", "either"},
            {"serial: /dev/ttyS0\nbaud: 100\n", "300"},
            {"serial: /dev/ttyS0\nparity: mark\n", "even"},
            {"serial: /dev/ttyS0\nin_flight: 2\n", "one request at a time"},
            {"endpoint: tcp://a\nbaud: 9600\n", "serial lines"},
            {"serial: /dev/ttyS0\ngateway: tcp://localhost:1502\n", "no number"}};
  }
  std::vector<BadText> bad_addresses() const override {
    return {{"0@holding/1", "broadcast"}, {"248@holding/1", "1 to 247"}, {"holdin/1", "holding"}};
  }

 private:
  CountingBank bank_;
  RtuDevice device_{{{1, &bank_}}};
};

std::unique_ptr<ConnectorHarness> make_rtu_harness() { return std::make_unique<ModbusRtuHarness>(); }

INSTANTIATE_TEST_SUITE_P(ModbusRtu, ConnectorContract, ::testing::Values(make_rtu_harness));

// Units 1 and 2 answer; unit 3 is named by tags but absent.
class RtuLine : public RunningConnector {
 protected:
  RtuLine() : RunningConnector(modbus::modbus_protocol()) {
    for (std::uint16_t i = 0; i < 100; ++i) {
      one_.set_register(Table::holding, i, static_cast<std::uint16_t>(1000 + i));
      two_.set_register(Table::holding, i, static_cast<std::uint16_t>(2000 + i));
    }
    device_.start();
  }
  void start(const std::string& more, const std::vector<std::string>& addresses,
             const std::vector<std::string>& targets = {}) {
    RunningConnector::start(fmt::format("serial: {}\nbaud: 115200\npoll: 20ms\ntimeout: 50ms\nreconnect_min: 5ms\n"
                                        "reconnect_max: 20ms\n{}",
                                        device_.device(), more),
                            addresses, targets);
  }

  RegisterBank one_{kSizes}, two_{kSizes};
  RtuDevice device_{{{1, &one_}, {2, &two_}}};
};

TEST_F(RtuLine, SeveralUnitsShareALineAndASilentOneCostsOnlyItsOwnTags) {
  start("", {"1@holding/5", "2@holding/5", "3@holding/5"});
  ASSERT_TRUE(eventually([&] { return has(0, 1005) && has(1, 2005); })) << connector_->last_error();
  ASSERT_TRUE(eventually([&] { return counter("silent_units") == 1; }));
  const std::uint64_t before = connector_->stats().polls_done;
  ASSERT_TRUE(eventually([&] { return connector_->stats().polls_done > before + 30; }));
  EXPECT_EQ(inlet_.last(2).quality, Quality::bad);
  EXPECT_EQ(connector_->stats().disconnects, 0u);  // others answer: the line is not opened anew
}

TEST_F(RtuLine, ADamagedAnswerIsCountedAndCostsNoTimeout) {
  start("", {"1@holding/5", "2@holding/5"});
  ASSERT_TRUE(eventually([&] { return has(0, 1005) && has(1, 2005); }));
  device_.spoil([](std::uint8_t unit, Bytes answer) {
    if (unit == 1) answer[3] ^= 1;  // the checksum no longer fits
    return answer;
  });
  ASSERT_TRUE(eventually([&] { return counter("malformed_answers") >= 5; }));
  EXPECT_EQ(counter("timeouts"), 0u);
  EXPECT_EQ(inlet_.last(0).quality, Quality::bad);
  EXPECT_NE(connector_->last_error().find("checksum"), std::string::npos) << connector_->last_error();
  EXPECT_TRUE(has(1, 2005));
  device_.spoil({});
  ASSERT_TRUE(eventually([&] { return has(0, 1005); }));
}

TEST_F(RtuLine, NoiseAroundAnswersIsLeftOut) {
  device_.spoil([](std::uint8_t, Bytes answer) {
    const Bytes noise{0xFF, 0x01, 0x03, 0x00};
    answer.insert(answer.begin(), noise.begin(), noise.end());
    answer.insert(answer.end(), noise.begin(), noise.end());
    return answer;
  });
  start("", {"1@holding/5", "2@holding/5"});
  ASSERT_TRUE(eventually([&] { return has(0, 1005) && has(1, 2005) && connector_->stats().polls_done > 20; }))
      << connector_->last_error();
  EXPECT_GE(counter("noise_bytes"), 20u);
}

TEST_F(RtuLine, AnEchoIsTakenOff) {
  device_.spoil([](std::uint8_t unit, Bytes answer) {
    // The only request of this test: holding register 5, one register.
    const std::array<std::uint8_t, 5> pdu{3, 0, 5, 0, 1};
    std::array<std::uint8_t, wire::kMaxRtuFrame> echo{};
    const std::size_t size = wire::encode_rtu(unit, pdu, echo);
    answer.insert(answer.begin(), echo.begin(), echo.begin() + static_cast<std::ptrdiff_t>(size));
    return answer;
  });
  start("echo: true\n", {"1@holding/5"});
  ASSERT_TRUE(eventually([&] { return has(0, 1005) && connector_->stats().polls_done > 10; }))
      << connector_->last_error();
  EXPECT_EQ(counter("noise_bytes"), 0u);
}

TEST_F(RtuLine, ALateAnswerIsNeverTakenForTheNext) {
  // Answers carry no number: the one for register 5 could be taken for that of register 50.
  device_.spoil([](std::uint8_t, Bytes answer) {
    std::this_thread::sleep_for(std::chrono::milliseconds(80));  // the timeout is 50 ms
    return answer;
  });
  start("max_gap: 0\n", {"1@holding/5", "1@holding/50"});
  ASSERT_TRUE(eventually([&] { return counter("late_answers") >= 6; }));
  device_.spoil({});
  ASSERT_TRUE(eventually([&] { return has(0, 1005) && has(1, 1050); }));
  for (const std::uint32_t signal : {0u, 1u})
    for (const Point& point : inlet_.points(signal)) {
      if (point.quality == Quality::good) {
        EXPECT_EQ(point.value, signal == 0 ? 1005 : 1050);
      }
    }
}

TEST_F(RtuLine, ABabblingLineIsGivenUpAndSaid) {
  start("", {"1@holding/5"});
  ASSERT_TRUE(eventually([&] { return has(0, 1005); }));
  const Bytes noise(500, 0x55);
  for (int i = 0; i < 200 && connector_->stats().disconnects == 0; ++i) device_.babble(noise);
  ASSERT_TRUE(eventually([&] { return connector_->stats().disconnects >= 1; }));
  ASSERT_TRUE(eventually([&] { return has(0, 1005); }));
}

TEST_F(RtuLine, ALineHasOneOwner) {
  start("", {"1@holding/5"});
  ASSERT_TRUE(eventually([&] { return has(0, 1005); }));
  modbus::SerialLine line;
  line.device = device_.device();
  const auto second = modbus::SerialPort::open(line);
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().message.find("uses it"), std::string::npos) << second.error().message;
}

class RtuGateway : public RtuLine {
 protected:
  void open(const std::string& more) {
    port_ = free_loopback_port();
    start(fmt::format("gateway: tcp://127.0.0.1:{}\n{}", port_, more), {"1@holding/5"});
    ASSERT_TRUE(eventually([&] { return has(0, 1005); })) << connector_->last_error();
  }
  // The PDU of the answer.
  Bytes ask(std::uint8_t unit, const wire::ModbusRequest& request) {
    RawSocket socket(port_);
    std::array<std::uint8_t, wire::kMaxModbusFrame> frame{};
    const std::size_t size = wire::encode_request(77, unit, request, frame);
    socket.send({reinterpret_cast<const char*>(frame.data()), size});
    const Bytes answer = socket.receive();
    EXPECT_GE(answer.size(), 9u);
    if (answer.size() < 9) return {};
    EXPECT_EQ(wire::load_u16(answer.data()), 77);
    EXPECT_EQ(answer[6], unit);
    return {answer.begin() + 7, answer.end()};
  }
  int port_ = 0;
};

TEST_F(RtuGateway, TcpClientsReachTheUnitsBesideThePolls) {
  open("");
  for (std::uint16_t i = 0; i < 20; ++i) {
    const std::uint16_t value = static_cast<std::uint16_t>(2000 + i);
    EXPECT_EQ(ask(2, {wire::ModbusFunction::read_holding, i, 1, {}}),
              (Bytes{3, 2, static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)}));
  }
  EXPECT_EQ(counter("relayed_requests"), 20u);
  const std::uint64_t before = connector_->stats().polls_done;
  EXPECT_TRUE(eventually([&] { return connector_->stats().polls_done > before + 5; }));
}

TEST_F(RtuGateway, PassesRefusalsOnAndNamesItsOwn) {
  open("");
  EXPECT_EQ(ask(1, {wire::ModbusFunction::read_holding, 5000, 1, {}}), (Bytes{0x83, 2}));  // the device's
  EXPECT_EQ(ask(9, {wire::ModbusFunction::read_holding, 0, 1, {}}), (Bytes{0x83, 11}));    // nobody there
  const Bytes data{0, 9};
  EXPECT_EQ(ask(1, {wire::ModbusFunction::write_register, 0, 1, data}), (Bytes{0x86, 1}));
  EXPECT_EQ(one_.register_at(Table::holding, 0), 1000);
  device_.stop();
  ASSERT_TRUE(eventually([&] { return !connected(); }));
  EXPECT_EQ(ask(1, {wire::ModbusFunction::read_holding, 0, 1, {}}), (Bytes{0x83, 10}));  // no way there
}

TEST_F(RtuGateway, WritesWhereTheSiteFileAllowsIt) {
  open("gateway_writes: true\n");
  const Bytes data{0x12, 0x34};
  EXPECT_EQ(ask(2, {wire::ModbusFunction::write_register, 7, 1, data}), (Bytes{6, 0, 7, 0x12, 0x34}));
  EXPECT_EQ(two_.register_at(Table::holding, 7), 0x1234);
}

TEST_F(RtuGateway, APortThatIsTakenIsSaidAndTriedAgain) {
  port_ = free_loopback_port();
  auto taken = std::move(*modbus::ServerThread::create(running_.clock()));
  ASSERT_TRUE(taken->listen(static_cast<std::uint16_t>(port_), one_).has_value());
  start(fmt::format("gateway: tcp://127.0.0.1:{}\n", port_), {"1@holding/5"});
  ASSERT_TRUE(eventually([&] { return connector_->stats().polls_done > 10; }));  // the line works meanwhile
  EXPECT_NE(connector_->last_error().find("gateway: can not listen"), std::string::npos) << connector_->last_error();
  taken.reset();
  ASSERT_TRUE(eventually([&] { return connector_->last_error().empty(); }));
  EXPECT_EQ(ask(2, {wire::ModbusFunction::read_holding, 0, 1, {}}), (Bytes{3, 2, 7, 208}));
}

TEST_F(RtuGateway, ClientsThatTalkNonsenseAreSentAwayAndHarmNobody) {
  open("");
  const RawSocket garbage(port_), half(port_), unknown(port_);
  garbage.send("GET / HTTP/1.1\r\n\r\n");
  half.send(std::string_view("\0\1\0\0\0\6\2", 7));
  EXPECT_TRUE(garbage.closed_by_peer());
  unknown.send(std::string_view("\0\1\0\0\0\2\2\x2B", 8));  // function 43
  const auto refused = unknown.receive();
  ASSERT_EQ(refused.size(), 9u);
  EXPECT_EQ(refused[7], 0xAB);
  EXPECT_EQ(refused[8], 1);
  EXPECT_EQ(ask(2, {wire::ModbusFunction::read_holding, 0, 1, {}}), (Bytes{3, 2, 7, 208}));
}

// What a pseudo terminal can not do, and an adapter may not either.
TEST_F(RtuLine, WhatTheDeviceCanNotDoIsSaid) {
  modbus::SerialLine line;
  line.device = device_.device();
  line.rs485 = modbus::Rs485::rts;
  const auto without_rts = modbus::SerialPort::open(line);
  ASSERT_FALSE(without_rts.has_value());
  EXPECT_NE(without_rts.error().message.find("rs485: rts"), std::string::npos) << without_rts.error().message;
  line.rs485 = modbus::Rs485::kernel;
  const auto without_mode = modbus::SerialPort::open(line);
  ASSERT_FALSE(without_mode.has_value());
  EXPECT_NE(without_mode.error().message.find("rs485: kernel"), std::string::npos) << without_mode.error().message;
  line.device = "/dev/null";
  EXPECT_NE(modbus::SerialPort::open(line).error().message.find("no serial line"), std::string::npos);
  line.device = "/nowhere/tty";
  EXPECT_NE(modbus::SerialPort::open(line).error().message.find("can not open /nowhere/tty"), std::string::npos);
}

}  // namespace
}  // namespace alara::contract
