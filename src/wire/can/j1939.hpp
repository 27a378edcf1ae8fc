// SPDX-License-Identifier: Apache-2.0
// SAE J1939 on CAN: what a 29-bit id says, messages of up to 1785 bytes put together from frames (transport protocol,
// broadcast and with a handshake), values that say "not available", and the faults of DM1.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "wire/can/dbc.hpp"
#include "wire/can/frame.hpp"

namespace alara::wire::can {

inline constexpr std::uint8_t kEveryone = 0xFF;  // the destination of a broadcast
inline constexpr std::uint32_t kPgnDm1 = 65226;  // active faults

struct J1939Id {
  std::uint8_t priority = 6;
  std::uint32_t pgn = 0;  // parameter group number: what the message is about
  std::uint8_t source = 0;
  std::uint8_t destination = kEveryone;

  [[nodiscard]] static J1939Id of(std::uint32_t can_id);
  [[nodiscard]] std::uint32_t can_id() const;
};

// What a raw value says besides a number (J1939-71): in each width the greatest values mean "not available" and
// "error".
enum class J1939Value : std::uint8_t { valid, error, not_available };
[[nodiscard]] J1939Value judge_j1939(std::uint64_t raw, unsigned bits);

// A whole message, however many frames it took.
struct J1939Message {
  J1939Id id;
  std::vector<std::uint8_t> data;
};

// Puts messages together (J1939-21). Listens to everyone's; when it has an address of its own it takes part in the
// handshake for what is sent to it. Bounded: at most kMostSessions messages under way; a session that falls silent for
// kTimeout is given up. Confined to one thread.
class J1939Transport {
 public:
  static constexpr std::size_t kMostSessions = 64;
  static constexpr Nanos kTimeout = 1250 * kMillisecond;  // T2 and T3 of the standard

  // `address`: ours, for handshakes; kEveryone: only listen.
  explicit J1939Transport(std::uint8_t address = kEveryone) : address_(address) {}

  // Takes an extended frame. A frame of a transported message gives the whole message with its last part; any other
  // frame is a whole message by itself. `replies` gets frames to be sent.
  [[nodiscard]] std::optional<J1939Message> take(const Frame& frame, Nanos now, std::vector<Frame>& replies);

  [[nodiscard]] std::uint64_t given_up() const { return given_up_; }        // timed out, aborted, out of sequence
  [[nodiscard]] std::uint64_t turned_away() const { return turned_away_; }  // no room, or an impossible announcement
  [[nodiscard]] std::size_t sessions() const { return sessions_.size(); }

 private:
  struct Session {
    J1939Id id;  // of the message that is being put together
    std::size_t size = 0;
    std::uint8_t packets = 0, next = 1;
    std::uint8_t block_end = 0;  // the last packet that we asked for
    Nanos last = 0;
    std::vector<std::uint8_t> data;
  };
  void open(const Frame& frame, const J1939Id& id, Nanos now, std::vector<Frame>& replies);
  [[nodiscard]] std::optional<J1939Message> add(const Frame& frame, const J1939Id& id, Nanos now,
                                                std::vector<Frame>& replies);
  void drop_silent(Nanos now);
  [[nodiscard]] Frame control(const Session& session, std::array<std::uint8_t, 5> bytes) const;
  [[nodiscard]] Frame clear_to_send(Session& session) const;

  const std::uint8_t address_;
  std::vector<Session> sessions_;
  std::uint64_t given_up_ = 0, turned_away_ = 0;
};

// The frames that broadcast a message (BAM); one frame when it has at most 8 bytes. Empty when it is longer than 1785.
[[nodiscard]] std::vector<Frame> broadcast_j1939(const J1939Message& message);

// DM1 (J1939-73): the lamps and the active faults of one control unit.
struct J1939Fault {
  std::uint32_t spn = 0;   // which part
  std::uint8_t fmi = 0;    // how it fails
  std::uint8_t count = 0;  // how often; 127: not available
};
struct J1939Faults {
  bool malfunction = false, red_stop = false, amber_warning = false, protect = false;  // lamps
  std::vector<J1939Fault> faults;
};
// Empty when the data are too short to be a DM1.
[[nodiscard]] std::optional<J1939Faults> parse_dm1(std::span<const std::uint8_t> data);

}  // namespace alara::wire::can
