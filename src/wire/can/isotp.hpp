// SPDX-License-Identifier: Apache-2.0
// ISO 15765-2 (ISO-TP): messages of up to 4095 bytes over frames of 8, with flow control. Diagnostics (OBD-II, UDS) go
// over it. Pure state machines: frames and instants in, frames and messages out.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "wire/can/frame.hpp"

namespace alara::wire::can {

inline constexpr std::size_t kMostIsotpBytes = 4095;
inline constexpr Nanos kIsotpTimeout = kSecond;  // N_Cr, N_Bs
inline constexpr std::uint8_t kIsotpPad = 0xCC;  // fills frames to 8 bytes

// Puts together what one sender sends.
class IsotpReceiver {
 public:
  enum class Event : std::uint8_t { none, message, flow_control_due, fault };
  // Takes the data of a frame. `message`: message() is complete. `flow_control_due`: flow_control() must be sent now.
  // `fault`: out of sequence, too short, or an impossible length; the message under way is dropped.
  [[nodiscard]] Event take(std::span<const std::uint8_t> data, Nanos now);
  [[nodiscard]] const std::vector<std::uint8_t>& message() const { return message_; }
  // Data of the frame that lets the sender go on, without pauses.
  [[nodiscard]] static std::array<std::uint8_t, 8> flow_control();
  // Whether a message under way has fallen silent; it is then dropped.
  [[nodiscard]] bool timed_out(Nanos now);

 private:
  std::vector<std::uint8_t> message_;
  std::size_t size_ = 0;  // 0: none is under way
  std::uint8_t next_ = 0;
  Nanos last_ = 0;
};

// Takes one message apart.
class IsotpSender {
 public:
  // Data of the frames that may go now; waits for flow control when the message is longer than 7 bytes. Fails when it
  // is empty or longer than kMostIsotpBytes.
  [[nodiscard]] Status begin(std::vector<std::uint8_t> message, Nanos now);
  // A frame of the receiver: flow control.
  void take(std::span<const std::uint8_t> data, Nanos now);
  // The next frame's data when it may go at `now`.
  [[nodiscard]] std::optional<std::vector<std::uint8_t>> next(Nanos now);
  [[nodiscard]] bool done() const { return state_ == State::idle || state_ == State::failed; }
  [[nodiscard]] bool failed() const { return state_ == State::failed; }  // refused, or no answer in time
  // When next() should be asked again; kNever when it waits for the receiver or is done.
  [[nodiscard]] Nanos due() const;

 private:
  enum class State : std::uint8_t { idle, first, waiting, sending, failed };
  State state_ = State::idle;
  std::vector<std::uint8_t> message_;
  std::size_t sent_ = 0;
  std::uint8_t sequence_ = 1;
  std::uint8_t block_left_ = 0;  // 0: no limit
  bool limited_ = false;
  Nanos pause_ = 0, due_ = 0, asked_ = 0;
};

}  // namespace alara::wire::can
