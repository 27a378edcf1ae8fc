// SPDX-License-Identifier: Apache-2.0
// An address of any content: no crash, nothing beyond its bounds.
#include <cstddef>

#include "connect/opcua/address.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto address = alara::opcua::parse_address({reinterpret_cast<const char*>(bytes), size});
  if (address && (address->path.size() > alara::opcua::kMostPathSteps || address->node.text.empty())) __builtin_trap();
  return 0;
}
