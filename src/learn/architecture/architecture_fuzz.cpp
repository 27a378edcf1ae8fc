// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "graph/shapes.hpp"
#include "learn/architecture/architecture.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alara;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto model = learn::parse_architecture(text, "fuzz", {.seed = 1, .max_parameters = 1 << 14});
  if (model && !graph::infer_shapes(*model)) __builtin_trap();
  return 0;
}
