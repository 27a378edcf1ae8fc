// SPDX-License-Identifier: Apache-2.0
// Devices that do not keep to the protocol: what the client makes of them, and that it goes on.
#include <gtest/gtest.h>

#include "connect/modbus/client.hpp"
#include "tests/contract/recorders.hpp"
#include "tests/contract/scripted_device.hpp"

namespace alara::contract {
namespace {

using Reply = ScriptedDevice::Reply;

class ModbusMisbehaviour : public testing::Test {
 protected:
  ~ModbusMisbehaviour() override {
    if (client_) client_->stop();
  }

  void start(ScriptedDevice::Script script, Nanos timeout = 50 * kMillisecond) {
    device_ = std::make_unique<ScriptedDevice>(std::move(script));
    modbus::Settings settings;
    settings.endpoint = {"127.0.0.1", device_->port()};
    settings.poll = 5 * kMillisecond;
    settings.timeout = timeout;
    settings.reconnect_min = kMillisecond;
    settings.reconnect_max = 5 * kMillisecond;
    client_ = std::make_unique<modbus::Client>("misled", settings);
    std::vector<SignalBinding> signals(2);
    signals[0].address = "holding/0";
    signals[1].address = "holding/1";
    signals[1].signal = SignalId{1};
    const std::vector<ActuatorBinding> actuators{{ActuatorId{0}, "w", "holding/9", {}}};
    std::vector<Error> errors;
    client_->bind(signals, actuators, errors);
    ASSERT_TRUE(errors.empty());
    ASSERT_TRUE(client_->start({&inlet_, &commands_, &running_.clock(), &running_.loop(), 1}));
  }

  std::uint64_t counter(std::string_view name) const {
    std::vector<Connector::Counter> counters;
    client_->counters(counters);
    for (const auto& known : counters)
      if (known.name == name) return known.value;
    ADD_FAILURE() << "no counter " << name;
    return 0;
  }
  bool has(double value) const { return inlet_.last(0).quality == Quality::good && inlet_.last(0).value == value; }
  // No value but these was ever taken for good.
  void expect_only(double a, double b = 0) const {
    for (const Point& point : inlet_.points(0))
      if (point.quality == Quality::good) {
        EXPECT_TRUE(point.value == a || point.value == b) << point.value;
      }
  }

  RecordingInlet inlet_;
  CommandQueue commands_;
  RunningLoop running_;
  std::unique_ptr<ScriptedDevice> device_;
  std::unique_ptr<modbus::Client> client_;
};

TEST_F(ModbusMisbehaviour, ClosingInTheMiddleOfAFrameLeadsToANewConnection) {
  start([](int connection, int, const Bytes& frame) {
    if (frame.empty()) return Reply{};
    Bytes answer = answer_with(frame, 7);
    if (connection > 0) return Reply{answer};
    answer.resize(answer.size() / 2);
    return Reply{.bytes = answer, .close_after = true};
  });
  ASSERT_TRUE(eventually([&] { return has(7); }));
  EXPECT_EQ(client_->stats().disconnects, 1u);
  EXPECT_EQ(client_->stats().errors, 1u);
  EXPECT_EQ(inlet_.points(0)[0].quality, Quality::bad);
}

TEST_F(ModbusMisbehaviour, ALateAnswerIsCountedAndNeverTakenForTheNextOne) {
  Bytes first;
  start([&first](int, int request, const Bytes& frame) {
    if (frame.empty()) return Reply{};
    if (request == 0) {
      first = frame;
      return Reply{};
    }
    Bytes both = answer_with(frame, 8);
    if (request == 1) {
      const Bytes late = answer_with(first, 7);
      both.insert(both.begin(), late.begin(), late.end());
    }
    return Reply{both};
  });
  ASSERT_TRUE(eventually([&] { return has(8); }));
  EXPECT_EQ(counter("timeouts"), 1u);
  EXPECT_EQ(counter("late_answers"), 1u);
  EXPECT_EQ(counter("stray_answers"), 0u);
  EXPECT_EQ(client_->stats().disconnects, 0u);
  expect_only(8);
}

TEST_F(ModbusMisbehaviour, AnswersWithAWrongTransactionOrUnitAreDiscarded) {
  start([](int, int request, const Bytes& frame) {
    if (frame.empty()) return Reply{};
    Bytes answer = answer_with(frame, 7);
    if (request > 1) return Reply{answer};
    Bytes wrong = answer_with(frame, 66);
    wrong[request == 0 ? 0 : 6] ^= 0x55;
    wrong.insert(wrong.end(), answer.begin(), answer.end());
    return Reply{wrong};
  });
  ASSERT_TRUE(eventually([&] { return client_->stats().polls_done > 3; }));
  EXPECT_EQ(counter("stray_answers"), 2u);
  EXPECT_EQ(counter("timeouts"), 0u);
  expect_only(7);
}

TEST_F(ModbusMisbehaviour, AnAnswerOfTheWrongLengthSpoilsItsSignalsAndNothingElse) {
  start([](int, int request, const Bytes& frame) {
    if (frame.empty()) return Reply{};
    Bytes answer = answer_with(frame, 7);
    if (request == 1) {  // one register less than asked, consistently
      answer.resize(answer.size() - 2);
      answer[5] -= 2;
      answer[8] -= 2;
    }
    if (request == 2) answer[8] += 1;  // a byte count that its bytes belie
    if (request == 3) answer[7] = 4;   // another function
    return Reply{answer};
  });
  ASSERT_TRUE(eventually([&] { return client_->stats().polls_done > 3; }));
  EXPECT_EQ(counter("malformed_answers"), 3u);
  EXPECT_EQ(inlet_.rejected("malformed"), 6u);
  EXPECT_EQ(client_->stats().disconnects, 0u);
  expect_only(7);
}

TEST_F(ModbusMisbehaviour, AHeaderThatIsNoneEndsTheConnection) {
  start([](int connection, int, const Bytes& frame) {
    if (frame.empty()) return Reply{};
    Bytes answer = answer_with(frame, 7);
    if (connection == 0) answer[3] = 9;     // another protocol
    if (connection == 1) answer[4] = 0x40;  // 16 KB to come
    if (connection == 2) answer[5] = 1;     // a frame without a function
    return Reply{answer};
  });
  ASSERT_TRUE(eventually([&] { return has(7); }));
  EXPECT_EQ(client_->stats().disconnects, 3u);
  expect_only(7);
}

TEST_F(ModbusMisbehaviour, AnswersInSingleBytesAreWhole) {
  start([](int, int, const Bytes& frame) {
    if (frame.empty()) return Reply{};
    return Reply{.bytes = answer_with(frame, 7), .in_pieces = true};
  });
  ASSERT_TRUE(eventually([&] { return client_->stats().polls_done > 3; }));
  EXPECT_EQ(client_->stats().errors, 0u);
  expect_only(7);
}

TEST_F(ModbusMisbehaviour, ADeviceThatNeverAnswersIsConnectedAnew) {
  start([](int connection, int,
           const Bytes& frame) { return frame.empty() || connection < 2 ? Reply{} : Reply{answer_with(frame, 7)}; },
        10 * kMillisecond);
  ASSERT_TRUE(eventually([&] { return has(7); }));
  EXPECT_GE(counter("timeouts"), 6u);
  EXPECT_EQ(client_->stats().disconnects, 2u) << "after three unanswered requests each";
}

TEST_F(ModbusMisbehaviour, AnExceptionIsolatesTheSignalConcerned) {
  start([](int, int, const Bytes& frame) {
    if (frame.empty()) return Reply{};
    const int first = frame[9], count = frame[11];
    const bool touches_one = first <= 1 && first + count > 1;
    if (!touches_one) return Reply{answer_with(frame, 7)};
    return Reply{Bytes{frame[0], frame[1], 0, 0, 0, 3, frame[6], static_cast<std::uint8_t>(frame[7] | 0x80), 2}};
  });
  ASSERT_TRUE(eventually([&] { return has(7) && counter("quarantined_signals") == 1; }));
  EXPECT_EQ(inlet_.last(1).quality, Quality::bad);
  EXPECT_NE(client_->last_error().find("illegal address"), std::string::npos) << client_->last_error();
}

TEST_F(ModbusMisbehaviour, EveryCommandIsAcknowledgedWhateverTheDeviceDoes) {
  start([](int, int, const Bytes& frame) {
    if (frame.empty()) return Reply{};
    if (frame[7] == 3) return Reply{answer_with(frame, 7)};
    switch (frame[11]) {  // the value to write
      case 1:
        return Reply{frame};  // the echo, as it should be
      case 2:
        return Reply{Bytes{frame[0], frame[1], 0, 0, 0, 3, frame[6], 0x86, 4}};
      case 3: {
        Bytes wrong = frame;
        wrong[11] = 99;
        return Reply{wrong};
      }
      case 4:
        return Reply{};
      default:
        return Reply{.close_after = true};
    }
  });
  ASSERT_TRUE(eventually([&] { return has(7); }));
  const std::vector<Outcome> expected{Outcome::done, Outcome::refused_device, Outcome::timed_out, Outcome::timed_out,
                                      Outcome::unavailable};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    commands_.send(ActuatorId{0}, static_cast<double>(i + 1));
    ASSERT_TRUE(eventually([&] { return commands_.acks().size() == i + 1; })) << i;
    EXPECT_EQ(commands_.acks()[i].outcome, expected[i]) << i;
  }
  commands_.send(ActuatorId{0}, 1, true);  // the device reads back 7
  ASSERT_TRUE(eventually([&] { return commands_.acks().size() == 6; }));
  EXPECT_TRUE(commands_.acks()[5].outcome == Outcome::mismatch || commands_.acks()[5].outcome == Outcome::unavailable);
}

}  // namespace
}  // namespace alara::contract
