// SPDX-License-Identifier: Apache-2.0
// The stream reader, in pieces of any size, and both parsers behind it: whatever parses must encode to itself.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "wire/modbus.hpp"

namespace {

using namespace alara::wire;

void check_request(const ModbusFrame& frame) {
  ModbusRequest request;
  if (parse_request(frame.pdu, request) != ModbusException::none) return;
  std::array<std::uint8_t, kMaxModbusFrame> out{};
  const std::size_t size = encode_request(frame.transaction, frame.unit, request, out);
  if (!std::equal(frame.pdu.begin(), frame.pdu.end(), out.begin() + kModbusHeader, out.begin() + size)) std::abort();
}

void check_answer(const ModbusFrame& frame, std::uint8_t function, std::uint16_t count) {
  static constexpr std::array<std::uint8_t, 250> kData{};
  ModbusRequest asked{static_cast<ModbusFunction>(function), 0, count, kData};
  const ModbusAnswer answer = parse_answer(asked, frame.pdu);
  if (answer.kind == ModbusAnswer::Kind::good && is_read(asked.function) &&
      answer.payload.size() != payload_bytes(asked.function, count))
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t piece = 1u + data[0];
  constexpr std::array<std::uint8_t, 9> kFunctions{1, 2, 3, 4, 5, 6, 15, 16, 22};
  const std::uint8_t function = kFunctions[data[1] % kFunctions.size()];
  const std::uint16_t count = 1u + data[2] % 125u;
  ModbusFrameReader reader(2);
  ModbusFrame frame;
  for (std::size_t at = 3; at < size;) {
    const auto room = reader.room();
    if (room.empty()) std::abort();
    const std::size_t taken = std::min({piece, room.size(), size - at});
    std::copy_n(data + at, taken, room.begin());
    reader.filled(taken);
    at += taken;
    auto state = ModbusFrameReader::State::more;
    while ((state = reader.next(frame)) == ModbusFrameReader::State::frame) {
      check_request(frame);
      check_answer(frame, function, count);
    }
    if (state == ModbusFrameReader::State::corrupt) return 0;
  }
  return 0;
}
