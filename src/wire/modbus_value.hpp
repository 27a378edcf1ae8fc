// SPDX-License-Identifier: Apache-2.0
// Values in Modbus registers: every type in every byte order that devices use, with scale and offset. The protocol
// defines only 16-bit registers sent high byte first; how wider values lie in them is each maker's choice.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace alara::wire {

enum class RegisterType : std::uint8_t {
  bit,  // one bit of one register
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64,
  float32,
  float64,
  bcd16,
  bcd32,
  bcd64,  // one decimal digit in four bits, highest first
  text,   // two characters a register, ended by a zero byte or by its length; read as the number that it spells
};

// A value's bytes A (highest), B, C, D as two registers hold them. Of four registers the same: whether registers come
// lowest first and whether the bytes inside each are swapped. One register knows only the latter (AB, BA).
enum class ByteOrder : std::uint8_t {
  abcd,  // big endian: registers highest first, bytes highest first
  badc,  // bytes swapped in each register
  cdab,  // registers lowest first ("word swapped")
  dcba,  // little endian
};

struct RegisterFormat {
  RegisterType type = RegisterType::uint16;
  ByteOrder order = ByteOrder::abcd;
  std::uint8_t bit = 0;             // 0 is the lowest; of type bit
  std::uint8_t text_registers = 0;  // of type text
  double scale = 1;                 // value = raw * scale + offset
  double offset = 0;
};

inline constexpr std::size_t kMaxTextRegisters = 60;

[[nodiscard]] std::string_view name_of(RegisterType type);  // "int16", "string"
[[nodiscard]] std::string_view name_of(ByteOrder order);    // "ABCD"
// "int32", "float32", "bcd16"; neither "bit" nor "string", which need a number.
[[nodiscard]] std::optional<RegisterType> register_type_named(std::string_view name);
// "ABCD", "be", "le", "BA", "GHEFCDAB", …; upper or lower case.
[[nodiscard]] std::optional<ByteOrder> byte_order_named(std::string_view name);

// Registers that a value takes.
[[nodiscard]] std::size_t registers_of(const RegisterFormat& format);

// The number in `bytes` (registers_of() * 2 of them, as on the wire). NaN when they hold none: a BCD digit above 9,
// text that is no number, a float that is NaN. Does not allocate.
[[nodiscard]] double decode_value(const RegisterFormat& format, const std::uint8_t* bytes);

// The reverse, rounded to what the type can hold. False, and nothing written, when the value does not fit (out of
// range, NaN) or the type can not be written (bit, text).
[[nodiscard]] bool encode_value(const RegisterFormat& format, double value, std::span<std::uint8_t> bytes);

// Characters in registers up to the first zero byte, blanks at the end removed; unprintable ones become '.'.
[[nodiscard]] std::string decode_text(ByteOrder order, std::span<const std::uint8_t> bytes);

}  // namespace alara::wire
