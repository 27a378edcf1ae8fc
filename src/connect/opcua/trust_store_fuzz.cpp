// SPDX-License-Identifier: Apache-2.0
// A peer's chain of any content, against a store that holds pieces of the same: no crash, and nobody is trusted by a
// store that is empty.
#include <cstddef>

#include "connect/opcua/trust_store.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace alara::opcua;
  const std::size_t third = size / 3;
  const Der chain(bytes, bytes + third), trusted(bytes + third, bytes + 2 * third),
      list(bytes + 2 * third, bytes + size);
  constexpr alara::Nanos kNow = 1'800'000'000 * alara::kSecond;
  static_cast<void>(TrustStore({{trusted}, {trusted}, {list}, ""}).judge(chain, kNow));
  if (TrustStore({}).judge({bytes, size}, kNow)) __builtin_trap();
  return 0;
}
