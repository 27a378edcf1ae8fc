// SPDX-License-Identifier: Apache-2.0
// The CAN connector keeps what every connector promises, with an slcan adapter on a pseudo terminal as its peer.
#include <sys/poll.h>

#include <fstream>

#include "connect/can/can.hpp"
#include "tests/contract/connector_contract.hpp"
#include "tests/contract/slcan_adapter.hpp"
#include "wire/can/frame.hpp"
#include "wire/can/j1939.hpp"

namespace alara::contract {
namespace {

using wire::can::Frame;

constexpr std::string_view kDbc = R"(BO_ 291 Motor: 8 X
 SG_ Speed : 0|16@1+ (1,0) [0|0] "rpm" X
 SG_ Torque : 23|16@0- (1,0) [0|0] "N*m" X
BO_ 292 Set: 8 X
 SG_ Stop : 0|8@1+ (1,0) [0|0] "" X
 SG_ Wanted : 15|16@0+ (1,0) [0|0] "rpm" X
BO_ 2566843904 ET1: 8 X
 SG_ Oil : 16|16@1+ (0.03125,-273) [-273|1735] "degC" X
)";

Frame frame(std::uint32_t id, std::initializer_list<std::uint8_t> data, bool extended = false) {
  Frame out;
  out.id = id;
  out.extended = extended;
  for (const std::uint8_t byte : data) out.data[out.size++] = byte;
  return out;
}

class CanHarness final : public ConnectorHarness {
 public:
  CanHarness() { std::ofstream(dbc()) << kDbc; }
  ~CanHarness() override { stop_peer(); }
  const Protocol& protocol() const override { return can::can_protocol(); }

  void start_peer() override { adapter_.start(); }
  void stop_peer() override {
    stop_sending();
    adapter_.stop();
  }
  void offer(double value) override {
    value_ = value;
    if (!sender_.joinable()) sender_ = std::jthread([this](const std::stop_token& stop) { send(stop); });
  }
  std::uint64_t stop_offering() override {
    stop_sending();
    return points_;
  }

  std::string options() const override {
    return fmt::format(
        "endpoint: \"slcan:{}\"\ndbc: {}\nsilence: 100ms\nack_timeout: 100ms\nreconnect_min: 2ms\nreconnect_max: "
        "20ms\n",
        adapter_.device(), dbc());
  }
  std::vector<std::string> signal_addresses() const override {
    return {"Motor.Speed", "Motor.Torque", "0x123:0|16@1+"};
  }
  std::vector<std::string> actuator_addresses() const override { return {"Set.Stop", "Set.Wanted"}; }
  double actuator_value(std::size_t actuator) const override {
    const auto frames = adapter_.received();
    if (frames.empty()) return -1;
    const Frame& last = frames.back();
    return actuator == 0 ? last.data[0] : last.data[1] * 256 + last.data[2];
  }

  bool can_mute() const override { return true; }
  void mute() override {
    stop_sending();
    adapter_.start();
    adapter_.mute();
  }
  bool can_send_garbage() const override { return true; }
  void send_garbage() override { adapter_.write_line("t12\rhello\rT999999999\r\xff\xfe\r"); }

  std::vector<BadText> bad_options() const override {
    return {{"endpoint: can0\n", "socketcan:INTERFACE"},
            {"endpoint: \"slcan:/dev/x\"\ndbc: /nowhere.dbc\n", "can not be opened"},
            {"endpoint: \"slcan:/dev/x\"\nbitrate: 7k\n", "bitrate"},
            {"endpoint: \"slcan:/dev/x\"\nbitrates: 1M\n", "bitrate"},
            {"endpoint: \"slcan:/dev/x\"\naddress: 3\n", "j1939"},
            {"endpoint: \"log:x\"\nspeed: fast\n", "speed"}};
  }
  std::vector<BadText> bad_addresses() const override {
    return {{"Motr.Speed", "Motor"},       {"Motor.Sped", "Speed"},
            {"Motor", "MESSAGE.SIGNAL"},   {"", "empty"},
            {"0x123:60|16@1+", "8 bytes"}, {"0x12:0|8@1+", "0x123"},
            {"dm1.count", "j1939"},        {"obd:engine_sped", "engine_speed"},
            {"Motor.Speed@0x21", "j1939"}, {"0x123:0|99@1+", "64 bits"}};
  }

 private:
  [[nodiscard]] std::string dbc() const { return adapter_.file("plant.dbc"); }
  void send(const std::stop_token& stop) {
    SystemClock clock;
    while (!stop.stop_requested()) {
      const auto value = static_cast<std::uint16_t>(value_.load());
      const auto low = static_cast<std::uint8_t>(value), high = static_cast<std::uint8_t>(value >> 8);
      if (adapter_.send(frame(291, {low, high, high, low, 0, 0, 0, 0}))) points_ += 3;
      clock.sleep_until(clock.monotonic() + 5 * kMillisecond);
    }
  }
  void stop_sending() {
    sender_.request_stop();
    if (sender_.joinable()) sender_.join();
  }

  SlcanAdapter adapter_;
  std::atomic<double> value_{0};
  std::atomic<std::uint64_t> points_{0};
  std::jthread sender_;
};

std::unique_ptr<ConnectorHarness> make_can_harness() { return std::make_unique<CanHarness>(); }

INSTANTIATE_TEST_SUITE_P(Can, ConnectorContract, testing::Values(make_can_harness));

// What a CAN connector does beside the promises of all.
class CanConnectorTest : public testing::Test {
 protected:
  CanConnectorTest() { std::ofstream(adapter_.file("plant.dbc")) << kDbc; }
  void make(const std::string& options, const std::vector<std::string>& signals,
            const std::vector<std::string>& actuators = {}) {
    const auto node = parse_document(options, "site.yaml").value();
    std::vector<Error> errors;
    can::can_protocol().schema().check(node, errors);
    ASSERT_TRUE(errors.empty()) << errors.front().text();
    auto made = can::can_protocol().make("bus", node, adapter_.file(""));
    ASSERT_TRUE(made.has_value()) << made.error().text();
    connector_ = std::move(*made);
    std::vector<SignalBinding> bindings;
    for (const std::string& address : signals) {
      SignalBinding binding;
      binding.signal = SignalId{static_cast<std::uint32_t>(bindings.size())};
      binding.name = binding.address = address;
      binding.poll = 20 * kMillisecond;
      bindings.push_back(binding);
    }
    std::vector<ActuatorBinding> outputs;
    for (const std::string& address : actuators)
      outputs.push_back({ActuatorId{static_cast<std::uint32_t>(outputs.size())}, address, address, {}});
    connector_->bind(bindings, outputs, errors);
    ASSERT_TRUE(errors.empty()) << errors.front().text();
  }
  void start() { ASSERT_TRUE(connector_->start({&inlet_, &commands_, &running_.clock(), &running_.loop(), 1})); }
  void start_on_adapter(const std::string& more, const std::vector<std::string>& signals,
                        const std::vector<std::string>& actuators = {}) {
    adapter_.start();
    make(fmt::format("endpoint: \"slcan:{}\"\ndbc: {}\nreconnect_min: 2ms\n{}", adapter_.device(),
                     adapter_.file("plant.dbc"), more),
         signals, actuators);
    start();
    ASSERT_TRUE(eventually([&] { return adapter_.opened(); }));
  }
  void TearDown() override {
    if (connector_) connector_->stop();
    adapter_.stop();
  }
  [[nodiscard]] std::uint64_t counter(std::string_view name) const {
    std::vector<Connector::Counter> all;
    connector_->counters(all);
    for (const auto& each : all)
      if (each.name == name) return each.value;
    return 999;
  }

  SlcanAdapter adapter_;
  RecordingInlet inlet_;
  CommandQueue commands_;
  RunningLoop running_;
  std::unique_ptr<Connector> connector_;
};

TEST_F(CanConnectorTest, ALogKeepsItsTimesAndEnds) {
  std::ofstream(adapter_.file("trace.log")) << "(100.000000) can0 123#D0070000\n(100.250000) can0 123#01000000\n"
                                            << "\n(100.3) can0 7FF#00\nno frame at all\n(100.5) can0 123#02\n";
  make(fmt::format("endpoint: log:trace.log\ndbc: {}\n", adapter_.file("plant.dbc")), {"Motor.Speed"});
  start();
  ASSERT_TRUE(eventually([&] { return inlet_.has_finished(); }));
  const auto points = inlet_.points(0);
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].value, 2000);
  EXPECT_EQ(points[0].time, 100 * kSecond);
  EXPECT_EQ(points[1].time, 100 * kSecond + 250 * kMillisecond);
  EXPECT_EQ(inlet_.rejected(), 2u) << "a malformed line, and a frame too short for its signal";
  EXPECT_EQ(counter("unknown_frames"), 1u);
  EXPECT_NE(connector_->last_error().find("trace.log:5:"), std::string::npos) << connector_->last_error();
}

TEST_F(CanConnectorTest, J1939ValuesFaultsAndLongMessages) {
  start_on_adapter("j1939: true\n", {"ET1.Oil", "ET1.Oil@0x01", "dm1.count", "dm1.spn", "dm1.amber_warning"});
  // 0x0CE0 * 0.03125 - 273 = -170; from unit 0x00, so the second signal hears nothing.
  adapter_.send(frame(0x18FEEE00, {0, 0, 0xE0, 0x0C, 0, 0, 0, 0}, true));
  ASSERT_TRUE(eventually([&] { return inlet_.points(0).size() == 1; }));
  EXPECT_EQ(inlet_.last(0).value, -170);
  adapter_.send(frame(0x18FEEE01, {0, 0, 0xFF, 0xFF, 0, 0, 0, 0}, true));  // not available
  ASSERT_TRUE(eventually([&] { return inlet_.points(0).size() == 2; }));
  EXPECT_EQ(inlet_.last(0).quality, Quality::bad);
  EXPECT_EQ(inlet_.points(1).size(), 1u);
  const std::vector<std::uint8_t> dm1{0x04, 0xFF, 0xB8, 0x04, 0x03, 0x0A, 0x64, 0x00, 0x01, 0x01};
  for (const Frame& part : wire::can::broadcast_j1939({{6, wire::can::kPgnDm1, 0, wire::can::kEveryone}, dm1}))
    adapter_.send(part);
  ASSERT_TRUE(eventually([&] { return inlet_.points(4).size() == 1; }));
  EXPECT_EQ(inlet_.last(2).value, 2);
  EXPECT_EQ(inlet_.last(3).value, 1208);
  EXPECT_EQ(inlet_.last(4).value, 1);
}

TEST_F(CanConnectorTest, AsksForObdParametersAndMarksUnansweredOnesBad) {
  adapter_.on_frame = [this](const Frame& asked) {
    if (asked.id == 0x7DF && asked.data[2] == 0x0C) adapter_.send(frame(0x7E8, {4, 0x41, 0x0C, 0x1A, 0xF8, 0, 0, 0}));
  };
  start_on_adapter("request_timeout: 30ms\n", {"obd:engine_speed", "obd:05"});
  ASSERT_TRUE(eventually([&] { return inlet_.points(0).size() >= 3 && inlet_.points(1).size() >= 2; }));
  EXPECT_EQ(inlet_.last(0).value, 1726);
  EXPECT_EQ(inlet_.last(0).quality, Quality::good);
  EXPECT_EQ(inlet_.last(1).quality, Quality::bad);
  EXPECT_GE(counter("unanswered_requests"), 2u);
}

TEST_F(CanConnectorTest, AWrittenMessageKeepsItsOtherSignals) {
  start_on_adapter("", {"Motor.Speed"}, {"Set.Stop", "Set.Wanted"});
  adapter_.send(frame(292, {9, 0, 0, 0, 0, 0, 0, 0x77}));
  adapter_.send(frame(291, {1, 0, 0, 0}));
  ASSERT_TRUE(eventually([&] { return inlet_.points(0).size() == 1; }));
  commands_.send(ActuatorId{1}, 0x0102);
  ASSERT_TRUE(eventually([&] { return commands_.acks().size() == 1; }));
  EXPECT_EQ(adapter_.received().back(), frame(292, {9, 1, 2, 0, 0, 0, 0, 0x77}));
}

TEST_F(CanConnectorTest, RefusalsOfAdapterAndValueAreTold) {
  start_on_adapter("", {"Motor.Speed"}, {"Set.Stop"});
  adapter_.refuse_frames(true);
  commands_.send(ActuatorId{0}, 1);
  ASSERT_TRUE(eventually([&] { return commands_.acks().size() == 1; }));
  EXPECT_EQ(commands_.acks()[0].outcome, Outcome::refused_device);
  commands_.send(ActuatorId{0}, 256);
  ASSERT_TRUE(eventually([&] { return commands_.acks().size() == 2; }));
  EXPECT_EQ(commands_.acks()[1].outcome, Outcome::refused_device);
  EXPECT_NE(connector_->last_error().find("Stop: 256 does not fit its 8 bits"), std::string::npos)
      << connector_->last_error();
}

TEST_F(CanConnectorTest, AFloodOfOthersFramesCostsNoPoint) {
  start_on_adapter("", {"Motor.Speed"});
  for (int i = 0; i < 2000; ++i)
    while (!adapter_.send(frame(0x700, {1, 2, 3}))) poll(nullptr, 0, 1);
  while (!adapter_.send(frame(291, {7, 0, 0, 0}))) poll(nullptr, 0, 1);
  ASSERT_TRUE(eventually([&] { return inlet_.points(0).size() == 1; }));
  EXPECT_EQ(inlet_.last(0).value, 7);
  EXPECT_EQ(counter("unknown_frames"), 2000u);
  EXPECT_EQ(inlet_.rejected(), 0u);
}

TEST_F(CanConnectorTest, AnInterfaceThatIsNotThereIsNamedAndTriedAgain) {
  make("endpoint: \"socketcan:nocan9\"\nreconnect_min: 2ms\nreconnect_max: 5ms\n", {"0x123:0|8@1+"});
  start();
  ASSERT_TRUE(eventually([&] { return connector_->stats().errors > 2; }));
  EXPECT_TRUE(connector_->last_error().find("nocan9") != std::string::npos ||
              connector_->last_error().find("SocketCAN") != std::string::npos)
      << connector_->last_error();
}

}  // namespace
}  // namespace alara::contract
