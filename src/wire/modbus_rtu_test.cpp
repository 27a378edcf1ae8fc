// SPDX-License-Identifier: Apache-2.0
#include "wire/modbus_rtu.hpp"

#include <algorithm>
#include <string_view>

#include <gtest/gtest.h>

namespace alara::wire {
namespace {

using Bytes = std::vector<std::uint8_t>;
using State = RtuReader::State;

Bytes frame_of(std::uint8_t unit, const Bytes& pdu) {
  std::array<std::uint8_t, kMaxRtuFrame> out{};
  const std::size_t size = encode_rtu(unit, pdu, out);
  return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)};
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

void feed(RtuReader& reader, const Bytes& bytes) {
  const auto room = reader.room();
  ASSERT_GE(room.size(), bytes.size());
  std::ranges::copy(bytes, room.begin());
  reader.filled(bytes.size());
}

// The frames that come out now, each as unit and PDU.
std::vector<Bytes> frames(RtuReader& reader) {
  std::vector<Bytes> all;
  ModbusFrame frame;
  while (reader.next(frame) == State::frame) {
    all.push_back({frame.unit});
    all.back().insert(all.back().end(), frame.pdu.begin(), frame.pdu.end());
  }
  return all;
}

const Bytes kTwoRegisters{3, 4, 0x12, 0x34, 0x56, 0x78};  // the answer to a read of two holding registers

RtuReader waiting_for_two_registers(std::uint8_t unit) {
  RtuReader reader(RtuReader::Side::answers);
  reader.expect(unit, ModbusFunction::read_holding, 9);
  return reader;
}

TEST(ModbusRtu, ChecksumsAreThoseOfTheSpecification) {
  const std::string_view nine = "123456789";
  EXPECT_EQ(modbus_crc({reinterpret_cast<const std::uint8_t*>(nine.data()), nine.size()}), 0x4B37);
  EXPECT_EQ(frame_of(2, {7}), (Bytes{0x02, 0x07, 0x41, 0x12}));  // the example of its chapter 6.2.2
  EXPECT_EQ(frame_of(1, {3, 0, 0, 0, 10}), (Bytes{1, 3, 0, 0, 0, 10, 0xC5, 0xCD}));
}

TEST(ModbusRtu, TimesFollowTheSpeed) {
  const RtuTiming slow = RtuTiming::of(9600, 11);
  EXPECT_EQ(slow.character, 1'145'833);
  EXPECT_EQ(slow.silence, 4'010'415);
  EXPECT_EQ(slow.of_bytes(8), 9'166'664);
  const RtuTiming fast = RtuTiming::of(115200, 10);
  EXPECT_EQ(fast.character, 86'805);
  EXPECT_EQ(fast.silence, 1'750'000);
  EXPECT_EQ(fast.between, 750'000);
}

TEST(ModbusRtu, LengthsAreThoseThatAreEncoded) {
  const Bytes data(246);
  for (const std::uint8_t code : Bytes{1, 2, 3, 4, 5, 6, 15, 16, 22}) {
    ModbusRequest request{static_cast<ModbusFunction>(code), 5, 1, {}};
    if (is_read(request.function) || code == 15 || code == 16) request.count = 19;
    request.data = std::span(data).first(code == 22  ? 4
                                         : code == 6 ? 2
                                                     : payload_bytes(request.function, request.count));
    std::array<std::uint8_t, kMaxModbusFrame> tcp{};
    EXPECT_EQ(encode_request(0, 1, request, tcp) - kModbusHeader + 3, rtu_request_bytes(request)) << int(code);
    const auto payload = std::span(data).first(is_read(request.function) ? payload_bytes(request.function, 19) : 0);
    EXPECT_EQ(encode_answer(0, 1, request, payload, tcp) - kModbusHeader + 3, rtu_answer_bytes(request)) << int(code);
  }
}

TEST(RtuReader, KnowsTheEndOfAFrameWithoutSilence) {
  RtuReader reader = waiting_for_two_registers(5);
  const Bytes answer = frame_of(5, kTwoRegisters);
  for (std::size_t i = 0; i + 1 < answer.size(); ++i) {
    feed(reader, {answer[i]});
    EXPECT_TRUE(frames(reader).empty()) << i;
  }
  EXPECT_TRUE(reader.within_expected());
  feed(reader, {answer.back()});
  EXPECT_EQ(frames(reader), (std::vector<Bytes>{Bytes{5} + kTwoRegisters}));
  EXPECT_FALSE(reader.within_frame());
  EXPECT_EQ(reader.noise(), 0u);
}

TEST(RtuReader, CutsSeveralFramesThatCameTogether) {
  RtuReader reader = waiting_for_two_registers(5);
  feed(reader, frame_of(4, {3, 2, 0, 1}) + frame_of(5, {0x83, 2}) + frame_of(6, {6, 0, 1, 0, 2}));
  EXPECT_EQ(frames(reader), (std::vector<Bytes>{{4, 3, 2, 0, 1}, {5, 0x83, 2}, {6, 6, 0, 1, 0, 2}}));
}

TEST(RtuReader, FindsTheExpectedAnswerBehindNoise) {
  RtuReader reader = waiting_for_two_registers(5);
  feed(reader, Bytes{0xFF, 0x00, 0xF8} + frame_of(5, kTwoRegisters));
  EXPECT_EQ(frames(reader), (std::vector<Bytes>{Bytes{5} + kTwoRegisters}));
  EXPECT_EQ(reader.noise(), 3u);
  // Noise that announces 200 bytes of another unit's.
  feed(reader, Bytes{9, 3, 200} + frame_of(5, kTwoRegisters));
  EXPECT_EQ(frames(reader), (std::vector<Bytes>{Bytes{5} + kTwoRegisters}));
  EXPECT_EQ(reader.noise(), 6u);
  EXPECT_EQ(reader.damaged(), 0u);
}

TEST(RtuReader, LeavesOutADamagedAnswerAndSaysSo) {
  RtuReader reader = waiting_for_two_registers(5);
  Bytes answer = frame_of(5, kTwoRegisters);
  answer[4] ^= 1;
  feed(reader, answer);
  EXPECT_TRUE(frames(reader).empty());
  reader.silence();
  EXPECT_TRUE(frames(reader).empty());
  EXPECT_EQ(reader.damaged(), 1u);
  EXPECT_EQ(reader.noise(), answer.size());
}

TEST(RtuReader, SilenceEndsATruncatedAnswer) {
  RtuReader reader = waiting_for_two_registers(5);
  Bytes answer = frame_of(5, kTwoRegisters);
  answer.resize(6);
  feed(reader, answer);
  EXPECT_TRUE(frames(reader).empty());
  EXPECT_EQ(reader.damaged(), 0u);
  reader.silence();
  EXPECT_TRUE(frames(reader).empty());
  EXPECT_EQ(reader.damaged(), 1u);
  EXPECT_FALSE(reader.within_frame());
  feed(reader, frame_of(5, kTwoRegisters));
  EXPECT_EQ(frames(reader).size(), 1u);
}

TEST(RtuReader, SilenceLetsAFrameBehindAnUnfinishedOneOut) {
  RtuReader reader(RtuReader::Side::requests);
  feed(reader, Bytes{1, 16, 0, 0, 0, 99, 198} + frame_of(2, {3, 0, 0, 0, 1}));
  EXPECT_TRUE(frames(reader).empty());
  reader.silence();
  EXPECT_EQ(frames(reader), (std::vector<Bytes>{{2, 3, 0, 0, 0, 1}}));
  EXPECT_EQ(reader.noise(), 7u);
}

TEST(RtuReader, ReadsRequestsOfEveryLength) {
  RtuReader reader(RtuReader::Side::requests);
  const std::vector<Bytes> pdus{{3, 0, 0, 0, 1},  {5, 0, 1, 0xFF, 0},     {15, 0, 0, 0, 9, 2, 0xFF, 1},
                                {6, 0, 1, 0, 42}, {22, 0, 1, 0, 1, 0, 0}, {16, 0, 0, 0, 1, 2, 0, 7}};
  for (const Bytes& pdu : pdus) {
    feed(reader, frame_of(17, pdu));
    EXPECT_EQ(frames(reader), (std::vector<Bytes>{Bytes{17} + pdu}));
  }
  EXPECT_EQ(reader.noise(), 0u);
}

TEST(RtuReader, AlwaysHasRoomForAnotherFrame) {
  RtuReader reader(RtuReader::Side::answers);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_GE(reader.room().size(), kMaxRtuFrame);
    feed(reader, {static_cast<std::uint8_t>(i), 3, 250, static_cast<std::uint8_t>(i >> 3)});
    EXPECT_TRUE(frames(reader).empty());
  }
  reader.clear();
  EXPECT_EQ(reader.noise(), 40'000u);
}

}  // namespace
}  // namespace alara::wire
