// SPDX-License-Identifier: Apache-2.0
// Any text as an address of the server: refused, or a node with a name and, if any, a range that holds something.
#include <cstddef>

#include "connect/opcua/server_address.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto address = alara::opcua::parse_server_address({reinterpret_cast<const char*>(bytes), size});
  if (!address) return 0;
  if (address->path.empty() || (address->range && !(address->range->least < address->range->most))) __builtin_trap();
  return 0;
}
