// SPDX-License-Identifier: Apache-2.0
// Recordings: a real machine's failure is found, and what a pipeline turned away can be played again.
#include <algorithm>
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

// A recording with a sample that the pipeline does not take; the file it goes to is a recording in its turn.
TEST(Recording, DeadLettersAreKeptAndCanBePlayedAgain) {
  const Folder folder;
  const std::string first = folder.write("trace.csv", "time,current\n100,10\n101,20\n102,\n103,50\n");
  const auto run = [&](const std::string& name, const std::string& recording, const std::string& column) {
    return alara({"run", "--quiet", "--no-realtime",
                  folder.write(name + ".yaml", fmt::format(R"(node: presses
settings: {{time: replay, http: "", events: "{}", dead_letters: "{}"}}
connectors:
  trace: {{file: {{path: "{}", time: time}}}}
asset_types:
  press: {{signals: {{current: {{unit: A}}}}}}
assets:
  press-1: {{type: press, from: {{current: "trace/{}"}}}}
pipelines:
  limit:
    for: press
    admit: {{quality: good, otherwise: dead_letter}}
    rule: {{when: "coalesce(current, 99[A]) > 45[A]", raise: {{severity: high}}}}
)",
                                                           folder.file(name + ".events"),
                                                           folder.file(name + ".dead.jsonl"), recording, column))});
  };
  const Finished once = run("once", first, "current");
  ASSERT_EQ(once.code, 0) << once.output;
  EXPECT_NE(once.output.find("4 accepted"), std::string::npos) << once.output;
  EXPECT_NE(once.output.find(" 0 unaccounted"), std::string::npos) << once.output;
  const std::string events = folder.read("once.events");
  EXPECT_EQ(std::count(events.begin(), events.end(), '\n'), 1) << "the missing sample has raised one: " << events;
  const std::string letters = folder.read("once.dead.jsonl");
  EXPECT_EQ(letters.find(R"({"time":"1970-01-01T00:01:42.000Z","press-1":{"current":null},"quality":"bad",)"
                         R"("reason":"bad_quality","pipeline":"limit")"),
            0u)
      << letters;
  EXPECT_EQ(std::count(letters.begin(), letters.end(), '\n'), 1) << letters;

  const Finished again = run("again", folder.file("once.dead.jsonl"), "press-1.current");
  ASSERT_EQ(again.code, 0) << again.output;
  EXPECT_NE(again.output.find("1 accepted"), std::string::npos) << again.output;
  EXPECT_EQ(folder.read("again.dead.jsonl").substr(0, 80), letters.substr(0, 80));
}

}  // namespace
}  // namespace alara::system_test
