// SPDX-License-Identifier: Apache-2.0
// Any bytes as JSON Lines with a few paths bound: every line is read or refused.
#include <string_view>

#include "connect/file/text_reader.hpp"
#include "wire/payload_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  alara::file::MemoryInput input({reinterpret_cast<const char*>(data), size}, 7);
  alara::file::TextReader reader(input, "fuzz", alara::file::TextReader::Kind::lines);
  alara::wire::JsonPlan plan;
  for (const std::string_view path : {"a.b", "c[1]", "x[:]"}) static_cast<void>(plan.add(path));
  alara::wire::JsonRow row;
  for (auto any = reader.next(); any && *any; any = reader.next())
    static_cast<void>(plan.read(reader.cells().front(), {}, row));
  return 0;
}
