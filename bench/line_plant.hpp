// SPDX-License-Identifier: Apache-2.0
// The other sides of the `line` benchmark, each in a forked process: twenty Modbus devices that trip on a schedule of
// their own and time the answer, the MQTT sender, and the bare ping-pong beside them.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace alara::bench {

inline constexpr int kLineDevices = 20;
inline constexpr Nanos kLinePoll = 10 * kMillisecond;
inline constexpr std::size_t kMaxTrips = 100'000;
inline constexpr std::size_t kMaxPings = 100'000;

// Memory shared by the benchmark and its children.
struct LineBoard {
  std::atomic<bool> sending{false};   // the sender may begin
  std::atomic<bool> tripping{false};  // devices may trip
  std::atomic<bool> over{false};      // everyone ends

  std::array<std::atomic<int>, kLineDevices> ports{};  // of the devices, once they listen
  std::atomic<std::uint64_t> polls{0};                 // reads served
  // One entry per trip: from the scheduled poll slot at or after the instant at which the value rose, and from the
  // poll that carried it, to the arrival of the coil write.
  std::atomic<std::size_t> trips{0};
  std::array<Nanos, kMaxTrips> from_slot{}, from_poll{};
  std::atomic<std::size_t> unanswered{0};  // trips still open at the end

  std::atomic<std::uint64_t> points_sent{0};
  std::atomic<std::uint64_t> last_tick{0};  // of the sender
  std::atomic<Nanos> sender_late{0};        // greatest lateness of a tick

  std::atomic<std::size_t> pings{0};
  std::array<Nanos, kMaxPings> round_trips{};
};

// Anonymous shared memory, unmapped at the end.
[[nodiscard]] Result<std::shared_ptr<LineBoard>> make_line_board();

int run_line_devices(LineBoard& board, Nanos trip_every);
// Value of sensor `s` at tick `t`, as sent; known to the reference.
[[nodiscard]] double line_value(std::uint32_t sensor, std::uint64_t tick);
int run_line_sender(LineBoard& board, int broker_port, int sensors, int points_per_message, Nanos tick_every);
// Echoes bytes on one end of a TCP connection and times them on the other, `every` nanoseconds.
int run_ping_pong(LineBoard& board, Nanos every);

}  // namespace alara::bench
