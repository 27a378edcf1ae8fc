// SPDX-License-Identifier: Apache-2.0
// A DBC file of any content: no crash, and every signal that fits a message can be read, written and read back.
#include <cstddef>

#include "wire/can/dbc.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace alara::wire::can;
  const auto dbc = parse_dbc({reinterpret_cast<const char*>(bytes), size}, "fuzz");
  if (!dbc) return 0;
  for (const DbcMessage& message : dbc->messages) {
    std::vector<std::uint8_t> data(message.size, 0x5A);
    for (const DbcSignal& signal : message.signals) {
      if (signal.bits.bytes() > data.size()) continue;
      static_cast<void>(signal.value(data));
      static_cast<void>(message.has(signal, data));
      static_cast<void>(signal.put(1.5, data));
      static_cast<void>(message.make_room(signal, data));
    }
  }
  return 0;
}
