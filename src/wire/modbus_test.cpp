// SPDX-License-Identifier: Apache-2.0
#include "wire/modbus.hpp"

#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace alara::wire {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes request_bytes(const ModbusRequest& request) {
  std::array<std::uint8_t, kMaxModbusFrame> out{};
  const std::size_t size = encode_request(0x1501, 0x0A, request, out);
  return {out.begin(), out.begin() + size};
}

Bytes answer_bytes(const ModbusRequest& request, const Bytes& payload) {
  std::array<std::uint8_t, kMaxModbusFrame> out{};
  const std::size_t size = encode_answer(0x1501, 0x0A, request, payload, out);
  return {out.begin(), out.begin() + size};
}

std::span<const std::uint8_t> pdu_of(const Bytes& frame) { return std::span(frame).subspan(kModbusHeader); }

struct Exchange {
  ModbusFunction function;
  std::uint16_t first;
  std::uint16_t count;
  Bytes data;
  Bytes request;  // PDUs, from the examples of section 6 of the application protocol specification
  Bytes payload;
  Bytes answer;
};

const std::vector<Exchange>& exchanges() {
  static const std::vector<Exchange> all{
      {ModbusFunction::read_coils, 0x13, 0x13, {}, {1, 0, 0x13, 0, 0x13}, {0xCD, 0x6B, 0x05}, {1, 3, 0xCD, 0x6B, 0x05}},
      {ModbusFunction::read_discrete,
       0xC4,
       0x16,
       {},
       {2, 0, 0xC4, 0, 0x16},
       {0xAC, 0xDB, 0x35},
       {2, 3, 0xAC, 0xDB, 0x35}},
      {ModbusFunction::read_holding,
       0x6B,
       3,
       {},
       {3, 0, 0x6B, 0, 3},
       {2, 0x2B, 0, 0, 0, 0x64},
       {3, 6, 2, 0x2B, 0, 0, 0, 0x64}},
      {ModbusFunction::read_input, 8, 1, {}, {4, 0, 8, 0, 1}, {0, 0x0A}, {4, 2, 0, 0x0A}},
      {ModbusFunction::write_coil, 0xAC, 1, {1}, {5, 0, 0xAC, 0xFF, 0}, {}, {5, 0, 0xAC, 0xFF, 0}},
      {ModbusFunction::write_coil, 0xAC, 1, {0}, {5, 0, 0xAC, 0, 0}, {}, {5, 0, 0xAC, 0, 0}},
      {ModbusFunction::write_register, 1, 1, {0, 3}, {6, 0, 1, 0, 3}, {}, {6, 0, 1, 0, 3}},
      {ModbusFunction::write_coils,
       0x13,
       10,
       {0xCD, 1},
       {15, 0, 0x13, 0, 0x0A, 2, 0xCD, 1},
       {},
       {15, 0, 0x13, 0, 0x0A}},
      {ModbusFunction::write_registers,
       1,
       2,
       {0, 0x0A, 1, 2},
       {16, 0, 1, 0, 2, 4, 0, 0x0A, 1, 2},
       {},
       {16, 0, 1, 0, 2}},
      {ModbusFunction::mask_register,
       4,
       1,
       {0, 0xF2, 0, 0x25},
       {22, 0, 4, 0, 0xF2, 0, 0x25},
       {},
       {22, 0, 4, 0, 0xF2, 0, 0x25}},
  };
  return all;
}

TEST(ModbusCodec, WritesAndReadsTheExamplesOfTheSpecification) {
  for (const Exchange& exchange : exchanges()) {
    const ModbusRequest request{exchange.function, exchange.first, exchange.count, exchange.data};
    const Bytes asked = request_bytes(request);
    EXPECT_EQ(Bytes(asked.begin() + kModbusHeader, asked.end()), exchange.request);
    ModbusRequest read;
    ASSERT_EQ(parse_request(pdu_of(asked), read), ModbusException::none);
    EXPECT_EQ(read.function, exchange.function);
    EXPECT_EQ(read.first, exchange.first);
    EXPECT_EQ(read.count, exchange.count);
    EXPECT_EQ(Bytes(read.data.begin(), read.data.end()), exchange.data);

    const Bytes answered = answer_bytes(request, exchange.payload);
    EXPECT_EQ(Bytes(answered.begin() + kModbusHeader, answered.end()), exchange.answer);
    const ModbusAnswer answer = parse_answer(request, pdu_of(answered));
    ASSERT_EQ(answer.kind, ModbusAnswer::Kind::good) << answer.fault;
    EXPECT_EQ(Bytes(answer.payload.begin(), answer.payload.end()), exchange.payload);
  }
}

TEST(ModbusCodec, WritesTheHeader) {
  const Bytes frame = request_bytes({ModbusFunction::read_holding, 4, 1, {}});
  EXPECT_EQ(frame, (Bytes{0x15, 0x01, 0, 0, 0, 6, 0x0A, 3, 0, 4, 0, 1}));
}

TEST(ModbusCodec, TellsExceptionsFromAnswers) {
  std::array<std::uint8_t, kMaxModbusFrame> out{};
  const std::size_t size = encode_exception(1, 2, 3, ModbusException::illegal_address, out);
  const ModbusRequest asked{ModbusFunction::read_holding, 0, 1, {}};
  const ModbusAnswer answer = parse_answer(asked, std::span(out).subspan(kModbusHeader, size - kModbusHeader));
  EXPECT_EQ(answer.kind, ModbusAnswer::Kind::exception);
  EXPECT_EQ(answer.exception, ModbusException::illegal_address);
}

TEST(ModbusCodec, CallsEveryOtherAnswerMalformed) {
  const ModbusRequest asked{ModbusFunction::read_holding, 0, 2, {}};
  const std::vector<Bytes> wrong{{},
                                 {3},
                                 {3, 4, 0, 0, 0},
                                 {3, 4, 0, 0, 0, 0, 0},
                                 {3, 2, 0, 0},
                                 {3, 2, 0, 0, 0, 0},
                                 {4, 4, 0, 0, 0, 0},
                                 {0x83},
                                 {0x83, 2, 0},
                                 {0x83, 0},
                                 {0x84, 2}};
  for (const Bytes& pdu : wrong) EXPECT_EQ(parse_answer(asked, pdu).kind, ModbusAnswer::Kind::malformed);
  const Bytes value{0, 3};
  const ModbusRequest write{ModbusFunction::write_register, 1, 1, value};
  EXPECT_EQ(parse_answer(write, Bytes{6, 0, 1, 0, 4}).kind, ModbusAnswer::Kind::malformed) << "another value";
  EXPECT_EQ(parse_answer(write, Bytes{6, 0, 1, 0}).kind, ModbusAnswer::Kind::malformed);
}

TEST(ModbusCodec, AnswersBadRequestsWithTheExceptionTheyDeserve) {
  ModbusRequest request;
  EXPECT_EQ(parse_request({}, request), ModbusException::illegal_function);
  EXPECT_EQ(parse_request(Bytes{7, 0, 0, 0, 1}, request), ModbusException::illegal_function);
  EXPECT_EQ(parse_request(Bytes{3, 0, 0, 0}, request), ModbusException::illegal_value);
  EXPECT_EQ(parse_request(Bytes{3, 0, 0, 0, 0}, request), ModbusException::illegal_value);
  EXPECT_EQ(parse_request(Bytes{3, 0, 0, 0, 126}, request), ModbusException::illegal_value);
  EXPECT_EQ(parse_request(Bytes{3, 0, 0, 0, 125}, request), ModbusException::none);
  EXPECT_EQ(parse_request(Bytes{1, 0, 0, 0x07, 0xD0}, request), ModbusException::none);
  EXPECT_EQ(parse_request(Bytes{1, 0, 0, 0x07, 0xD1}, request), ModbusException::illegal_value);
  EXPECT_EQ(parse_request(Bytes{3, 0xFF, 0xFF, 0, 1}, request), ModbusException::none);
  EXPECT_EQ(parse_request(Bytes{3, 0xFF, 0xFF, 0, 2}, request), ModbusException::illegal_address);
  EXPECT_EQ(parse_request(Bytes{5, 0, 0, 0xFF, 1}, request), ModbusException::illegal_value);
  EXPECT_EQ(parse_request(Bytes{16, 0, 0, 0, 2, 4, 1, 2, 3}, request), ModbusException::illegal_value);
  EXPECT_EQ(parse_request(Bytes{16, 0, 0, 0, 2, 3, 1, 2, 3, 4}, request), ModbusException::illegal_value);
}

class FrameReaderTest : public testing::Test {
 protected:
  void feed(const Bytes& bytes) {
    const auto room = reader_.room();
    ASSERT_GE(room.size(), bytes.size());
    std::copy(bytes.begin(), bytes.end(), room.begin());
    reader_.filled(bytes.size());
  }
  ModbusFrameReader reader_;
  ModbusFrame frame_;
};

TEST_F(FrameReaderTest, CutsFramesThatComeByteByByte) {
  const Bytes bytes = request_bytes({ModbusFunction::read_holding, 4, 1, {}});
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    feed({bytes[i]});
    ASSERT_EQ(reader_.next(frame_), ModbusFrameReader::State::more);
    EXPECT_TRUE(reader_.within_frame());
  }
  feed({bytes.back()});
  ASSERT_EQ(reader_.next(frame_), ModbusFrameReader::State::frame);
  EXPECT_EQ(frame_.transaction, 0x1501);
  EXPECT_EQ(frame_.unit, 0x0A);
  EXPECT_EQ(Bytes(frame_.pdu.begin(), frame_.pdu.end()), (Bytes{3, 0, 4, 0, 1}));
  EXPECT_FALSE(reader_.within_frame());
}

TEST_F(FrameReaderTest, CutsManyFramesThatComeAtOnce) {
  Bytes stream;
  const Bytes one = request_bytes({ModbusFunction::read_input, 9, 2, {}});
  for (int i = 0; i < 3; ++i) stream.insert(stream.end(), one.begin(), one.end());
  stream.push_back(0x15);
  feed(stream);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(reader_.next(frame_), ModbusFrameReader::State::frame);
  EXPECT_EQ(reader_.next(frame_), ModbusFrameReader::State::more);
  EXPECT_EQ(reader_.room().size(), 4 * kMaxModbusFrame - 1) << "the room of what was read is free again";
}

TEST_F(FrameReaderTest, SeesNonsenseInTheHeaderAtOnce) {
  for (const Bytes& header : {Bytes{0, 1, 0, 1, 0, 6}, Bytes{0, 1, 0, 0, 0, 0}, Bytes{0, 1, 0, 0, 0, 1},
                              Bytes{0, 1, 0, 0, 0, 255}, Bytes{'H', 'T', 'T', 'P', '/', '1'}}) {
    reader_.clear();
    feed(header);
    EXPECT_EQ(reader_.next(frame_), ModbusFrameReader::State::corrupt);
    EXPECT_EQ(reader_.next(frame_), ModbusFrameReader::State::corrupt) << "and stays so";
  }
}

TEST_F(FrameReaderTest, TakesTheLargestFrame) {
  Bytes bytes{0, 1, 0, 0, 0, 254, 1};
  bytes.resize(kMaxModbusFrame, 0x5A);
  feed(bytes);
  ASSERT_EQ(reader_.next(frame_), ModbusFrameReader::State::frame);
  EXPECT_EQ(frame_.pdu.size(), kMaxModbusPdu);
}

}  // namespace
}  // namespace alara::wire
