// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <span>

#include "learn/data/picture.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alara::learn;
  if (size < 1) return 0;
  const int channels = data[0] % 2 == 0 ? 1 : 3;
  const auto picture = parse_picture(std::as_bytes(std::span(data + 1, size - 1)), channels);
  if (!picture || picture->width * picture->height > 1 << 16) return 0;
  if (resized(*picture, 5, 3).size() != static_cast<std::size_t>(15 * channels)) __builtin_trap();
  return 0;
}
