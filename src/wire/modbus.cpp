// SPDX-License-Identifier: Apache-2.0
#include "wire/modbus.hpp"

#include <algorithm>
#include <cstring>

#include "base/result.hpp"

namespace alara::wire {
namespace {

constexpr std::uint16_t kCoilOn = 0xFF00;
constexpr std::uint16_t kCoilOff = 0x0000;
constexpr std::size_t kPrefix = 6;  // the part of the header that its length field does not count

// Fills the header for a PDU of `pdu` bytes and returns the frame's length.
std::size_t finish(std::uint16_t transaction, std::uint8_t unit, std::size_t pdu, std::uint8_t* out) {
  store_u16(out, transaction);
  store_u16(out + 2, 0);
  store_u16(out + 4, static_cast<std::uint16_t>(pdu + 1));
  out[6] = unit;
  return kModbusHeader + pdu;
}

std::uint16_t limit_of(ModbusFunction function) {
  switch (function) {
    case ModbusFunction::read_coils:
    case ModbusFunction::read_discrete:
      return kMaxReadBits;
    case ModbusFunction::read_holding:
    case ModbusFunction::read_input:
      return kMaxReadRegisters;
    case ModbusFunction::write_coils:
      return kMaxWriteBits;
    case ModbusFunction::write_registers:
      return kMaxWriteRegisters;
    default:
      return 1;
  }
}

bool known(std::uint8_t function) {
  return (function >= 1 && function <= 6) || function == 15 || function == 16 || function == 22;
}

bool within_limits(const ModbusRequest& request) {
  return request.count >= 1 && request.count <= limit_of(request.function) && request.first + request.count <= 0x10000;
}

ModbusAnswer malformed(std::string_view fault) {
  ModbusAnswer answer;
  answer.fault = fault;
  return answer;
}

// The bytes that a write's answer repeats, after the function code.
std::size_t echo_of(const ModbusRequest& request, std::uint8_t* out) {
  store_u16(out, request.first);
  switch (request.function) {
    case ModbusFunction::write_coil:
      store_u16(out + 2, load_bit(request.data, 0) ? kCoilOn : kCoilOff);
      return 4;
    case ModbusFunction::write_register:
      std::memcpy(out + 2, request.data.data(), 2);
      return 4;
    case ModbusFunction::mask_register:
      std::memcpy(out + 2, request.data.data(), 4);
      return 6;
    default:
      store_u16(out + 2, request.count);
      return 4;
  }
}

constexpr std::uint8_t kPackedOn = 1;
constexpr std::uint8_t kPackedOff = 0;

}  // namespace

std::string_view name_of(ModbusException exception) {
  switch (exception) {
    case ModbusException::none:
      return "no exception";
    case ModbusException::illegal_function:
      return "illegal function";
    case ModbusException::illegal_address:
      return "illegal address";
    case ModbusException::illegal_value:
      return "illegal value";
    case ModbusException::device_failure:
      return "device failure";
    case ModbusException::acknowledge:
      return "acknowledged, still working";
    case ModbusException::busy:
      return "device busy";
    case ModbusException::memory_parity:
      return "memory parity error";
    case ModbusException::gateway_path:
      return "gateway path unavailable";
    case ModbusException::gateway_target:
      return "gateway target does not answer";
  }
  return "unknown exception";
}

std::size_t encode_request(std::uint16_t transaction, std::uint8_t unit, const ModbusRequest& request,
                           std::span<std::uint8_t, kMaxModbusFrame> out) {
  ALARA_ASSERT(within_limits(request), "a modbus request must be within the protocol's limits");
  std::uint8_t* pdu = out.data() + kModbusHeader;
  pdu[0] = static_cast<std::uint8_t>(request.function);
  std::size_t size = 1 + echo_of(request, pdu + 1);
  if (request.function == ModbusFunction::write_coils || request.function == ModbusFunction::write_registers) {
    const std::size_t bytes = payload_bytes(request.function, request.count);
    ALARA_ASSERT(request.data.size() == bytes, "a modbus write must bring the bytes that its count says");
    pdu[size++] = static_cast<std::uint8_t>(bytes);
    std::memcpy(pdu + size, request.data.data(), bytes);
    size += bytes;
  }
  return finish(transaction, unit, size, out.data());
}

std::size_t encode_answer(std::uint16_t transaction, std::uint8_t unit, const ModbusRequest& request,
                          std::span<const std::uint8_t> payload, std::span<std::uint8_t, kMaxModbusFrame> out) {
  std::uint8_t* pdu = out.data() + kModbusHeader;
  pdu[0] = static_cast<std::uint8_t>(request.function);
  std::size_t size = 1;
  if (is_read(request.function)) {
    ALARA_ASSERT(payload.size() == payload_bytes(request.function, request.count),
                 "a modbus answer must fit its request");
    pdu[size++] = static_cast<std::uint8_t>(payload.size());
    std::memcpy(pdu + size, payload.data(), payload.size());
    size += payload.size();
  } else {
    size += echo_of(request, pdu + 1);
  }
  return finish(transaction, unit, size, out.data());
}

std::size_t encode_exception(std::uint16_t transaction, std::uint8_t unit, std::uint8_t function,
                             ModbusException exception, std::span<std::uint8_t, kMaxModbusFrame> out) {
  out[kModbusHeader] = function | kExceptionBit;
  out[kModbusHeader + 1] = static_cast<std::uint8_t>(exception);
  return finish(transaction, unit, 2, out.data());
}

std::size_t encode_frame(std::uint16_t transaction, std::uint8_t unit, std::span<const std::uint8_t> pdu,
                         std::span<std::uint8_t, kMaxModbusFrame> out) {
  ALARA_ASSERT(!pdu.empty() && pdu.size() <= kMaxModbusPdu, "a PDU has 1 to 253 bytes");
  std::memcpy(out.data() + kModbusHeader, pdu.data(), pdu.size());
  return finish(transaction, unit, pdu.size(), out.data());
}

ModbusException parse_request(std::span<const std::uint8_t> pdu, ModbusRequest& request) {
  if (pdu.empty() || !known(pdu[0])) return ModbusException::illegal_function;
  request = {};
  request.function = static_cast<ModbusFunction>(pdu[0]);
  if (pdu.size() < 5) return ModbusException::illegal_value;
  request.first = load_u16(pdu.data() + 1);
  const std::uint16_t second = load_u16(pdu.data() + 3);
  switch (request.function) {
    case ModbusFunction::write_coil:
      if (pdu.size() != 5 || (second != kCoilOn && second != kCoilOff)) return ModbusException::illegal_value;
      request.data = {second == kCoilOn ? &kPackedOn : &kPackedOff, 1};
      return ModbusException::none;
    case ModbusFunction::write_register:
      request.data = pdu.subspan(3);
      return pdu.size() == 5 ? ModbusException::none : ModbusException::illegal_value;
    case ModbusFunction::mask_register:
      request.data = pdu.subspan(3);
      return pdu.size() == 7 ? ModbusException::none : ModbusException::illegal_value;
    default:
      break;
  }
  request.count = second;
  if (request.count < 1 || request.count > limit_of(request.function)) return ModbusException::illegal_value;
  if (request.first + request.count > 0x10000) return ModbusException::illegal_address;
  if (is_read(request.function)) return pdu.size() == 5 ? ModbusException::none : ModbusException::illegal_value;
  const std::size_t bytes = payload_bytes(request.function, request.count);
  if (pdu.size() != 6 + bytes || pdu[5] != bytes) return ModbusException::illegal_value;
  request.data = pdu.subspan(6);
  return ModbusException::none;
}

ModbusAnswer parse_answer(const ModbusRequest& asked, std::span<const std::uint8_t> pdu) {
  const auto function = static_cast<std::uint8_t>(asked.function);
  if (pdu.empty()) return malformed("an empty answer");
  if (pdu[0] == (function | kExceptionBit)) {
    if (pdu.size() != 2 || pdu[1] == 0) return malformed("an exception of the wrong length");
    ModbusAnswer answer;
    answer.kind = ModbusAnswer::Kind::exception;
    answer.exception = static_cast<ModbusException>(pdu[1]);
    return answer;
  }
  if (pdu[0] != function) return malformed("an answer to another function");
  ModbusAnswer answer;
  answer.kind = ModbusAnswer::Kind::good;
  if (is_read(asked.function)) {
    const std::size_t bytes = payload_bytes(asked.function, asked.count);
    if (pdu.size() != 2 + bytes || pdu[1] != bytes) return malformed("an answer of the wrong length");
    answer.payload = pdu.subspan(2);
    return answer;
  }
  std::uint8_t echo[6];
  const std::size_t size = echo_of(asked, echo);
  if (pdu.size() != 1 + size) return malformed("an answer of the wrong length");
  if (!std::equal(echo, echo + size, pdu.begin() + 1)) return malformed("an answer to another write");
  return answer;
}

std::span<std::uint8_t> ModbusFrameReader::room() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return std::span(buffer_).subspan(end_);
}

ModbusFrameReader::State ModbusFrameReader::next(ModbusFrame& frame) {
  const std::size_t available = end_ - begin_;
  const std::uint8_t* at = buffer_.data() + begin_;
  // As soon as the header is there it is judged: waiting for the body of nonsense could last for ever.
  if (available >= kPrefix) {
    const std::size_t length = load_u16(at + 4);
    if (load_u16(at + 2) != 0 || length < 2 || length > 1 + kMaxModbusPdu) return State::corrupt;
    if (available >= kPrefix + length) {
      frame.transaction = load_u16(at);
      frame.unit = at[6];
      frame.pdu = {at + kModbusHeader, length - 1};
      begin_ += kPrefix + length;
      return State::frame;
    }
  }
  return State::more;
}

}  // namespace alara::wire
