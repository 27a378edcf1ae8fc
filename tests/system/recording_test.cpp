// SPDX-License-Identifier: Apache-2.0
// The example on a real machine's recording finds a labelled failure.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/quantity.hpp"
#include "tests/system/running_node.hpp"

namespace alara::system_test {
namespace {

std::string data_folder() {
  const char* set = std::getenv("ALARA_DATA");
  return set != nullptr ? set : ALARA_SOURCE "/../shared/data";
}

TEST(Recording, TheFailingMachineIsNoticed) {
  const std::string data = data_folder() + "/nab";
  std::ifstream windows(data + "/windows.json");
  if (!windows) GTEST_SKIP() << "no recordings at " << data << ": set ALARA_DATA";
  const auto labelled = nlohmann::json::parse(windows)["realKnownCause/machine_temperature_system_failure.csv"];
  std::ifstream file(ALARA_SOURCE "/examples/machine-temperature.yaml");
  std::stringstream text;
  text << file.rdbuf();
  std::string site = text.str();
  const Folder folder;
  const std::size_t at = site.find("settings: {");
  ASSERT_NE(at, std::string::npos);
  site.replace(at, 11, "settings: {events: " + folder.file("events.jsonl") + ", ");
  ASSERT_EQ(setenv("ALARA_DATA", std::filesystem::absolute(data_folder()).c_str(), 1), 0);
  const Finished run = alara({"run", "--quiet", "--no-realtime", folder.write("site.yaml", site)}, kMinute);
  ASSERT_EQ(run.code, 0) << run.output;
  std::size_t inside = 0, outside = 0;
  std::istringstream events(folder.read("events.jsonl"));
  for (std::string line; std::getline(events, line);) {
    const auto event = nlohmann::json::parse(line);
    if (event["event"] != "raised") continue;
    const Nanos time = parse_instant(event["time"].get<std::string>()).value();
    bool hit = false;
    for (const auto& window : labelled)
      hit = hit || (time >= parse_instant(window[0].get<std::string>()).value() &&
                    time <= parse_instant(window[1].get<std::string>()).value());
    ++(hit ? inside : outside);
  }
  EXPECT_GE(inside, 1u) << folder.read("events.jsonl");
  EXPECT_LE(outside, 20u) << "an alarm that is always on notices nothing";
}

}  // namespace
}  // namespace alara::system_test
