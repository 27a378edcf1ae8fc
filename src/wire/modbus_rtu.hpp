// SPDX-License-Identifier: Apache-2.0
// Modbus RTU on the wire: frames with their CRC-16, the times that a serial line needs, and a reader that finds frames
// in a noisy stream. Source: "MODBUS over Serial Line Specification and Implementation Guide V1.02". A frame's end is
// known from its function, not from silence, since adapters and kernels hand bytes over in lumps; silence only ends
// what is unfinished. Nothing here allocates after construction.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/clock.hpp"
#include "wire/modbus.hpp"

namespace alara::wire {

inline constexpr std::size_t kMaxRtuFrame = 1 + kMaxModbusPdu + 2;  // unit, PDU, checksum
inline constexpr std::uint8_t kBroadcastUnit = 0;                   // everyone hears, nobody answers
inline constexpr std::uint8_t kLastRtuUnit = 247;                   // above are reserved

// Polynomial 0xA001 (reflected), initial value 0xFFFF; sent low byte first.
[[nodiscard]] std::uint16_t modbus_crc(std::span<const std::uint8_t> bytes);

// Writes unit, PDU (1 to 253 bytes) and checksum; returns the length.
std::size_t encode_rtu(std::uint8_t unit, std::span<const std::uint8_t> pdu, std::span<std::uint8_t, kMaxRtuFrame> out);

// How long things take on a line.
struct RtuTiming {
  Nanos character = 0;  // start bit, 8 data bits, parity, stop bits
  Nanos between = 0;    // 1.5 characters: the longest gap within a frame
  Nanos silence = 0;    // 3.5 characters: the shortest gap between frames

  // `bits` of one character, 10 to 12. Above 19,200 baud the gaps are fixed, as the specification says.
  [[nodiscard]] static RtuTiming of(std::uint32_t baud, unsigned bits);
  [[nodiscard]] Nanos of_bytes(std::size_t bytes) const { return static_cast<Nanos>(bytes) * character; }
};

// Whole frame lengths, checksum included.
[[nodiscard]] std::size_t rtu_request_bytes(const ModbusRequest& request);
[[nodiscard]] std::size_t rtu_answer_bytes(const ModbusRequest& request);

// Cuts a byte stream into frames. Fill room(), filled(n), then next() until it says `more`; silence() when the line has
// been quiet. Only frames with a right checksum come out; everything else is counted as noise. Spans of frames are
// valid until the next call of room().
class RtuReader {
 public:
  enum class Side : std::uint8_t { requests, answers };  // what is read
  enum class State : std::uint8_t { frame, more };

  explicit RtuReader(Side side) : side_(side) {}

  // Answers only: the one that is waited for. It is found behind noise that looks like the beginning of another frame.
  void expect(std::uint8_t unit, ModbusFunction function, std::size_t bytes);
  void expect_nothing() { expected_bytes_ = 0; }

  [[nodiscard]] std::span<std::uint8_t> room();
  void filled(std::size_t bytes) { end_ += bytes; }
  [[nodiscard]] State next(ModbusFrame& frame);  // transaction is 0
  // No byte came for a while: what is unfinished will stay so. next() may still find a frame behind its first bytes.
  void silence() { silent_ = true; }
  void clear();

  [[nodiscard]] bool within_frame() const { return end_ > begin_; }
  // The unfinished bytes begin like the expected answer: it is on its way, or it is damaged.
  [[nodiscard]] bool within_expected() const;
  [[nodiscard]] std::uint64_t noise() const { return noise_; }      // bytes that belonged to no frame
  [[nodiscard]] std::uint64_t damaged() const { return damaged_; }  // expected answers with a wrong checksum or end

 private:
  [[nodiscard]] std::size_t length_at(std::size_t at) const;  // 0: more bytes needed; 1: no frame begins here
  [[nodiscard]] bool whole_at(std::size_t at, std::size_t length) const;
  [[nodiscard]] bool expected_at(std::size_t at) const;
  [[nodiscard]] bool skip_to_expected();
  void take(std::size_t length, ModbusFrame& frame);
  void skip(std::size_t bytes);

  static constexpr std::size_t kRoom = 4 * kMaxRtuFrame;

  const Side side_;
  std::array<std::uint8_t, kRoom> buffer_{};
  std::size_t begin_ = 0;  // of what was not handed out yet
  std::size_t end_ = 0;
  bool silent_ = false;
  std::uint8_t expected_unit_ = 0;
  std::uint8_t expected_function_ = 0;
  std::size_t expected_bytes_ = 0;  // 0: none is expected
  std::uint64_t noise_ = 0;
  std::uint64_t damaged_ = 0;
};

}  // namespace alara::wire
