// SPDX-License-Identifier: Apache-2.0
#include "node/import.hpp"

#include <gtest/gtest.h>

#include "node/compile.hpp"

namespace alara::node {
namespace {

constexpr std::string_view kTelegraf = R"(
[agent]
  interval = "10s"
[[inputs.modbus]]
  name = "Main Meter"
  slave_id = 3
  timeout = "2s"
  controller = "tcp://10.0.0.7:502"
  discrete_inputs = [ { name = "door", address = [4] } ]
  coils = [ { name = "motor run", address = [0] } ]
  holding_registers = [
    { name = "power_factor", byte_order = "AB", data_type = "FIXED", scale = 0.01, address = [8] },
    { name = "energy", byte_order = "CDAB", data_type = "FLOAT32-IEEE", address = [5, 6] },
    { name = "count", byte_order = "ABCDEFGH", data_type = "UINT64", address = [20, 21, 22, 23] },
    { name = "alarm", data_type = "BIT", bit = 3, address = [30] },
    { name = "holes", byte_order = "ABCD", data_type = "UINT32", address = [40, 42] },
    { name = "label", byte_order = "AB", data_type = "STRING", address = [50, 51] },
  ]
  [[inputs.modbus.request]]
    slave_id = 4
    register = "input"
    byte_order = "DCBA"
    fields = [ { address = 1, type = "INT32", name = "flow", scale = 0.1 }, { address = 3, name = "gap", omit = true } ]
[[inputs.modbus]]
  name = "serial"
  controller = "file:///dev/ttyUSB0"
)";

std::string faults_of(const std::string& site) {
  const auto checked = check_site_text(site, "imported.yaml");
  std::string text;
  for (const Error& error : checked->diagnosis.errors) text += error.text() + "\n";
  return text;
}

TEST(Import, TelegrafBecomesASiteFileThatIsAccepted) {
  const auto imported = import_telegraf(kTelegraf, "telegraf.conf");
  ASSERT_TRUE(imported.has_value()) << imported.error().text();
  const std::string site = site_of(*imported, "telegraf.conf");
  EXPECT_EQ(faults_of(site), "") << site;
  for (const char* part : {"Main_Meter: {modbus: {endpoint: \"tcp://10.0.0.7:502\", unit: 3, timeout: 2s}}",
                           "door: \"Main_Meter/discrete/4\"", "motor_run: \"Main_Meter/coil/0\"",
                           "power_factor: \"Main_Meter/holding/8:int16*0.01\"",
                           "energy: \"Main_Meter/holding/5:float32CDAB\"", "count: \"Main_Meter/holding/20:uint64\"",
                           "alarm: \"Main_Meter/holding/30.3\"", "flow: \"Main_Meter/4@input/1:int32DCBA*0.1\"",
                           "# left out: telegraf.conf:16: the registers of 'holes' do not follow each other",
                           "# left out: telegraf.conf:17: 'label': type STRING",
                           "# left out: telegraf.conf:24: controller 'file:///dev/ttyUSB0'"})
    EXPECT_NE(site.find(part), std::string::npos) << part << "\n" << site;
  EXPECT_EQ(site.find("gap"), std::string::npos) << "it was to be omitted";
}

TEST(Import, FaultsOfTelegrafFilesHaveTheirPlace) {
  const auto broken = import_telegraf("[[inputs.modbus]]\nname = \n", "t.conf");
  ASSERT_FALSE(broken.has_value());
  EXPECT_EQ(broken.error().where.line, 2);
  EXPECT_NE(import_telegraf("[agent]\n", "t.conf").error().text().find("no [[inputs.modbus]]"), std::string::npos);
}

TEST(Import, CsvTagListsBecomeASiteFileThatIsAccepted) {
  const auto imported = import_csv(
      "\xEF\xBB\xBFTag Name,Address,Data Type,Units,Scan Rate,Client Access\r\n"
      "\"Press 1, speed\",400101,Float,rpm,100,R/W\r\n"
      "lamp,000007,Boolean,,,R/W\r\n"
      "level,300012,Word,furlong,,RO\r\n"
      "own,holding/7:int16*0.1,,degC,,\r\n"
      "empty,,Word,,,\r\n"
      "odd,400001,Polygon,,,\r\n",
      "tags.csv", {});
  ASSERT_TRUE(imported.has_value()) << imported.error().text();
  const std::string site = site_of(*imported, "tags.csv");
  EXPECT_EQ(faults_of(site), "") << site;
  for (const char* part :
       {"Press_1__speed: {unit: \"rpm\", type: float32, poll: 100ms}", "Press_1__speed: \"plc/holding/100:float32\"",
        "lamp: \"plc/coil/6\"", "level: \"plc/input/11:uint16\"", "own: \"plc/holding/7:int16*0.1\"",
        "# left out: tags.csv:4: unit 'furlong'", "# left out: tags.csv:6: 'empty' has no address",
        "# left out: tags.csv:7: type 'Polygon'"})
    EXPECT_NE(site.find(part), std::string::npos) << part << "\n" << site;
}

TEST(Import, CsvDevicesAreConnectorsAndNamesStayApart) {
  const auto imported =
      import_csv("name;address;device\na;holding/1;one\na;holding/2;one\na;holding/1;two\n", "t.csv", {});
  ASSERT_TRUE(imported.has_value()) << imported.error().text();
  ASSERT_EQ(imported->devices.size(), 2u);
  const std::string site = site_of(*imported, "t.csv");
  EXPECT_EQ(faults_of(site), "") << site;
  EXPECT_NE(site.find("a_2: \"one/holding/2\""), std::string::npos) << site;
}

TEST(Import, FilesWithoutWhatIsNeededAreRefused) {
  EXPECT_NE(import_csv("a,b\n1,2\n", "t.csv", {}).error().text().find("'name'"), std::string::npos);
  EXPECT_NE(import_csv("name,address\n", "t.csv", {}).error().text().find("no tag"), std::string::npos);
  EXPECT_NE(import_csv("", "t.csv", {}).error().text().find("columns"), std::string::npos);
}

}  // namespace
}  // namespace alara::node
