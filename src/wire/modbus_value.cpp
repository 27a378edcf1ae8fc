// SPDX-License-Identifier: Apache-2.0
#include "wire/modbus_value.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

namespace alara::wire {
namespace {

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();
constexpr std::array<std::string_view, 13> kTypeNames{"bit",   "int16",  "uint16",  "int32",   "uint32",
                                                      "int64", "uint64", "float32", "float64", "bcd16",
                                                      "bcd32", "bcd64",  "string"};
constexpr std::array<std::string_view, 4> kOrderNames{"ABCD", "BADC", "CDAB", "DCBA"};

struct OrderName {
  std::string_view name;  // lower case
  ByteOrder order;
};
constexpr std::array<OrderName, 12> kOrderWords{{
    {"abcd", ByteOrder::abcd},
    {"badc", ByteOrder::badc},
    {"cdab", ByteOrder::cdab},
    {"dcba", ByteOrder::dcba},
    {"be", ByteOrder::abcd},
    {"le", ByteOrder::dcba},
    {"ab", ByteOrder::abcd},
    {"ba", ByteOrder::badc},
    {"abcdefgh", ByteOrder::abcd},
    {"badcfehg", ByteOrder::badc},
    {"ghefcdab", ByteOrder::cdab},
    {"hgfedcba", ByteOrder::dcba},
}};

bool swaps_bytes(ByteOrder order) { return order == ByteOrder::badc || order == ByteOrder::dcba; }
bool swaps_words(ByteOrder order) { return order == ByteOrder::cdab || order == ByteOrder::dcba; }

// The registers' bits as one number, highest register first, whatever order they came in.
template <typename Word>
Word load(ByteOrder order, const std::uint8_t* bytes) {
  constexpr std::size_t kRegisters = sizeof(Word) / 2;
  Word word = 0;
  for (std::size_t i = 0; i < kRegisters; ++i) {
    const std::uint8_t* at = bytes + 2 * (swaps_words(order) ? kRegisters - 1 - i : i);
    const auto part = static_cast<std::uint16_t>(swaps_bytes(order) ? at[0] | (at[1] << 8) : (at[0] << 8) | at[1]);
    word = static_cast<Word>((static_cast<std::uint64_t>(word) << 16) | part);
  }
  return word;
}

template <typename Word>
void store(ByteOrder order, Word word, std::uint8_t* bytes) {
  constexpr std::size_t kRegisters = sizeof(Word) / 2;
  for (std::size_t i = 0; i < kRegisters; ++i) {
    const auto part = static_cast<std::uint16_t>(static_cast<std::uint64_t>(word) >> (16 * (kRegisters - 1 - i)));
    std::uint8_t* at = bytes + 2 * (swaps_words(order) ? kRegisters - 1 - i : i);
    at[swaps_bytes(order) ? 1 : 0] = static_cast<std::uint8_t>(part >> 8);
    at[swaps_bytes(order) ? 0 : 1] = static_cast<std::uint8_t>(part);
  }
}

double digits_of(std::uint64_t word, int digits) {
  double value = 0;
  for (int i = digits - 1; i >= 0; --i) {
    const auto digit = static_cast<unsigned>((word >> (4 * i)) & 0xF);
    if (digit > 9) return kNoNumber;
    value = value * 10 + digit;
  }
  return value;
}

std::size_t copy_text(ByteOrder order, std::span<const std::uint8_t> bytes, std::span<char> out) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t at = swaps_bytes(order) ? i ^ 1u : i;
    if (at >= bytes.size() || bytes[at] == 0) break;
    out[length++] = static_cast<char>(bytes[at]);
  }
  while (length > 0 && out[length - 1] == ' ') --length;
  return length;
}

double number_in(const RegisterFormat& format, const std::uint8_t* bytes) {
  std::array<char, 2 * kMaxTextRegisters> text;
  const std::size_t length = copy_text(format.order, {bytes, 2u * format.text_registers}, text);
  const char* first = text.data();
  const char* const last = first + length;
  while (first < last && *first == ' ') ++first;
  if (first + 1 < last && *first == '+' && first[1] != '-') ++first;
  double value = 0;
  const auto [end, error] = std::from_chars(first, last, value);
  return error == std::errc{} && end == last && std::isfinite(value) ? value : kNoNumber;
}

double raw_value(const RegisterFormat& format, const std::uint8_t* bytes) {
  const ByteOrder order = format.order;
  switch (format.type) {
    case RegisterType::bit:
      return (load<std::uint16_t>(order, bytes) >> format.bit) & 1;
    case RegisterType::int16:
      return static_cast<std::int16_t>(load<std::uint16_t>(order, bytes));
    case RegisterType::uint16:
      return load<std::uint16_t>(order, bytes);
    case RegisterType::int32:
      return static_cast<std::int32_t>(load<std::uint32_t>(order, bytes));
    case RegisterType::uint32:
      return load<std::uint32_t>(order, bytes);
    case RegisterType::int64:
      return static_cast<double>(static_cast<std::int64_t>(load<std::uint64_t>(order, bytes)));
    case RegisterType::uint64:
      return static_cast<double>(load<std::uint64_t>(order, bytes));
    case RegisterType::float32:
      return std::bit_cast<float>(load<std::uint32_t>(order, bytes));
    case RegisterType::float64:
      return std::bit_cast<double>(load<std::uint64_t>(order, bytes));
    case RegisterType::bcd16:
      return digits_of(load<std::uint16_t>(order, bytes), 4);
    case RegisterType::bcd32:
      return digits_of(load<std::uint32_t>(order, bytes), 8);
    case RegisterType::bcd64:
      return digits_of(load<std::uint64_t>(order, bytes), 16);
    case RegisterType::text:
      return number_in(format, bytes);
  }
  return kNoNumber;
}

// Stores `raw`, rounded, if it lies in [least, limit): the limits of integers are exact as doubles in this form.
template <typename Word>
bool store_integer(ByteOrder order, double raw, double least, double limit, std::uint8_t* bytes) {
  const double rounded = std::nearbyint(raw);
  if (!(rounded >= least && rounded < limit)) return false;
  if (rounded < 0)
    store(order, static_cast<Word>(static_cast<std::int64_t>(rounded)), bytes);
  else
    store(order, static_cast<Word>(static_cast<std::uint64_t>(rounded)), bytes);
  return true;
}

template <typename Word>
bool store_digits(ByteOrder order, double raw, double limit, std::uint8_t* bytes) {
  const double rounded = std::nearbyint(raw);
  if (!(rounded >= 0 && rounded < limit)) return false;
  auto rest = static_cast<std::uint64_t>(rounded);
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 2 * sizeof(Word); ++i, rest /= 10) word |= (rest % 10) << (4 * i);
  store(order, static_cast<Word>(word), bytes);
  return true;
}

bool store_float32(ByteOrder order, double raw, std::uint8_t* bytes) {
  if (!(std::abs(raw) <= static_cast<double>(std::numeric_limits<float>::max()))) return false;
  store(order, std::bit_cast<std::uint32_t>(static_cast<float>(raw)), bytes);
  return true;
}

}  // namespace

std::string_view name_of(RegisterType type) { return kTypeNames[static_cast<std::size_t>(type)]; }
std::string_view name_of(ByteOrder order) { return kOrderNames[static_cast<std::size_t>(order)]; }

std::optional<RegisterType> register_type_named(std::string_view name) {
  for (std::size_t i = 1; i + 1 < kTypeNames.size(); ++i)
    if (kTypeNames[i] == name) return static_cast<RegisterType>(i);
  return std::nullopt;
}

std::optional<ByteOrder> byte_order_named(std::string_view name) {
  std::array<char, 8> lower{};
  if (name.size() > lower.size()) return std::nullopt;
  for (std::size_t i = 0; i < name.size(); ++i)
    lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
  for (const OrderName& word : kOrderWords)
    if (word.name == std::string_view(lower.data(), name.size())) return word.order;
  return std::nullopt;
}

std::size_t registers_of(const RegisterFormat& format) {
  switch (format.type) {
    case RegisterType::bit:
    case RegisterType::int16:
    case RegisterType::uint16:
    case RegisterType::bcd16:
      return 1;
    case RegisterType::int32:
    case RegisterType::uint32:
    case RegisterType::float32:
    case RegisterType::bcd32:
      return 2;
    case RegisterType::int64:
    case RegisterType::uint64:
    case RegisterType::float64:
    case RegisterType::bcd64:
      return 4;
    case RegisterType::text:
      return format.text_registers;
  }
  return 1;
}

double decode_value(const RegisterFormat& format, const std::uint8_t* bytes) {
  return raw_value(format, bytes) * format.scale + format.offset;
}

bool encode_value(const RegisterFormat& format, double value, std::span<std::uint8_t> bytes) {
  const double raw = (value - format.offset) / format.scale;
  if (!std::isfinite(raw) || bytes.size() < 2 * registers_of(format)) return false;
  const ByteOrder order = format.order;
  std::uint8_t* out = bytes.data();
  switch (format.type) {
    case RegisterType::int16:
      return store_integer<std::uint16_t>(order, raw, -0x1p15, 0x1p15, out);
    case RegisterType::uint16:
      return store_integer<std::uint16_t>(order, raw, 0, 0x1p16, out);
    case RegisterType::int32:
      return store_integer<std::uint32_t>(order, raw, -0x1p31, 0x1p31, out);
    case RegisterType::uint32:
      return store_integer<std::uint32_t>(order, raw, 0, 0x1p32, out);
    case RegisterType::int64:
      return store_integer<std::uint64_t>(order, raw, -0x1p63, 0x1p63, out);
    case RegisterType::uint64:
      return store_integer<std::uint64_t>(order, raw, 0, 0x1p64, out);
    case RegisterType::float32:
      return store_float32(order, raw, out);
    case RegisterType::float64:
      store(order, std::bit_cast<std::uint64_t>(raw), out);
      return true;
    case RegisterType::bcd16:
      return store_digits<std::uint16_t>(order, raw, 1e4, out);
    case RegisterType::bcd32:
      return store_digits<std::uint32_t>(order, raw, 1e8, out);
    case RegisterType::bcd64:
      return store_digits<std::uint64_t>(order, raw, 1e16, out);
    case RegisterType::bit:
    case RegisterType::text:
      return false;
  }
  return false;
}

std::string decode_text(ByteOrder order, std::span<const std::uint8_t> bytes) {
  std::string text(bytes.size(), '\0');
  text.resize(copy_text(order, bytes, text));
  for (char& c : text)
    if (c < 0x20 || c > 0x7E) c = '.';
  return text;
}

}  // namespace alara::wire
