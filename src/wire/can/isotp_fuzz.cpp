// SPDX-License-Identifier: Apache-2.0
// Frames of an ISO-TP peer, to a receiver and to a sender: no crash, messages within their length.
#include <cstddef>

#include "wire/can/isotp.hpp"
#include "wire/can/obd.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace alara::wire::can;
  IsotpReceiver receiver;
  IsotpSender sender;
  if (size > 0) static_cast<void>(sender.begin(std::vector<std::uint8_t>(bytes[0] * 16u + 1u), 0));
  alara::Nanos now = 0;
  for (std::size_t at = 1; at < size;) {
    const std::size_t length = bytes[at] % 9;
    now += (bytes[at] & 0x80) != 0 ? alara::kSecond : alara::kMillisecond;
    ++at;
    const std::span<const std::uint8_t> data(bytes + at, length < size - at ? length : size - at);
    at += data.size();
    if (receiver.take(data, now) == IsotpReceiver::Event::message) {
      if (receiver.message().empty() || receiver.message().size() > kMostIsotpBytes) __builtin_trap();
      for (const ObdParameter& parameter : obd_parameters())
        static_cast<void>(obd_value(parameter, receiver.message()));
    }
    static_cast<void>(receiver.timed_out(now));
    sender.take(data, now);
    for (int i = 0; i < 4; ++i) static_cast<void>(sender.next(now));
  }
  return 0;
}
