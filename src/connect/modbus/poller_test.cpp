// SPDX-License-Identifier: Apache-2.0
#include "connect/modbus/poller.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "connect/modbus/register_bank.hpp"

namespace alara::modbus {
namespace {

using wire::ModbusException;

struct Point {
  double value;
  Quality quality;
  Nanos arrival;
};

class PointList final : public Inlet {
 public:
  void push(const Batch& batch) override {
    ++batches;
    for (std::size_t i = 0; i < batch.size(); ++i)
      points[index_of(batch.signal_at(i))].push_back({batch.value[i], batch.quality_at(i), batch.arrival});
  }
  void reject(std::string_view reason, std::uint64_t amount) override { rejected[std::string(reason)] += amount; }
  void finished() override {}

  std::map<std::uint32_t, std::vector<Point>> points;
  std::map<std::string, std::uint64_t> rejected;
  int batches = 0;
};

// A poller on virtual time, whose requests a register bank answers at once.
class PollerTest : public testing::Test {
 protected:
  void add(std::string_view text) {
    Address address = *parse_address(text, {});
    if (address.poll == 0) address.poll = settings_.poll;
    tags_.push_back({SignalId{static_cast<std::uint32_t>(tags_.size())}, address});
  }

  void make(std::uint64_t phase = 0) {
    poller_ = std::make_unique<Poller>(tags_, settings_, phase, telemetry_);
    poller_->begin(inlet_, clock_);
    poller_->connected(clock_.monotonic());
  }

  void answer(Poll& poll) {
    const wire::ModbusRequest request = poll.request();
    asked_.emplace_back(request.first, request.count);
    std::vector<std::uint8_t> payload(wire::payload_bytes(request.function, request.count));
    wire::ModbusAnswer answer;
    answer.exception = bank_.serve(request, payload);
    answer.kind = answer.exception == ModbusException::none ? wire::ModbusAnswer::Kind::good
                                                            : wire::ModbusAnswer::Kind::exception;
    answer.payload = payload;
    poller_->sent(poll, clock_.monotonic());
    poller_->answered(poll, answer, clock_.monotonic());
  }

  // One slot later, everything that is asked is answered.
  void turn(Nanos by) {
    clock_.advance(by);
    poller_->advance(clock_.monotonic());
    for (;;) {
      if (poller_->wants_plan()) poller_->replan(clock_.monotonic());
      Poll* poll = poller_->next(clock_.monotonic());
      if (poll == nullptr) return;
      answer(*poll);
    }
  }

  std::uint64_t missed() const { return telemetry_.stats.polls_missed.load(); }
  std::uint64_t done() const { return telemetry_.stats.polls_done.load(); }

  FakeClock clock_;
  Settings settings_{.poll = 10 * kMillisecond, .retry = kSecond};
  std::vector<Tag> tags_;
  Telemetry telemetry_;
  PointList inlet_;
  RegisterBank bank_{{.coils = 100, .discrete = 100, .holding = 1000, .input = 1000}};
  std::vector<std::pair<int, int>> asked_;
  std::unique_ptr<Poller> poller_;
};

TEST_F(PollerTest, ReadsAllSignalsOfASlotInOneBatch) {
  bank_.set_value(Table::holding, 0, {.type = wire::RegisterType::float32}, 1.5);
  bank_.set_register(Table::holding, 2, 250);
  add("holding/0:float32");
  add("holding/2*0.1");
  make();
  turn(kMillisecond);
  EXPECT_EQ(inlet_.batches, 1);
  EXPECT_EQ(inlet_.points[0].at(0).value, 1.5);
  EXPECT_DOUBLE_EQ(inlet_.points[1].at(0).value, 25);
  EXPECT_EQ(inlet_.points[0].at(0).quality, Quality::good);
  EXPECT_EQ(inlet_.points[0].at(0).arrival, clock_.monotonic());
}

TEST_F(PollerTest, KeepsItsSlotsWithoutDrift) {
  add("holding/0");
  make();
  const Nanos start = poller_->next_due();
  for (int k = 0; k < 1000; ++k) {
    EXPECT_EQ(poller_->next_due(), start + k * settings_.poll);
    const Nanos late = (k % 7) * 300 * kMicrosecond;  // the loop wakes late, now more, now less
    turn(poller_->next_due() + late - clock_.monotonic());
  }
  EXPECT_EQ(done(), 1000u);
  EXPECT_EQ(missed(), 0u);
}

TEST_F(PollerTest, SkipsAndCountsSlotsThatPassed) {
  add("holding/0");
  make();
  turn(kMillisecond);
  turn(35 * kMillisecond);  // slots at 10, 20 and 30 ms lie behind: the last is served
  EXPECT_EQ(done(), 2u);
  EXPECT_EQ(missed(), 2u);
  turn(5 * kMillisecond);
  EXPECT_EQ(done(), 3u) << "the slot at 40 ms is where it was";
}

TEST_F(PollerTest, NeverAsksAgainWhileTheAnswerIsAwaited) {
  add("holding/0");
  make();
  clock_.advance(kMillisecond);
  poller_->advance(clock_.monotonic());
  Poll* poll = poller_->next(clock_.monotonic());
  ASSERT_NE(poll, nullptr);
  poller_->sent(*poll, clock_.monotonic());
  for (int i = 0; i < 3; ++i) {
    clock_.advance(10 * kMillisecond);
    poller_->advance(clock_.monotonic());
    EXPECT_EQ(poller_->next(clock_.monotonic()), nullptr);
  }
  EXPECT_EQ(missed(), 3u);
  answer(*poll);
  turn(10 * kMillisecond);
  EXPECT_EQ(done(), 2u);
}

TEST_F(PollerTest, RunsEachRateOnItsOwnSchedule) {
  add("holding/0");
  add("holding/1?poll=100ms");
  make();
  for (int i = 0; i < 200; ++i) turn(5 * kMillisecond);
  EXPECT_EQ(inlet_.points[0].size(), 100u);
  EXPECT_EQ(inlet_.points[1].size(), 10u);
}

TEST_F(PollerTest, SpreadsDevicesOverThePeriod) {
  add("holding/0");
  make(3);
  EXPECT_EQ(poller_->next_due() - clock_.monotonic(), 4 * kMillisecond);
  make(13);
  EXPECT_EQ(poller_->next_due() - clock_.monotonic(), 4 * kMillisecond);
}

TEST_F(PollerTest, MarksSignalsBadOnceWhenTheDeviceIsGone) {
  add("holding/0");
  add("coil/0");
  make();
  turn(kMillisecond);
  poller_->disconnected(clock_.monotonic());
  poller_->disconnected(clock_.monotonic());
  for (std::uint32_t signal : {0u, 1u}) {
    ASSERT_EQ(inlet_.points[signal].size(), 2u);
    EXPECT_EQ(inlet_.points[signal][1].quality, Quality::bad);
    EXPECT_TRUE(std::isnan(inlet_.points[signal][1].value));
  }
  clock_.advance(25 * kMillisecond);
  EXPECT_EQ(missed(), 0u);
  poller_->connected(clock_.monotonic());
  EXPECT_EQ(missed(), 4u) << "two slots of two requests passed meanwhile";
  turn(10 * kMillisecond);
  EXPECT_EQ(inlet_.points[0].back().quality, Quality::good);
}

TEST_F(PollerTest, IsolatesTheTagsThatADeviceRefuses) {
  for (int i = 0; i < 60; ++i) add(fmt::format("holding/{}:float32", 2 * i));
  bank_.refuse(Table::holding, 34, 2, ModbusException::illegal_address);  // tag 17
  bank_.refuse(Table::holding, 90, 1, ModbusException::illegal_address);  // tag 45
  make();
  turn(kMillisecond);
  EXPECT_EQ(telemetry_.quarantined.load(), 2u);
  asked_.clear();
  turn(10 * kMillisecond);
  EXPECT_EQ(asked_, (std::vector<std::pair<int, int>>{{0, 34}, {36, 54}, {92, 28}}))
      << "merged again around the refused registers";
  for (std::uint32_t tag = 0; tag < 60; ++tag) {
    const bool bad = tag == 17 || tag == 45;
    ASSERT_FALSE(inlet_.points[tag].empty());
    EXPECT_EQ(inlet_.points[tag].back().quality, bad ? Quality::bad : Quality::good) << tag;
    if (bad) {
      EXPECT_EQ(inlet_.points[tag].size(), 1u) << "said once";
    }
  }
}

TEST_F(PollerTest, TriesRefusedTagsAgainAndMergesThemOnceTheyAnswer) {
  for (int i = 0; i < 10; ++i) add(fmt::format("holding/{}", i));
  bank_.refuse(Table::holding, 4, 1, ModbusException::illegal_address);
  make();
  turn(kMillisecond);
  for (int i = 0; i < 110; ++i) turn(10 * kMillisecond);
  EXPECT_EQ(inlet_.points[4].size(), 2u) << "bad once more, after one second";
  bank_.refuse(Table::holding, 4, 1, ModbusException::none);
  for (int i = 0; i < 100; ++i) turn(10 * kMillisecond);
  EXPECT_EQ(telemetry_.quarantined.load(), 0u);
  asked_.clear();
  turn(10 * kMillisecond);
  EXPECT_EQ(asked_, (std::vector<std::pair<int, int>>{{0, 10}}));
  EXPECT_EQ(inlet_.points[4].back().quality, Quality::good);
}

TEST_F(PollerTest, LearnsADevicesOwnLimitAndItsHoles) {
  add("holding/0");
  add("holding/10");  // 1 to 9 are read for nothing, but the device has a hole there
  bank_.refuse(Table::holding, 5, 1, ModbusException::illegal_address);
  make();
  turn(kMillisecond);
  asked_.clear();
  turn(10 * kMillisecond);
  EXPECT_EQ(asked_, (std::vector<std::pair<int, int>>{{0, 1}, {10, 1}}));
  EXPECT_EQ(telemetry_.quarantined.load(), 0u);
}

TEST_F(PollerTest, DoesNotTakeAPassingRefusalForABadAddress) {
  add("holding/0");
  add("holding/1");
  bank_.refuse(Table::holding, 0, 2, ModbusException::busy);
  make();
  turn(kMillisecond);
  turn(10 * kMillisecond);
  EXPECT_EQ(telemetry_.quarantined.load(), 0u);
  EXPECT_EQ(inlet_.points[0].size(), 1u);
  EXPECT_EQ(inlet_.points[0][0].quality, Quality::bad);
  bank_.refuse(Table::holding, 0, 2, ModbusException::none);
  turn(10 * kMillisecond);
  EXPECT_EQ(inlet_.points[0].back().quality, Quality::good);
}

TEST_F(PollerTest, AFailureThatDoesNotRepeatSplitsNothing) {
  for (int i = 0; i < 8; ++i) add(fmt::format("holding/{}", i));
  make();
  clock_.advance(kMillisecond);
  poller_->advance(clock_.monotonic());
  Poll* poll = poller_->next(clock_.monotonic());
  poller_->sent(*poll, clock_.monotonic());
  wire::ModbusAnswer failure;
  failure.kind = wire::ModbusAnswer::Kind::exception;
  failure.exception = ModbusException::device_failure;
  poller_->answered(*poll, failure, clock_.monotonic());
  turn(10 * kMillisecond);
  asked_.clear();
  turn(10 * kMillisecond);
  EXPECT_EQ(asked_, (std::vector<std::pair<int, int>>{{0, 8}}));
}

TEST_F(PollerTest, SurvivesADisconnectInTheMiddleOfAnIsolation) {
  for (int i = 0; i < 8; ++i) add(fmt::format("holding/{}", i));
  bank_.refuse(Table::holding, 3, 1, ModbusException::illegal_address);
  make();
  clock_.advance(kMillisecond);
  poller_->advance(clock_.monotonic());
  answer(*poller_->next(clock_.monotonic()));  // refused; the isolation begins
  answer(*poller_->next(clock_.monotonic()));  // refused again as a whole
  poller_->disconnected(clock_.monotonic());
  poller_->connected(clock_.monotonic());
  turn(10 * kMillisecond);
  EXPECT_EQ(telemetry_.quarantined.load(), 1u);
}

TEST_F(PollerTest, LetsASilentUnitOfAGatewayRest) {
  add("1@holding/0");
  add("2@holding/0");
  make();
  for (int i = 0; i < 220; ++i) {  // unit 2 never answers
    clock_.advance(10 * kMillisecond);
    poller_->advance(clock_.monotonic());
    while (Poll* poll = poller_->next(clock_.monotonic())) {
      if (poll->plan.unit == 1) {
        answer(*poll);
        continue;
      }
      asked_.emplace_back(2, 2);
      poller_->sent(*poll, clock_.monotonic());
      poller_->timed_out(*poll, clock_.monotonic());
    }
  }
  EXPECT_EQ(inlet_.points[0].size(), 220u);
  EXPECT_EQ(std::ranges::count(asked_, std::pair{2, 2}), 4) << "twice, then once a second";
  EXPECT_EQ(inlet_.points[1].size(), 1u) << "bad, said once";
}

TEST_F(PollerTest, GivesFloatsThatAreNoNumberBadQuality) {
  bank_.set_register(Table::holding, 0, 0x7FC0);
  bank_.set_register(Table::holding, 2, 7);
  add("holding/0:float32");
  add("holding/2");
  make();
  turn(kMillisecond);
  EXPECT_EQ(inlet_.points[0].at(0).quality, Quality::bad);
  EXPECT_EQ(inlet_.points[1].at(0).quality, Quality::good);
}

TEST_F(PollerTest, CountsAnswersThatAreNone) {
  add("holding/0");
  add("holding/1");
  make();
  clock_.advance(kMillisecond);
  poller_->advance(clock_.monotonic());
  Poll* poll = poller_->next(clock_.monotonic());
  wire::ModbusAnswer nonsense;
  nonsense.fault = "an answer of the wrong length";
  poller_->answered(*poll, nonsense, clock_.monotonic());
  EXPECT_EQ(inlet_.rejected["malformed"], 2u);
  EXPECT_EQ(telemetry_.malformed.load(), 1u);
  EXPECT_EQ(inlet_.points[1].at(0).quality, Quality::bad);
}

}  // namespace
}  // namespace alara::modbus
