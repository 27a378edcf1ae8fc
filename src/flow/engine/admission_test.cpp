// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/admission.hpp"

#include <gtest/gtest.h>

#include "flow/engine/engine.hpp"
#include "flow/engine/toys_for_tests.hpp"

namespace alara::flow {
namespace {

using toys::Row;
using toys::Samples;

// One pipeline of two slots behind a door, and what it lets through.
class AdmissionTest : public ::testing::Test {
 protected:
  AdmissionTest() : engine({ShardOptions{.decisions = {.dead_letters = 2}}}, clock) {}

  void admit(const AdmissionPlan& admission) {
    connection = engine.connect(ConnectorId{0}, {.name = "plc"}).value();
    EnginePlan plan;
    plan.connector_of_signal.assign(2, ConnectorId{0});
    plan.pipelines.push_back(toys::pipeline(0, 2, 1));
    plan.pipelines.back().admission = admission;
    plan.pipelines.back().steps.push_back(
        toys::step("seen", std::make_unique<toys::Recorder>(seen), {signal_input(0)}, 0));
    ASSERT_TRUE(engine.apply(std::move(plan)).has_value());
  }
  void push(std::uint32_t signal, double value, Nanos age, Quality quality) {
    Samples samples;
    samples.add(signal, value, clock.wall() - age);
    samples.quality = {quality};
    connection->inlet.push(samples.batch());
    while (engine.turn()) {
    }
  }
  [[nodiscard]] std::vector<double> values() const {
    std::vector<double> all;
    for (const Row& row : seen) all.push_back(row.values[0]);
    return all;
  }
  [[nodiscard]] PipelineAccount account() { return engine.shard(0).pipelines()[0]->account(); }

  FakeClock clock;
  Engine engine;
  Engine::Connection* connection = nullptr;
  std::vector<Row> seen;
};

using Dropped = std::vector<std::pair<std::string, std::uint64_t>>;

TEST_F(AdmissionTest, TakesAllUnlessTold) {
  admit({});
  push(0, 1, kHour, Quality::bad);
  EXPECT_EQ(values(), std::vector<double>{1});
  EXPECT_EQ(account().accepted, 1u);
  EXPECT_EQ(account().delivered, 1u);
  EXPECT_EQ(account().unaccounted(), 0u);
}

TEST_F(AdmissionTest, DropsWhatIsTooOldOrOfTooBadAQuality) {
  admit({.worst = Quality::uncertain, .max_age = 10 * kSecond});
  push(0, 1, 0, Quality::good);
  push(1, 2, 0, Quality::uncertain);
  push(0, 3, 0, Quality::bad);
  push(1, 4, 10 * kSecond, Quality::good);
  push(1, 5, 10 * kSecond + 1, Quality::good);
  EXPECT_EQ(values(), (std::vector<double>{1, 2, 4}));
  EXPECT_EQ(account().accepted, 5u);
  EXPECT_EQ(account().delivered, 3u);
  EXPECT_EQ(account().dropped, (Dropped{{"bad_quality", 1}, {"too_old", 1}}));
  EXPECT_EQ(account().unaccounted(), 0u);
}

TEST_F(AdmissionTest, LetsTheRestOfABatchThroughWithItsSlotsTimesAndQualities) {
  admit({.worst = Quality::uncertain});
  Samples samples;
  const Nanos now = clock.wall();
  samples.add(0, 1, now).add(1, 2, now + 1).add(0, 3, now + 2).add(1, 4, now + 3);
  samples.quality = {Quality::good, Quality::bad, Quality::uncertain, Quality::good};
  samples.arrival = 7;
  connection->inlet.push(samples.batch());
  engine.turn();
  EXPECT_EQ(seen, (std::vector<Row>{{0, now, Quality::good, {1}, 7},
                                    {0, now + 2, Quality::uncertain, {3}, 7},
                                    {1, now + 3, Quality::good, {4}, 7}}));
}

TEST_F(AdmissionTest, KeepsDeadLettersAndCountsThoseNobodyTakes) {
  admit({.worst = Quality::good, .keep = true});
  const Nanos then = clock.wall();
  push(1, 41, 0, Quality::bad);
  push(0, 42, 0, Quality::uncertain);
  push(0, 43, 0, Quality::bad);  // two fit
  EXPECT_EQ(values(), std::vector<double>{});
  EXPECT_EQ(account().dead_lettered, 2u);
  EXPECT_EQ(account().dropped, (Dropped{{"dead_letters_full", 1}}));
  EXPECT_EQ(account().unaccounted(), 0u);
  DeadLetter letter;
  ASSERT_TRUE(engine.shard(0).decisions().next_dead_letter(letter));
  EXPECT_EQ(letter.signal, SignalId{1});
  EXPECT_EQ(letter.value, 41);
  EXPECT_EQ(letter.time, then);
  EXPECT_EQ(letter.quality, Quality::bad);
  EXPECT_EQ(letter.reason, TurnedAway::bad_quality);
  EXPECT_EQ(letter.pipeline, PipelineId{0});
}

TEST(PipelineAccount, SaysWhatIsMissing) {
  PipelineAccount account{10, 4, 1, 2, {{"too_old", 3}}};
  EXPECT_EQ(account.unaccounted(), 0u);
  account.delivered = 3;
  EXPECT_EQ(account.unaccounted(), 1u);
  account.delivered = 6;
  EXPECT_EQ(account.unaccounted(), 2u);
}

}  // namespace
}  // namespace alara::flow
