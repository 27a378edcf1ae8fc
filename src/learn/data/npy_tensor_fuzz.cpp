// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <span>

#include "learn/data/npy_tensor.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alara::learn;
  const auto tensor = parse_npy(std::as_bytes(std::span(data, size)));
  if (!tensor) return 0;
  const auto written = to_npy(*tensor);
  if (!written) __builtin_trap();
  const auto again = parse_npy(std::as_bytes(std::span(*written)));
  if (!again || *again != *tensor) __builtin_trap();
  return 0;
}
