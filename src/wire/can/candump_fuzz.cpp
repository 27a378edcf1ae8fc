// SPDX-License-Identifier: Apache-2.0
// Lines of a candump log: no crash, and what is a frame is written and read back as the same.
#include <cstddef>

#include "wire/can/frame.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace alara::wire::can;
  const auto logged = parse_candump({reinterpret_cast<const char*>(bytes), size});
  if (!logged) return 0;
  const auto again = parse_candump(candump_line(logged->frame, 0, "can0"));
  if (!again || !(again->frame == logged->frame)) __builtin_trap();
  return 0;
}
