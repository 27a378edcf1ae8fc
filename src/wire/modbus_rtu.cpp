// SPDX-License-Identifier: Apache-2.0
#include "wire/modbus_rtu.hpp"

#include <algorithm>
#include <cstring>

#include "base/result.hpp"

namespace alara::wire {
namespace {

constexpr std::uint16_t kPolynomial = 0xA001;
constexpr std::size_t kChecksum = 2;
constexpr std::size_t kShortest = 4;              // unit, function, checksum
constexpr std::size_t kException = 5;             // and its code
constexpr std::size_t kEcho = 8;                  // answers to writes: first, count or value
constexpr std::size_t kMaskEcho = 10;             // and of mask_register
constexpr std::size_t kBeforePayload = 3;         // unit, function, byte count
constexpr std::size_t kBeforeWritten = 7;         // of a request: unit, function, first, count, byte count
constexpr std::uint8_t kReadWriteRegisters = 23;  // not asked by us, but others on the line may be
constexpr std::size_t kMoreNeeded = 0;
constexpr std::size_t kNoFrame = 1;

// Fixed times for fast lines (specification, 2.5.1.1), where 3.5 characters would be too short to measure.
constexpr std::uint32_t kFastLine = 19'200;
constexpr Nanos kFastBetween = 750 * kMicrosecond;
constexpr Nanos kFastSilence = 1750 * kMicrosecond;

constexpr std::array<std::uint16_t, 256> crc_table() {
  std::array<std::uint16_t, 256> table{};
  for (std::uint16_t byte = 0; byte < 256; ++byte) {
    std::uint16_t crc = byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = static_cast<std::uint16_t>((crc & 1) != 0 ? (crc >> 1) ^ kPolynomial : crc >> 1);
    table[byte] = crc;
  }
  return table;
}
constexpr auto kCrcTable = crc_table();

// A frame that ends with `data` bytes counted by its byte-count field.
std::size_t counted(std::size_t before, std::uint8_t data) {
  const std::size_t length = before + data + kChecksum;
  return data == 0 || length > kMaxRtuFrame ? kNoFrame : length;
}

std::size_t answer_length(std::span<const std::uint8_t> bytes) {
  const std::uint8_t function = bytes[1];
  if ((function & kExceptionBit) != 0) return kException;
  switch (function) {
    case 1:
    case 2:
    case 3:
    case 4:
    case kReadWriteRegisters:
      return bytes.size() < kBeforePayload ? kMoreNeeded : counted(kBeforePayload, bytes[2]);
    case 5:
    case 6:
    case 15:
    case 16:
      return kEcho;
    case 22:
      return kMaskEcho;
    default:
      return kNoFrame;
  }
}

std::size_t request_length(std::span<const std::uint8_t> bytes) {
  switch (bytes[1]) {
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
      return kEcho;
    case 15:
    case 16:
      return bytes.size() < kBeforeWritten ? kMoreNeeded : counted(kBeforeWritten, bytes[6]);
    case 22:
      return kMaskEcho;
    case kReadWriteRegisters:
      return bytes.size() < 11 ? kMoreNeeded : counted(11, bytes[10]);
    default:
      return kNoFrame;
  }
}

}  // namespace

std::uint16_t modbus_crc(std::span<const std::uint8_t> bytes) {
  std::uint16_t crc = 0xFFFF;
  for (const std::uint8_t byte : bytes) crc = static_cast<std::uint16_t>((crc >> 8) ^ kCrcTable[(crc ^ byte) & 0xFF]);
  return crc;
}

std::size_t encode_rtu(std::uint8_t unit, std::span<const std::uint8_t> pdu,
                       std::span<std::uint8_t, kMaxRtuFrame> out) {
  ALARA_ASSERT(!pdu.empty() && pdu.size() <= kMaxModbusPdu, "a PDU has 1 to 253 bytes");
  out[0] = unit;
  std::memcpy(out.data() + 1, pdu.data(), pdu.size());
  const std::size_t size = 1 + pdu.size();
  const std::uint16_t crc = modbus_crc(out.first(size));
  out[size] = static_cast<std::uint8_t>(crc);
  out[size + 1] = static_cast<std::uint8_t>(crc >> 8);
  return size + kChecksum;
}

RtuTiming RtuTiming::of(std::uint32_t baud, unsigned bits) {
  RtuTiming timing;
  timing.character = static_cast<Nanos>(bits) * kSecond / baud;
  timing.between = baud > kFastLine ? kFastBetween : timing.character * 3 / 2;
  timing.silence = baud > kFastLine ? kFastSilence : timing.character * 7 / 2;
  return timing;
}

std::size_t rtu_request_bytes(const ModbusRequest& request) {
  switch (request.function) {
    case ModbusFunction::write_coils:
    case ModbusFunction::write_registers:
      return kBeforeWritten + payload_bytes(request.function, request.count) + kChecksum;
    case ModbusFunction::mask_register:
      return kMaskEcho;
    default:
      return kEcho;
  }
}

std::size_t rtu_answer_bytes(const ModbusRequest& request) {
  if (is_read(request.function)) return kBeforePayload + payload_bytes(request.function, request.count) + kChecksum;
  return request.function == ModbusFunction::mask_register ? kMaskEcho : kEcho;
}

void RtuReader::expect(std::uint8_t unit, ModbusFunction function, std::size_t bytes) {
  expected_unit_ = unit;
  expected_function_ = static_cast<std::uint8_t>(function);
  expected_bytes_ = bytes;
}

void RtuReader::clear() {
  noise_ += end_ - begin_;
  begin_ = end_ = 0;
  silent_ = false;
}

std::span<std::uint8_t> RtuReader::room() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return std::span(buffer_).subspan(end_);
}

std::size_t RtuReader::length_at(std::size_t at) const {
  const auto bytes = std::span(buffer_).subspan(at, end_ - at);
  if (bytes.size() < 2) return kMoreNeeded;
  return side_ == Side::answers ? answer_length(bytes) : request_length(bytes);
}

bool RtuReader::whole_at(std::size_t at, std::size_t length) const {
  if (length < kShortest || end_ - at < length) return false;
  const std::uint8_t* sum = buffer_.data() + at + length - kChecksum;
  return modbus_crc(std::span(buffer_).subspan(at, length - kChecksum)) == (sum[0] | (sum[1] << 8));
}

bool RtuReader::expected_at(std::size_t at) const {
  if (expected_bytes_ == 0 || end_ - at < 2 || buffer_[at] != expected_unit_) return false;
  if (buffer_[at + 1] == (expected_function_ | kExceptionBit)) return true;
  if (buffer_[at + 1] != expected_function_) return false;
  const std::size_t length = length_at(at);
  return length == kMoreNeeded || length == expected_bytes_;
}

bool RtuReader::within_expected() const { return begin_ < end_ && expected_at(begin_); }

void RtuReader::skip(std::size_t bytes) {
  begin_ += bytes;
  noise_ += bytes;
}

// Leaves out what stands before the expected answer, if all of that has come.
bool RtuReader::skip_to_expected() {
  for (std::size_t at = begin_ + 1; at + kShortest <= end_; ++at) {
    if (!expected_at(at) || !whole_at(at, length_at(at))) continue;
    skip(at - begin_);
    return true;
  }
  return false;
}

void RtuReader::take(std::size_t length, ModbusFrame& frame) {
  frame.transaction = 0;
  frame.unit = buffer_[begin_];
  frame.pdu = std::span(buffer_).subspan(begin_ + 1, length - 1 - kChecksum);
  begin_ += length;
}

RtuReader::State RtuReader::next(ModbusFrame& frame) {
  while (begin_ < end_) {
    const std::size_t length = length_at(begin_);
    if (whole_at(begin_, length)) {
      take(length, frame);
      return State::frame;
    }
    const bool unfinished = length == kMoreNeeded || (length != kNoFrame && end_ - begin_ < length);
    if (unfinished && !silent_) {
      if (expected_at(begin_) || !skip_to_expected()) return State::more;
      continue;
    }
    if (expected_at(begin_) && length != kMoreNeeded) ++damaged_;
    skip(1);
  }
  silent_ = false;
  return State::more;
}

}  // namespace alara::wire
