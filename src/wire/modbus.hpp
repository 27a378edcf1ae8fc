// SPDX-License-Identifier: Apache-2.0
// Modbus TCP on the wire: requests, answers and the frames around them, for client and server alike. Sources: "MODBUS
// Application Protocol Specification V1.1b3" (functions, limits, exceptions) and "MODBUS Messaging on TCP/IP V1.0b"
// (the MBAP header). Nothing here allocates; spans point into the caller's buffers.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace alara::wire {

enum class ModbusFunction : std::uint8_t {
  read_coils = 1,
  read_discrete = 2,
  read_holding = 3,
  read_input = 4,
  write_coil = 5,
  write_register = 6,
  write_coils = 15,
  write_registers = 16,
  mask_register = 22,
};

enum class ModbusException : std::uint8_t {
  none = 0,
  illegal_function = 1,
  illegal_address = 2,
  illegal_value = 3,
  device_failure = 4,
  acknowledge = 5,
  busy = 6,
  memory_parity = 8,
  gateway_path = 10,
  gateway_target = 11,
};
// "illegal address", or "unknown exception".
[[nodiscard]] std::string_view name_of(ModbusException exception);

inline constexpr std::uint8_t kExceptionBit = 0x80;  // of a function that was refused
inline constexpr std::size_t kModbusHeader = 7;      // transaction, protocol, length, unit
inline constexpr std::size_t kMaxModbusPdu = 253;
inline constexpr std::size_t kMaxModbusFrame = kModbusHeader + kMaxModbusPdu;
inline constexpr std::uint16_t kMaxReadRegisters = 125;
inline constexpr std::uint16_t kMaxReadBits = 2000;
inline constexpr std::uint16_t kMaxWriteRegisters = 123;
inline constexpr std::uint16_t kMaxWriteBits = 1968;

[[nodiscard]] constexpr bool is_read(ModbusFunction function) { return static_cast<std::uint8_t>(function) <= 4; }
[[nodiscard]] constexpr bool is_of_bits(ModbusFunction function) {
  return function == ModbusFunction::read_coils || function == ModbusFunction::read_discrete ||
         function == ModbusFunction::write_coil || function == ModbusFunction::write_coils;
}

// What a client asks. `data` is what the function writes, as it stands on the wire: registers high byte first, bits
// packed with the lowest first. write_coil takes one packed bit; mask_register the and-mask and the or-mask.
struct ModbusRequest {
  ModbusFunction function = ModbusFunction::read_holding;
  std::uint16_t first = 0;
  std::uint16_t count = 1;
  std::span<const std::uint8_t> data;
};

// One frame as read: the PDU begins with the function code and has 1 to 253 bytes.
struct ModbusFrame {
  std::uint16_t transaction = 0;
  std::uint8_t unit = 0;
  std::span<const std::uint8_t> pdu;
};

// Writes header and PDU to `out` and returns their length. `request` must be within the limits above and its data of
// the right size (a bug otherwise).
std::size_t encode_request(std::uint16_t transaction, std::uint8_t unit, const ModbusRequest& request,
                           std::span<std::uint8_t, kMaxModbusFrame> out);
// The answer to a read: `payload` are the registers or packed bits. To a write: empty.
std::size_t encode_answer(std::uint16_t transaction, std::uint8_t unit, const ModbusRequest& request,
                          std::span<const std::uint8_t> payload, std::span<std::uint8_t, kMaxModbusFrame> out);
std::size_t encode_exception(std::uint16_t transaction, std::uint8_t unit, std::uint8_t function,
                             ModbusException exception, std::span<std::uint8_t, kMaxModbusFrame> out);

// Puts the header before a PDU of 1 to 253 bytes.
std::size_t encode_frame(std::uint16_t transaction, std::uint8_t unit, std::span<const std::uint8_t> pdu,
                         std::span<std::uint8_t, kMaxModbusFrame> out);

// Server side: reads a request strictly. Anything but `none` is the exception that it deserves; `request` is then
// meaningless.
[[nodiscard]] ModbusException parse_request(std::span<const std::uint8_t> pdu, ModbusRequest& request);

// Client side: what an answer to `asked` says.
struct ModbusAnswer {
  enum class Kind : std::uint8_t {
    good,       // `payload` has exactly the bytes asked for (empty for writes)
    exception,  // the device refused
    malformed,  // not an answer to this question; `fault` says why
  };
  Kind kind = Kind::malformed;
  ModbusException exception = ModbusException::none;
  std::span<const std::uint8_t> payload;
  std::string_view fault;
};
[[nodiscard]] ModbusAnswer parse_answer(const ModbusRequest& asked, std::span<const std::uint8_t> pdu);

// Bytes that the answer to a read carries.
[[nodiscard]] constexpr std::size_t payload_bytes(ModbusFunction function, std::uint16_t count) {
  return is_of_bits(function) ? (count + 7u) / 8u : count * 2u;
}

// Cuts a byte stream into frames. Fill room() from the socket, filled(n), then next() until it says `more`. A stream
// that is `corrupt` can not be trusted again: close it. Spans of frames are valid until the next call of room().
class ModbusFrameReader {
 public:
  enum class State : std::uint8_t { frame, more, corrupt };

  // `frames`: how many whole frames fit at once; at least 2.
  explicit ModbusFrameReader(std::size_t frames = 4) : buffer_(frames * kMaxModbusFrame) {}

  [[nodiscard]] std::span<std::uint8_t> room();
  void filled(std::size_t bytes) { end_ += bytes; }
  [[nodiscard]] State next(ModbusFrame& frame);
  void clear() { begin_ = end_ = 0; }
  [[nodiscard]] bool within_frame() const { return end_ > begin_; }  // bytes of an unfinished frame are there

 private:
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0;  // of what was not handed out yet
  std::size_t end_ = 0;
};

[[nodiscard]] constexpr std::uint16_t load_u16(const std::uint8_t* bytes) {
  return static_cast<std::uint16_t>((bytes[0] << 8) | bytes[1]);
}
constexpr void store_u16(std::uint8_t* bytes, std::uint16_t value) {
  bytes[0] = static_cast<std::uint8_t>(value >> 8);
  bytes[1] = static_cast<std::uint8_t>(value);
}
// Bit `index` of packed bits, lowest first.
[[nodiscard]] constexpr bool load_bit(std::span<const std::uint8_t> bits, std::size_t index) {
  return ((bits[index / 8] >> (index % 8)) & 1) != 0;
}

}  // namespace alara::wire
