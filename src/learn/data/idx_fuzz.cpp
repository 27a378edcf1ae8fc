// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <span>

#include "learn/data/idx.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto tensor = alara::learn::parse_idx(std::as_bytes(std::span(data, size)));
  if (tensor && tensor->elements() * alara::graph::bytes_of(tensor->type) != tensor->bytes.size()) __builtin_trap();
  return 0;
}
