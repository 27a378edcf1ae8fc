// SPDX-License-Identifier: Apache-2.0
// The SCADA example: a Modbus device behind the OPC UA server of a real node, values, alarms and set-points.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/contract/opcua_test_client.hpp"
#include "tests/system/running_node.hpp"

namespace alara::system_test {
namespace {

TEST(Scada, SeesADriveAndItsAlarmsAndSetsItsSpeed) {
  Device device;
  device.set_float(2, 1450.5);
  device.set(11, 7);
  const int port = free_loopback_port();
  setenv("PLC_PORT", std::to_string(device.port()).c_str(), 1);
  setenv("SCADA_PORT", std::to_string(port).c_str(), 1);
  std::stringstream site;
  site << std::ifstream(ALARA_SOURCE "/examples/10-modbus-to-scada.yaml").rdbuf();
  RunningNode node(site.str());
  ASSERT_TRUE(node.wait_connected()) << node.output();
  contract::OpcuaTestClient scada(port);
  ASSERT_EQ(contract::status_name(scada.connect()), "Good");
  ASSERT_TRUE(scada.subscribe_to_events());
  EXPECT_TRUE(eventually([&] { return scada.read("Line1/drive-1/speed").value == 1450.5; }));
  EXPECT_EQ(contract::status_name(scada.read("Line1/drive-1/speed").status), "Good");
  EXPECT_LT(SystemClock().wall() - scada.read("Line1/drive-1/speed").time, kMinute);

  EXPECT_EQ(contract::status_name(scada.write("Line1/drive-1/wanted_speed", 1200)), "Good");
  EXPECT_TRUE(eventually([&] { return device.holding(1) == 1200; }));
  EXPECT_TRUE(eventually([&] { return scada.read("Line1/drive-1/set.done").value == 1; }));
  EXPECT_EQ(contract::status_name(scada.write("Line1/drive-1/wanted_speed", 1501)), "BadOutOfRange");
  EXPECT_EQ(contract::status_name(scada.write("Line1/drive-1/speed", 1)), "BadNotWritable");
  EXPECT_EQ(device.holding(1), 1200);

  device.set(11, 42);
  ASSERT_TRUE(eventually([&] { return scada.events().size() == 1; }));
  EXPECT_EQ(scada.events()[0].message, "drive-1: 42 A");
  EXPECT_EQ(scada.read("Alarms/Count").value, 1);
  device.set(11, 7);
  ASSERT_TRUE(eventually([&] { return scada.events().size() == 2; }));
  EXPECT_FALSE(scada.events()[1].active);
  EXPECT_EQ(scada.read("Alarms/Count").value, 0);

  device.stop();  // what is not known any more is shown as such
  EXPECT_TRUE(eventually([&] { return contract::status_name(scada.read("Line1/drive-1/speed").status) == "Bad"; }));
  node.expect_every_point_accounted();
}

}  // namespace
}  // namespace alara::system_test
