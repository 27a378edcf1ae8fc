// SPDX-License-Identifier: Apache-2.0
// Any text as an address: it parses to something within the protocol's limits or is refused with a sentence.
#include <cstdlib>

#include "connect/modbus/address.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alara::modbus;
  const std::string text(reinterpret_cast<const char*>(data), size);
  AddressDefaults defaults;
  defaults.first_address = size % 2;
  const auto address = parse_address(text, defaults);
  if (!address) {
    if (address.error().message.empty()) std::abort();
    return 0;
  }
  if (address->count < 1 || address->first + address->count > 0x10000 || address->format.bit > 15) std::abort();
  if (address->count > 1 && is_of_bits(address->table)) std::abort();
  return 0;
}
