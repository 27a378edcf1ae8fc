// SPDX-License-Identifier: Apache-2.0
// Files of any content to import: no crash, bounded, and what is made of them is text without holes in its quotes.
#include <cstddef>

#include "node/import.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace alara::node;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const auto imported = bytes[0] % 2 == 0 ? import_csv(text, "fuzz", {}) : import_telegraf(text, "fuzz");
  if (imported) static_cast<void>(site_of(*imported, "fuzz"));
  return 0;
}
