// SPDX-License-Identifier: Apache-2.0
// The RTU reader on both sides, in pieces of any size and with silences anywhere: every byte comes out exactly once, in
// a frame or as noise; frames check; and an answer that follows silence is found whatever stood before it.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "wire/modbus_rtu.hpp"

namespace {

using namespace alara::wire;

void check(bool holds) {
  if (!holds) std::abort();
}

struct Counted {
  std::size_t bytes = 0;
  std::size_t frames = 0;
};

void drain(RtuReader& reader, Counted& counted) {
  ModbusFrame frame;
  while (reader.next(frame) == RtuReader::State::frame) {
    check(!frame.pdu.empty() && frame.pdu.size() <= kMaxModbusPdu);
    std::array<std::uint8_t, kMaxRtuFrame> again{};
    const std::size_t size = encode_rtu(frame.unit, frame.pdu, again);
    check(size == frame.pdu.size() + 3);
    counted.bytes += size;
    ++counted.frames;
    ModbusRequest request;
    if (parse_request(frame.pdu, request) == ModbusException::none) check(rtu_request_bytes(request) == size);
  }
}

void feed(RtuReader& reader, std::span<const std::uint8_t> bytes, Counted& counted) {
  while (!bytes.empty()) {
    const auto room = reader.room();
    check(!room.empty());
    const std::size_t taken = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), taken, room.begin());
    reader.filled(taken);
    bytes = bytes.subspan(taken);
    drain(reader, counted);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const std::size_t piece = 1u + data[0];
  const bool answers = (data[1] & 1) != 0;
  const bool silences = (data[1] & 2) != 0;
  const ModbusRequest asked{ModbusFunction::read_holding, 0, static_cast<std::uint16_t>(1 + data[2] % 125), {}};
  RtuReader reader(answers ? RtuReader::Side::answers : RtuReader::Side::requests);
  if (answers && (data[1] & 4) != 0) reader.expect(data[3], asked.function, rtu_answer_bytes(asked));
  Counted counted;
  const std::span<const std::uint8_t> all(data + 4, size - 4);
  for (std::size_t at = 0; at < all.size(); at += piece) {
    feed(reader, all.subspan(at, std::min(piece, all.size() - at)), counted);
    if (!silences) continue;
    reader.silence();
    drain(reader, counted);
    check(!reader.within_frame());
  }
  reader.silence();
  drain(reader, counted);
  check(counted.bytes + reader.noise() == all.size());

  // A frame after silence.
  std::array<std::uint8_t, kMaxModbusFrame> tcp{};
  const std::array<std::uint8_t, 250> values{};
  const std::size_t tcp_size = answers ? encode_answer(0, 7, asked, std::span(values).first(2u * asked.count), tcp)
                                       : encode_request(0, 7, asked, tcp);
  std::array<std::uint8_t, kMaxRtuFrame> rtu{};
  const std::size_t rtu_size = encode_rtu(7, std::span(tcp).subspan(kModbusHeader, tcp_size - kModbusHeader), rtu);
  const std::size_t frames = counted.frames;
  feed(reader, std::span(rtu).first(rtu_size), counted);
  check(counted.frames == frames + 1 && !reader.within_frame());
  return 0;
}
