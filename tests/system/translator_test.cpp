// SPDX-License-Identifier: Apache-2.0
// The translator examples with real peers: a protocol of the plant to MQTT and back, units, quality and time kept, and
// every value accounted for.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/child_process.hpp"
#include "base/quantity.hpp"
#include "connect/modbus/probe.hpp"
#include "tests/contract/opcua_peer.hpp"
#include "tests/contract/rtu_device.hpp"
#include "tests/contract/slcan_adapter.hpp"
#include "tests/system/mqtt_peer.hpp"
#include "tests/system/running_node.hpp"

namespace alara::system_test {
namespace {

std::string example(const std::string& name) {
  std::ifstream file(ALARA_SOURCE "/examples/" + name);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

class Translator : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Broker::installed()) GTEST_SKIP() << "mosquitto is not installed: the translators are not tested";
  }
};

TEST_F(Translator, ModbusToMqttAndBackWithAnAnswer) {
  Device device;
  Broker broker;
  setenv("PLC_PORT", std::to_string(device.port()).c_str(), 1);
  setenv("BROKER_PORT", std::to_string(broker.port()).c_str(), 1);
  device.set_float(2, 1450.5);
  device.set(11, 7);
  MqttPeer peer(broker.port(), "plant/#");
  RunningNode node(example("07-translate.yaml"));
  ASSERT_TRUE(node.wait_connected());

  const auto speed = peer.wait_for("plant/drive-1/speed", 1450.5);
  EXPECT_EQ(speed["unit"], "rpm");
  EXPECT_EQ(speed["quality"], "good");
  const auto time = parse_instant(speed["time"].get<std::string>());
  ASSERT_TRUE(time.has_value());
  EXPECT_LT(SystemClock().wall() - *time, kMinute);
  peer.wait_for("plant/drive-1/current", 7);
  peer.wait_for("plant/drive-1/guard_open", false);
  device.set(11, 9);
  peer.wait_for("plant/drive-1/current", 9);

  peer.publish("plant/drive-1/wanted_speed", "1200");
  peer.wait_for("plant/drive-1/wanted_speed/set.done", true);
  EXPECT_EQ(device.holding(1), 1200);
  peer.wait_for("plant/drive-1/wanted_speed/set.value", 1200);

  peer.publish("plant/drive-1/wanted_speed", "1501");  // above the limit
  peer.wait_for("plant/drive-1/wanted_speed/set.done", false);
  EXPECT_EQ(device.holding(1), 1200);
  device.set_discrete(1, true);
  peer.wait_for("plant/drive-1/guard_open", true);
  peer.publish("plant/drive-1/wanted_speed", "800");  // the guard is open
  peer.wait_for("plant/drive-1/wanted_speed/set.value", 800);
  EXPECT_EQ(device.holding(1), 1200);

  device.stop();  // its values turn bad, and that is published too
  EXPECT_TRUE(eventually([&] {
    const auto all = peer.heard("plant/drive-1/speed");
    return !all.empty() && all.back()["quality"] == "bad";
  }));
  node.expect_every_point_accounted();
}

TEST_F(Translator, CanToMqttAndBackWithAnAnswer) {
  contract::SlcanAdapter adapter;
  adapter.start();
  Broker broker;
  setenv("CAN_ENDPOINT", ("slcan:" + adapter.device()).c_str(), 1);
  setenv("CAN_DBC", ALARA_SOURCE "/examples/vehicle.dbc", 1);
  setenv("BROKER_PORT", std::to_string(broker.port()).c_str(), 1);
  MqttPeer peer(broker.port(), "trucks/#");
  RunningNode node(example("08-can-to-mqtt.yaml"));
  ASSERT_TRUE(node.wait_connected());
  ASSERT_TRUE(eventually([&] { return adapter.opened(); }));

  wire::can::Frame motion, engine;
  motion.id = 0x100;
  motion.size = engine.size = 8;
  motion.data = {0x4A, 0x21};  // 0x214A = 8522 hundredths
  engine.id = 0x101;
  engine.data = {0, 135};  // less 40
  ASSERT_TRUE(adapter.send(motion) && adapter.send(engine));
  const auto speed = peer.wait_for("trucks/truck-1/speed", 85.22);
  EXPECT_EQ(speed["unit"], "km/h");
  EXPECT_EQ(speed["quality"], "good");
  peer.wait_for("trucks/truck-1/oil_temperature", 95);

  peer.publish("trucks/truck-1/lamp/set", "true");
  peer.wait_for("trucks/truck-1/lamp/done", true);
  const auto written = adapter.received();
  ASSERT_EQ(written.size(), 1u);
  EXPECT_EQ(written[0].id, 0x200u);
  EXPECT_EQ(written[0].data[0], 1);

  adapter.refuse_frames(true);
  peer.publish("trucks/truck-1/lamp/set", "false");
  peer.wait_for("trucks/truck-1/lamp/done", false);
  node.expect_every_point_accounted();
}

TEST_F(Translator, OpcuaToMqttAndBackWithAnAnswer) {
  if (!contract::OpcuaPeer::installed(ALARA_SOURCE))
    GTEST_SKIP() << "node-opcua is not installed (tools/setup fetches it)";
  if (alara({"connectors", "describe", "opcua"}).code != 0) GTEST_SKIP() << "built without OPC UA";
  const contract::OpcuaPeer server(ALARA_SOURCE);
  ASSERT_TRUE(server.ready()) << server.output();
  Broker broker;
  setenv("OPCUA_ENDPOINT", server.endpoint().c_str(), 1);
  setenv("BROKER_PORT", std::to_string(broker.port()).c_str(), 1);
  MqttPeer peer(broker.port(), "lines/#");
  RunningNode node(example("09-opcua-to-mqtt.yaml"));
  ASSERT_TRUE(node.wait_connected());
  const auto speed = peer.wait_for("lines/line-1/speed", 1450.5);
  EXPECT_EQ(speed["unit"], "rpm");
  EXPECT_EQ(speed["quality"], "good");
  peer.wait_for("lines/line-1/axis_2", 2.5);
  peer.publish("lines/line-1/wanted_speed", "1200");
  peer.wait_for("lines/line-1/wanted_speed/set.done", true);
  peer.wait_for("lines/line-1/speed", 1200);
  peer.publish("lines/line-1/wanted_speed", "3001");
  peer.wait_for("lines/line-1/wanted_speed/set.done", false);
  node.expect_every_point_accounted();
}

// Needs no broker: Modbus TCP reaches the units of a serial line beside the node that reads them.
TEST(SerialLine, IsReadWrittenAndLetOutThroughTheGateway) {
  constexpr modbus::RegisterBank::Sizes kSizes{.coils = 1, .discrete = 0, .holding = 0, .input = 2};
  modbus::RegisterBank first(kSizes), second(kSizes), fourth(kSizes);  // the third pump is switched off
  const wire::RegisterFormat pressure{.type = wire::RegisterType::float32, .order = wire::ByteOrder::cdab};
  for (modbus::RegisterBank* const bank : {&first, &second, &fourth}) {
    bank->set_bit(modbus::Table::coil, 0, true);
    bank->set_value(modbus::Table::input, 0, pressure, 6);
  }
  contract::RtuDevice line({{1, &first}, {2, &second}, {4, &fourth}});
  line.start();
  const int port = free_loopback_port();
  setenv("RTU_DEVICE", line.device().c_str(), 1);
  setenv("GATEWAY_PORT", std::to_string(port).c_str(), 1);
  RunningNode node(example("12-modbus-rtu.yaml"));
  ASSERT_TRUE(node.wait_connected());
  second.set_value(modbus::Table::input, 0, pressure, 8.5);
  EXPECT_TRUE(eventually([&] { return !second.bit(modbus::Table::coil, 0); }));
  EXPECT_TRUE(first.bit(modbus::Table::coil, 0) && fourth.bit(modbus::Table::coil, 0));
  SystemClock clock;
  modbus::Settings gateway;
  gateway.endpoint = {"127.0.0.1", static_cast<std::uint16_t>(port)};
  const auto probed = modbus::probe(gateway, *modbus::parse_address("4@input/0", {}), clock);
  ASSERT_TRUE(probed.has_value()) << probed.error().message;
  EXPECT_NE(modbus::format_probe(*probed).find(" 6 "), std::string::npos) << modbus::format_probe(*probed);
  node.expect_every_point_accounted();
}

TEST_F(Translator, CoapToMqttAndBackWithAnAnswer) {
  const std::string modules = ALARA_SOURCE "/build/deps/peers/node_modules";
  if (find_program("node").empty() || !std::filesystem::exists(modules + "/coap"))
    GTEST_SKIP() << "the npm package coap is not installed (tools/setup fetches it)";
  setenv("NODE_PATH", modules.c_str(), 1);
  const int port = free_loopback_port();
  auto device = ChildProcess::start(
      {find_program("node"), ALARA_SOURCE "/tests/contract/coap_peer.js", "serve", std::to_string(port)});
  ASSERT_TRUE(device.has_value()) << device.error().message;
  Broker broker;
  setenv("COAP_PORT", std::to_string(port).c_str(), 1);
  setenv("BROKER_PORT", std::to_string(broker.port()).c_str(), 1);
  MqttPeer peer(broker.port(), "rooms/#");
  RunningNode node(example("11-coap-to-mqtt.yaml"));
  ASSERT_TRUE(node.wait_connected());
  const auto temperature = peer.wait_for("rooms/room-1/temperature", 10);
  EXPECT_EQ(temperature["unit"], "degC");
  EXPECT_EQ(temperature["quality"], "good");
  const auto time = parse_instant(temperature["time"].get<std::string>());
  ASSERT_TRUE(time.has_value());
  EXPECT_LT(SystemClock().wall() - *time, kMinute);  // the device's own
  peer.publish("rooms/room-1/valve/set", "40");
  peer.wait_for("rooms/room-1/valve/set.done", true);
  peer.publish("rooms/room-1/valve/set", "101");  // above the limit
  peer.wait_for("rooms/room-1/valve/set.done", false);
  (*device)->stop(kSecond);  // its value turns bad, and that is published too
  EXPECT_TRUE(eventually([&] {
    const auto all = peer.heard("rooms/room-1/temperature");
    return !all.empty() && all.back()["quality"] == "bad";
  }));
  node.expect_every_point_accounted();
}

}  // namespace
}  // namespace alara::system_test
