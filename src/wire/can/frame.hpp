// SPDX-License-Identifier: Apache-2.0
// A CAN frame as all CAN codecs know it, and the two texts in which frames travel: candump's logs and the serial line
// of slcan (Lawicel) adapters. Texts come from outside: nothing in them is trusted.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace alara::wire::can {

inline constexpr std::uint32_t kMostStandardId = 0x7FF;
inline constexpr std::uint32_t kMostExtendedId = 0x1FFFFFFF;
inline constexpr std::size_t kMostData = 64;  // of a CAN FD frame; 8 of a classic one

struct Frame {
  std::uint32_t id = 0;
  bool extended = false;  // 29-bit id
  bool remote = false;    // asks for data and carries none
  bool fd = false;
  std::uint8_t size = 0;  // of data, in bytes
  std::array<std::uint8_t, kMostData> data{};

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {data.data(), remote ? 0u : size}; }
  bool operator==(const Frame&) const = default;
};

// "0x18FEF100" (extended) or "0x123", for messages.
[[nodiscard]] std::string name_of(const Frame& frame);

// One line of `candump -L` ("(1436509052.249713) can0 18FEF100#2A366C2BBA000000", "##" for CAN FD) or of candump's
// screen (" can0  123   [3]  2A 36 6C", with "(…)" before it when a time was asked for). `time` is empty when the line
// has none. Error frames and empty lines are not_found; what is no frame is corrupt.
struct LoggedFrame {
  Frame frame;
  std::optional<Nanos> time;  // wall nanoseconds
};
[[nodiscard]] Result<LoggedFrame> parse_candump(std::string_view line);
[[nodiscard]] std::string candump_line(const Frame& frame, Nanos time, std::string_view interface);

// The bytes of an slcan line, in any portions. Limits itself to one line of the longest frame.
class SlcanReader {
 public:
  enum class Kind : std::uint8_t {
    frame,    // `frame` is what came
    sent,     // the adapter has taken a frame ("z", "Z")
    done,     // the adapter has done a command
    refused,  // the adapter has not (BEL)
    other,    // an answer to a question: version, serial number, status
    garbage,  // no line of the protocol
  };
  struct Item {
    Kind kind = Kind::garbage;
    Frame frame;
  };

  // Takes bytes from the front of `bytes` until an item is complete; empty when they are used up.
  [[nodiscard]] std::optional<Item> next(std::span<const std::uint8_t>& bytes);
  void reset() { length_ = 0; }

 private:
  // 'B', 8 digits of id, 1 of length, 128 of data, 4 of time: no classic or FD line is longer.
  static constexpr std::size_t kLongest = 1 + 8 + 1 + 2 * kMostData + 4;
  [[nodiscard]] Item parse() const;

  std::array<char, kLongest> line_{};
  std::size_t length_ = 0;  // kLongest + 1: the line is too long and its rest is thrown away
};

// The line that asks an adapter to send `frame`, "t1232AABB\r". Classic frames only: fails for CAN FD.
[[nodiscard]] Result<std::string> slcan_line(const Frame& frame);

}  // namespace alara::wire::can
