// SPDX-License-Identifier: Apache-2.0
// Any bytes as a CSV and as lines: reading in one piece and in small ones gives the same records, and ends.
#include <cstdlib>
#include <string>
#include <string_view>

#include "connect/file/settings.hpp"
#include "connect/file/text_reader.hpp"

namespace {

std::string fingerprint(std::string_view text, std::size_t piece, alara::file::TextReader::Kind kind) {
  alara::file::MemoryInput input(text, piece);
  alara::file::TextReader reader(input, "fuzz", kind);
  std::string out;
  for (;;) {
    const auto any = reader.next();
    if (!any) return out + "!" + any.error().text();
    if (!*any) return out;
    out += std::to_string(reader.line());
    for (const std::string_view cell : reader.cells()) {
      out += '|';
      out += cell;
      static_cast<void>(alara::file::parse_time(cell, alara::file::TimeFormat::automatic));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = 1 + data[0] % 16;
  for (const auto kind : {alara::file::TextReader::Kind::csv, alara::file::TextReader::Kind::lines})
    if (fingerprint(text, SIZE_MAX, kind) != fingerprint(text, piece, kind)) std::abort();
  return 0;
}
