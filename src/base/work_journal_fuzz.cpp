// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "base/work_journal.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(alara::WorkJournal::parse(text));
  static_cast<void>(alara::WorkJournal::parse("alara journal 1\n" + std::string(text)));
  return 0;
}
