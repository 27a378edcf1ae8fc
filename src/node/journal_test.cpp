// SPDX-License-Identifier: Apache-2.0
#include "node/journal.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace alara::node {
namespace {

// Takes messages, or refuses them.
class Sink final : public MessageSink {
 public:
  bool publish(std::string_view address, std::string_view payload) override {
    if (refuses) return false;
    messages.emplace_back(address, payload);
    return true;
  }
  bool refuses = false;
  std::vector<std::pair<std::string, std::string>> messages;
};

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() : engine({flow::ShardOptions{}}, clock) {
    folder = (std::filesystem::temp_directory_path() / "alara-journal-XXXXXX").string();
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
  }
  ~JournalTest() override { std::filesystem::remove_all(folder); }

  std::unique_ptr<Journal> open(const std::string& events, const std::string& audit,
                                const std::string& dead_letters = {}) {
    auto journal = Journal::open(
        {.events = events, .audit = audit, .dead_letters = dead_letters, .dead_letters_most = 1000},
        {[](PipelineId) { return std::string("overload"); }, [](AssetId) { return std::string("cnc-07"); },
         [](ActuatorId) { return std::string("plc/coil/7"); }, [](SignalId) { return std::string("cnc-07.load"); }},
        store);
    EXPECT_TRUE(journal.has_value()) << journal.error().text();
    return journal ? std::move(*journal) : nullptr;
  }
  void publish(std::uint64_t key, bool raised) {
    Event event;
    event.key = key;
    event.raised = raised;
    event.text = "41 A";
    engine.shard(0).decisions().publish(std::move(event));
  }
  static std::vector<std::string> lines(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::string> out;
    for (std::string line; std::getline(file, line);) out.push_back(line);
    return out;
  }

  std::string folder;
  FakeClock clock;
  flow::Engine engine;
  EventStore store;
};

TEST_F(JournalTest, EventsGoToTheStoreTheFileAndTheUplink) {
  Sink sink;
  const auto journal = open(folder + "/events.jsonl", "");
  journal->set_uplink(&sink, "up/insights");
  publish(1, true);
  publish(1, false);
  EXPECT_TRUE(journal->drain(engine));
  EXPECT_FALSE(journal->drain(engine));
  EXPECT_EQ(store.newest(10).size(), 2u);
  const auto written = lines(folder + "/events.jsonl");
  ASSERT_EQ(written.size(), 2u);
  EXPECT_EQ(nlohmann::json::parse(written[0])["pipeline"], "overload");
  EXPECT_EQ(nlohmann::json::parse(written[1])["event"], "cleared");
  ASSERT_EQ(sink.messages.size(), 2u);
  EXPECT_EQ(sink.messages[0].first, "up/insights");
  EXPECT_EQ(sink.messages[0].second, written[0]);
  EXPECT_EQ(journal->bytes_up(), sink.messages[0].second.size() + sink.messages[1].second.size());
}

TEST_F(JournalTest, AnUplinkThatRefusesIsCountedAndTheFileHasTheEvent) {
  Sink sink;
  sink.refuses = true;
  const auto journal = open(folder + "/events.jsonl", "");
  journal->set_uplink(&sink, "up");
  publish(1, true);
  journal->drain(engine);
  EXPECT_EQ(journal->failed_up(), 1u);
  EXPECT_EQ(journal->messages_up(), 0u);
  EXPECT_EQ(lines(folder + "/events.jsonl").size(), 1u);
}

TEST_F(JournalTest, CommandsGoToTheAuditLog) {
  const auto journal = open("", folder + "/audit.log");
  Command command;
  command.value = 1;
  engine.shard(0).decisions().audit("refused", command, "interlock");
  journal->drain(engine);
  journal->flush();
  const auto written = lines(folder + "/audit.log");
  ASSERT_EQ(written.size(), 1u);
  for (const char* part : {"refused", "interlock", "overload", "plc/coil/7"})
    EXPECT_NE(written[0].find(part), std::string::npos) << written[0];
}

TEST_F(JournalTest, DeadLettersGoToTheirFileUnderTheNameOfTheirSignal) {
  const auto journal = open("", "", folder + "/dead.jsonl");
  EXPECT_TRUE(engine.shard(0).decisions().put_aside(SignalId{3}, 41.5, 0, Quality::bad, flow::TurnedAway::bad_quality));
  EXPECT_TRUE(
      engine.shard(0).decisions().put_aside(SignalId{3}, std::nan(""), 0, Quality::good, flow::TurnedAway::too_old));
  EXPECT_TRUE(journal->drain(engine));
  const auto written = lines(folder + "/dead.jsonl");
  ASSERT_EQ(written.size(), 2u);
  const auto first = nlohmann::json::parse(written[0]), second = nlohmann::json::parse(written[1]);
  EXPECT_EQ(first["cnc-07"]["load"], 41.5);
  EXPECT_EQ(first["quality"], "bad");
  EXPECT_EQ(first["reason"], "bad_quality");
  EXPECT_EQ(first["pipeline"], "overload");
  EXPECT_EQ(first["time"], "1970-01-01T00:00:00.000Z");
  EXPECT_TRUE(second["cnc-07"]["load"].is_null());
  EXPECT_EQ(second["reason"], "too_old");
}

TEST_F(JournalTest, TheDeadLetterFileStaysWithinItsSize) {
  const auto journal = open("", "", folder + "/dead.jsonl");
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(engine.shard(0).decisions().put_aside(SignalId{3}, i, 0, Quality::bad, flow::TurnedAway::bad_quality));
    journal->drain(engine);
  }
  EXPECT_LE(std::filesystem::file_size(folder + "/dead.jsonl"), 500u);
  EXPECT_LE(std::filesystem::file_size(folder + "/dead.jsonl.1"), 500u);
  EXPECT_EQ(nlohmann::json::parse(lines(folder + "/dead.jsonl").back())["cnc-07"]["load"], 99);
  EXPECT_EQ(journal->lost_lines(), 0u);
}

TEST_F(JournalTest, EventSinksAreToldOfEveryEvent) {
  struct Display final : EventSink {
    void announce(const EventNotice& event) override {
      seen.push_back(
          fmt::format("{} {} {} {}", event.raised ? "raised" : "cleared", event.pipeline, event.asset, event.text));
    }
    std::vector<std::string> seen;
  } display;
  const auto journal = open("", "");
  journal->set_event_sinks({&display});
  publish(1, true);
  publish(1, false);
  journal->drain(engine);
  EXPECT_EQ(display.seen, (std::vector<std::string>{"raised overload cnc-07 41 A", "cleared overload cnc-07 41 A"}));
}

TEST_F(JournalTest, AppendsToWhatIsThere) {
  std::ofstream(folder + "/events.jsonl") << "{\"earlier\":1}\n";
  const auto journal = open(folder + "/events.jsonl", "");
  publish(1, true);
  journal->drain(engine);
  EXPECT_EQ(lines(folder + "/events.jsonl").size(), 2u);
}

TEST_F(JournalTest, AFullDiskIsCountedAndStopsNothing) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const auto journal = open("/dev/full", "");
  publish(1, true);
  EXPECT_TRUE(journal->drain(engine));
  EXPECT_EQ(journal->lost_lines(), 1u);
  EXPECT_EQ(store.newest(10).size(), 1u);
}

TEST_F(JournalTest, AFileThatCanNotBeOpenedIsNamed) {
  const auto journal = Journal::open({"/nowhere/events.jsonl", "", "", 0}, {}, store);
  ASSERT_FALSE(journal.has_value());
  EXPECT_EQ(journal.error().text(), "settings.events: can not open '/nowhere/events.jsonl': No such file or directory");
}

}  // namespace
}  // namespace alara::node
