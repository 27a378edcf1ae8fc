// SPDX-License-Identifier: Apache-2.0
// A peer's certificate of any content: no crash; what is one has a fingerprint.
#include <cstddef>

#include "connect/opcua/certificate.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto info = alara::opcua::inspect_certificate({bytes, size});
  if (info && info->fingerprint.size() != 64) __builtin_trap();
  return 0;
}
