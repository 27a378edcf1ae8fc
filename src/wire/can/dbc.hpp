// SPDX-License-Identifier: Apache-2.0
// DBC files: what the bits of CAN messages mean. Read once into messages and signals whose values can then be taken out
// of frames and put into them: both byte orders, signed, floats, multiplexed (also in several levels, SG_MUL_VAL_).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace alara::wire::can {

inline constexpr std::size_t kMostDbcBytes = 32u << 20;
inline constexpr std::size_t kMostDbcSignals = 200'000;
inline constexpr std::size_t kMostMessageBytes = 1785;  // of a J1939 message in several frames
inline constexpr int kMostMultiplexLevels = 8;

// A number in a run of bits.
struct BitField {
  std::uint16_t start = 0;  // as a DBC says it: the lowest bit (little endian), or the highest one in the numbering in
                            // which bit 7 of byte 0 is 7 and bit 0 of byte 1 is 8 (big endian)
  std::uint8_t length = 0;  // 1 to 64 bits
  bool big_endian = false;

  [[nodiscard]] std::size_t bytes() const;  // that a message must have
  // `data` has at least bytes() bytes.
  [[nodiscard]] std::uint64_t extract(std::span<const std::uint8_t> data) const;
  void insert(std::uint64_t bits, std::span<std::uint8_t> data) const;
};

struct DbcSignal {
  enum class Kind : std::uint8_t { integer, float32, float64 };
  std::string name, unit;
  BitField bits;
  Kind kind = Kind::integer;
  bool is_signed = false;
  double factor = 1, offset = 0;  // value = raw * factor + offset
  double least = 0, most = 0;     // as declared; equal: no limits
  bool is_switch = false;         // its raw value says which multiplexed signals a message has
  // Of a multiplexed signal: the index of its switch among the message's signals, and the raw values for which it is
  // there.
  std::optional<std::size_t> depends_on;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> present_for;

  // The physical value; the message must have bits.bytes() bytes.
  [[nodiscard]] double value(std::span<const std::uint8_t> data) const;
  // Fails when the value does not fit the bits, or is beyond the declared limits.
  [[nodiscard]] Status put(double value, std::span<std::uint8_t> data) const;
};

struct DbcMessage {
  std::uint32_t id = 0;
  bool extended = false;
  std::string name;
  std::size_t size = 0;  // bytes
  std::vector<DbcSignal> signals;

  [[nodiscard]] const DbcSignal* find(std::string_view signal) const;
  // Whether a message with this data has the signal: it is long enough, and its switches say so.
  [[nodiscard]] bool has(const DbcSignal& signal, std::span<const std::uint8_t> data) const;
  // Sets the switches on which the signal depends so that it is there.
  [[nodiscard]] Status make_room(const DbcSignal& signal, std::span<std::uint8_t> data) const;
};

struct Dbc {
  std::vector<DbcMessage> messages;
  [[nodiscard]] const DbcMessage* find(std::string_view message) const;
};

// `name` is the file's, for errors, which carry line and column.
[[nodiscard]] Result<Dbc> parse_dbc(std::string_view text, const std::string& name);
[[nodiscard]] Result<Dbc> load_dbc(const std::string& path);

}  // namespace alara::wire::can
