// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "learn/plan/checkpoint.hpp"

// The checksum would stop nearly all inputs, so it is made right: what comes before the first zero byte is the header.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alara::learn;
  static_cast<void>(parse_checkpoint(std::as_bytes(std::span(data, size))));
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t split = std::min(text.find('\0'), text.size());
  const std::string file = sealed(text.substr(0, split), text.substr(std::min(split + 1, text.size())));
  const auto checkpoint = parse_checkpoint(std::as_bytes(std::span(file)));
  if (!checkpoint) return 0;
  const std::string written = to_bytes(*checkpoint);
  const auto again = parse_checkpoint(std::as_bytes(std::span(written)));
  if (!again || *again != *checkpoint) __builtin_trap();
  return 0;
}
