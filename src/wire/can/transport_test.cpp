// SPDX-License-Identifier: Apache-2.0
// Messages over several frames: J1939 and ISO-TP, and what is said in them.
#include <gtest/gtest.h>

#include "wire/can/isotp.hpp"
#include "wire/can/j1939.hpp"
#include "wire/can/obd.hpp"

namespace alara::wire::can {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes counted(std::size_t size) {
  Bytes data(size);
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<std::uint8_t>(i * 7 + 1);
  return data;
}
Frame extended(std::uint32_t id, const Bytes& data) {
  Frame frame;
  frame.id = id;
  frame.extended = true;
  for (const std::uint8_t byte : data) frame.data[frame.size++] = byte;
  return frame;
}

TEST(J1939, TakesIdsApartAndPutsThemTogether) {
  const J1939Id eec1 = J1939Id::of(0x0CF00400);  // EEC1, priority 3, from the engine
  EXPECT_EQ(eec1.pgn, 61444u);
  EXPECT_EQ(eec1.priority, 3);
  EXPECT_EQ(eec1.source, 0);
  EXPECT_EQ(eec1.destination, kEveryone);
  const J1939Id request = J1939Id::of(0x18EA21F9);  // a request to 0x21 from 0xF9
  EXPECT_EQ(request.pgn, 0xEA00u);
  EXPECT_EQ(request.destination, 0x21);
  for (const std::uint32_t id : {0x0CF00400u, 0x18EA21F9u, 0x1CECFF00u, 0x18FECA03u})
    EXPECT_EQ(J1939Id::of(id).can_id(), id);
}

TEST(J1939, TheGreatestValuesAreNone) {
  EXPECT_EQ(judge_j1939(0xFA, 8), J1939Value::valid);
  EXPECT_EQ(judge_j1939(0xFE, 8), J1939Value::error);
  EXPECT_EQ(judge_j1939(0xFF, 8), J1939Value::not_available);
  EXPECT_EQ(judge_j1939(0xFAFF, 16), J1939Value::valid);
  EXPECT_EQ(judge_j1939(0xFE12, 16), J1939Value::error);
  EXPECT_EQ(judge_j1939(0xFFFF, 16), J1939Value::not_available);
  EXPECT_EQ(judge_j1939(0xFFFFFFFF, 32), J1939Value::not_available);
  EXPECT_EQ(judge_j1939(1, 2), J1939Value::valid);
  EXPECT_EQ(judge_j1939(2, 2), J1939Value::error);
  EXPECT_EQ(judge_j1939(3, 2), J1939Value::not_available);
  EXPECT_EQ(judge_j1939(1, 1), J1939Value::valid);
}

TEST(J1939Transport, PutsBroadcastsTogether) {
  J1939Transport transport;
  std::vector<Frame> replies;
  const J1939Message sent{{6, kPgnDm1, 0x03, kEveryone}, counted(23)};
  std::optional<J1939Message> got;
  const auto frames = broadcast_j1939(sent);
  ASSERT_EQ(frames.size(), 5u);
  EXPECT_EQ(frames[0].id, 0x1CECFF03u);
  for (const Frame& frame : frames) {
    EXPECT_FALSE(got.has_value());
    got = transport.take(frame, 0, replies);
  }
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->id.pgn, kPgnDm1);
  EXPECT_EQ(got->id.source, 0x03);
  EXPECT_EQ(got->data, sent.data);
  EXPECT_TRUE(replies.empty());
  EXPECT_EQ(transport.sessions(), 0u);
}

TEST(J1939Transport, TakesPartInTheHandshakeForItsOwnAddress) {
  J1939Transport transport(0xF9);
  std::vector<Frame> replies;
  const Bytes data = counted(140);  // 20 packets: two blocks
  static_cast<void>(transport.take(extended(0x1CECF900, {16, 140, 0, 20, 255, 0xCA, 0xFE, 0}), 0, replies));
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_EQ(replies[0], extended(0x1CEC00F9, {17, 16, 1, 255, 255, 0xCA, 0xFE, 0}));
  std::optional<J1939Message> got;
  for (std::uint8_t packet = 1; packet <= 20; ++packet) {
    Bytes part{packet};
    part.insert(part.end(), data.begin() + (packet - 1) * 7, data.begin() + packet * 7);
    got = transport.take(extended(0x1CEBF900, part), 0, replies);
    if (packet == 16) {
      ASSERT_EQ(replies.size(), 2u);
      EXPECT_EQ(replies[1], extended(0x1CEC00F9, {17, 4, 17, 255, 255, 0xCA, 0xFE, 0}));
    }
  }
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->data, data);
  ASSERT_EQ(replies.size(), 3u);
  EXPECT_EQ(replies[2], extended(0x1CEC00F9, {19, 140, 0, 20, 255, 0xCA, 0xFE, 0}));
}

TEST(J1939Transport, GivesUpWhatIsOutOfSequenceAbortedOrSilent) {
  J1939Transport transport;
  std::vector<Frame> replies;
  const auto frames = broadcast_j1939({{6, 65000, 1, kEveryone}, counted(30)});
  const auto begin = [&](Nanos now) {
    static_cast<void>(transport.take(frames[0], now, replies));
    static_cast<void>(transport.take(frames[1], now, replies));
  };
  begin(0);
  static_cast<void>(transport.take(frames[1], 0, replies));  // said again: no harm
  EXPECT_EQ(transport.sessions(), 1u);
  static_cast<void>(transport.take(frames[3], 0, replies));
  EXPECT_EQ(transport.given_up(), 1u);
  begin(0);
  static_cast<void>(transport.take(extended(0x1CECFF01, {255, 1, 255, 255, 255, 0, 0, 0}), 0, replies));
  EXPECT_EQ(transport.given_up(), 2u);
  begin(0);
  static_cast<void>(transport.take(extended(0x18FEF100, {0}), 2 * kSecond, replies));
  EXPECT_EQ(transport.given_up(), 3u);
  EXPECT_EQ(transport.sessions(), 0u);
}

TEST(J1939Transport, IsBoundedAndTurnsImpossibleAnnouncementsAway) {
  J1939Transport transport;
  std::vector<Frame> replies;
  for (std::uint32_t source = 0; source < 200; ++source)
    static_cast<void>(transport.take(extended(0x1CECFF00 | source, {32, 20, 0, 3, 255, 0, 0xFE, 0}), 0, replies));
  EXPECT_EQ(transport.sessions(), J1939Transport::kMostSessions);
  EXPECT_EQ(transport.turned_away(), 200 - J1939Transport::kMostSessions);
  J1939Transport other;
  for (const Bytes& bad : {Bytes{32, 8, 0, 2, 255, 0, 0, 0}, Bytes{32, 255, 255, 255, 255, 0, 0, 0},
                           Bytes{32, 20, 0, 4, 255, 0, 0, 0}, Bytes{32, 20}})
    static_cast<void>(other.take(extended(0x1CECFF00, bad), 0, replies));
  EXPECT_EQ(other.turned_away(), 4u);
  EXPECT_EQ(other.sessions(), 0u);
}

TEST(Dm1, SaysLampsAndFaults) {
  // Amber lamp on (01 in bits 2 and 3); SPN 1208 = 0x004B8, FMI 3, seen 10 times; SPN 524287 with FMI 31 is none.
  const Bytes data{0x04, 0xFF, 0xB8, 0x04, 0x03, 0x0A, 0xFF, 0xFF, 0xFF, 0x7F};
  const auto faults = parse_dm1(data);
  ASSERT_TRUE(faults.has_value());
  EXPECT_TRUE(faults->amber_warning);
  EXPECT_FALSE(faults->red_stop);
  ASSERT_EQ(faults->faults.size(), 1u);
  EXPECT_EQ(faults->faults[0].spn, 1208u);
  EXPECT_EQ(faults->faults[0].fmi, 3);
  EXPECT_EQ(faults->faults[0].count, 10);
  EXPECT_TRUE(parse_dm1(Bytes{0, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF})->faults.empty());
  EXPECT_FALSE(parse_dm1(Bytes{0, 0xFF}).has_value());
}

using Event = IsotpReceiver::Event;

TEST(Isotp, ASenderAndAReceiverAgreeOnEveryLength) {
  for (const std::size_t size : {1u, 7u, 8u, 13u, 14u, 100u, 4095u}) {
    const Bytes message = counted(size);
    IsotpSender sender;
    IsotpReceiver receiver;
    ASSERT_TRUE(sender.begin(message, 0).has_value());
    bool complete = false;
    for (int i = 0; i < 2000 && !complete; ++i) {
      const auto data = sender.next(0);
      ASSERT_TRUE(data.has_value()) << size << " stands still";
      const Event event = receiver.take(*data, 0);
      ASSERT_NE(event, Event::fault) << size;
      if (event == Event::flow_control_due) sender.take(IsotpReceiver::flow_control(), 0);
      complete = event == Event::message;
    }
    EXPECT_EQ(receiver.message(), message);
    EXPECT_TRUE(sender.done());
    EXPECT_FALSE(sender.failed());
  }
}

TEST(Isotp, BlocksAndPausesOfTheReceiverAreKept) {
  IsotpSender sender;
  ASSERT_TRUE(sender.begin(counted(40), 0).has_value());
  ASSERT_TRUE(sender.next(0).has_value());
  EXPECT_FALSE(sender.next(0).has_value()) << "before flow control";
  sender.take(Bytes{0x31, 0, 0}, 0);  // wait
  EXPECT_FALSE(sender.next(0).has_value());
  sender.take(Bytes{0x30, 2, 10}, 0);  // two frames, 10 ms apart
  EXPECT_EQ((*sender.next(0))[0], 0x21);
  EXPECT_FALSE(sender.next(9 * kMillisecond).has_value());
  EXPECT_EQ(sender.due(), 10 * kMillisecond);
  EXPECT_EQ((*sender.next(10 * kMillisecond))[0], 0x22);
  EXPECT_FALSE(sender.next(20 * kMillisecond).has_value()) << "the block is over";
  sender.take(Bytes{0x30, 0, 0xF1}, 20 * kMillisecond);
  EXPECT_TRUE(sender.next(20 * kMillisecond).has_value());
  EXPECT_EQ(sender.due(), 20 * kMillisecond + 100 * kMicrosecond);
}

TEST(Isotp, ASenderGivesUpWithoutAnAnswerAndWhenThereIsNoRoom) {
  IsotpSender silent;
  ASSERT_TRUE(silent.begin(counted(40), 0).has_value());
  static_cast<void>(silent.next(0));
  EXPECT_FALSE(silent.next(2 * kSecond).has_value());
  EXPECT_TRUE(silent.failed());
  IsotpSender refused;
  ASSERT_TRUE(refused.begin(counted(40), 0).has_value());
  static_cast<void>(refused.next(0));
  refused.take(Bytes{0x32, 0, 0}, 0);
  EXPECT_TRUE(refused.failed());
  EXPECT_FALSE(IsotpSender().begin({}, 0).has_value());
  EXPECT_FALSE(IsotpSender().begin(Bytes(4096), 0).has_value());
}

TEST(Isotp, AReceiverRefusesWhatIsOutOfSequenceShortOrImpossible) {
  IsotpReceiver receiver;
  for (const Bytes& bad : {Bytes{}, Bytes{0x00}, Bytes{0x08, 1}, Bytes{0x05, 1, 2}, Bytes{0x10, 20, 1},
                           Bytes{0x10, 5, 1, 2, 3, 4, 5, 6}, Bytes{0x21, 1}, Bytes{0x40, 1}})
    EXPECT_EQ(receiver.take(bad, 0), Event::fault);
  EXPECT_EQ(receiver.take(Bytes{0x10, 20, 1, 2, 3, 4, 5, 6}, 0), Event::flow_control_due);
  EXPECT_EQ(receiver.take(Bytes{0x22, 1, 2, 3, 4, 5, 6, 7}, 0), Event::fault);
  EXPECT_EQ(receiver.take(Bytes{0x10, 20, 1, 2, 3, 4, 5, 6}, 0), Event::flow_control_due);
  EXPECT_FALSE(receiver.timed_out(kSecond));
  EXPECT_TRUE(receiver.timed_out(kSecond + 1));
  EXPECT_EQ(receiver.take(Bytes{0x21, 1, 2, 3, 4, 5, 6, 7}, 0), Event::fault);
}

TEST(Obd, AsksAndUnderstandsTheStandardsFormulas) {
  const ObdParameter& speed = **obd_parameter("0C");
  EXPECT_EQ(speed.name, "engine_speed");
  EXPECT_EQ(obd_request(speed), (Bytes{0x01, 0x0C}));
  EXPECT_EQ(obd_value(speed, Bytes{0x41, 0x0C, 0x1A, 0xF8}), 1726);
  EXPECT_EQ(obd_value(**obd_parameter("coolant_temperature"), Bytes{0x41, 0x05, 0x7B}), 83);
  EXPECT_EQ(obd_value(speed, Bytes{0x41, 0x0C, 0x1A}), std::nullopt) << "too short";
  EXPECT_EQ(obd_value(speed, Bytes{0x41, 0x0D, 0x1A, 0xF8}), std::nullopt) << "another parameter";
  EXPECT_EQ(obd_value(speed, Bytes{0x7F, 0x01, 0x12}), std::nullopt) << "a refusal";
  EXPECT_NE(obd_parameter("engine_sped").error().text().find("engine_speed"), std::string::npos);
}

}  // namespace
}  // namespace alara::wire::can
