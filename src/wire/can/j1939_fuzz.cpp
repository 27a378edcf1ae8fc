// SPDX-License-Identifier: Apache-2.0
// A bus of J1939 frames, ours being one address of it: no crash, memory bounded, messages within their length.
#include <cstddef>
#include <cstring>

#include "wire/can/j1939.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace alara::wire::can;
  J1939Transport transport(0xF9);
  std::vector<Frame> replies;
  alara::Nanos now = 0;
  for (std::size_t at = 0; at + 13 <= size; at += 13) {
    Frame frame;
    std::memcpy(&frame.id, bytes + at, 4);
    frame.id &= kMostExtendedId;
    // Most ids shall be of the transport protocol, or little happens.
    if ((bytes[at + 4] & 0x80) != 0) frame.id = (frame.id & 0x1C00FFFF) | (frame.id & 1 ? 0xEC0000u : 0xEB0000u);
    frame.extended = true;
    frame.size = bytes[at + 4] % 9;
    std::memcpy(frame.data.data(), bytes + at + 5, 8);
    now += (bytes[at + 4] & 0x40) != 0 ? alara::kSecond : alara::kMillisecond;
    const auto message = transport.take(frame, now, replies);
    if (message && message->data.size() > kMostMessageBytes) __builtin_trap();
    if (message) static_cast<void>(parse_dm1(message->data));
    if (transport.sessions() > J1939Transport::kMostSessions) __builtin_trap();
  }
  return 0;
}
