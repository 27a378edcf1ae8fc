// SPDX-License-Identifier: Apache-2.0
// Bytes of an slcan adapter: no crash, and the same items in whatever portions they come.
#include <cstddef>
#include <vector>

#include "wire/can/frame.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace alara::wire::can;
  const auto read = [&](std::size_t portion) {
    SlcanReader reader;
    std::vector<SlcanReader::Item> items;
    for (std::size_t at = 0; at < size; at += portion) {
      std::span<const std::uint8_t> part(bytes + at, portion < size - at ? portion : size - at);
      while (const auto item = reader.next(part)) items.push_back(*item);
    }
    return items;
  };
  const auto whole = read(size + 1), pieces = read(3);
  if (whole.size() != pieces.size()) __builtin_trap();
  for (std::size_t i = 0; i < whole.size(); ++i)
    if (whole[i].kind != pieces[i].kind || !(whole[i].frame == pieces[i].frame)) __builtin_trap();
  return 0;
}
