// SPDX-License-Identifier: Apache-2.0
// A line of any content: no crash, every count within its bound, every number finite.
#include <cmath>
#include <cstddef>

#include "wire/line_protocol.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace alara;
  wire::Line line;
  if (!wire::parse_line({reinterpret_cast<const char*>(bytes), size}, kMillisecond, line)) return 0;
  if (line.measurement.empty() || line.fields.empty() || line.fields.size() > wire::kMostLineFields ||
      line.tags.size() > wire::kMostLineTags)
    __builtin_trap();
  for (const auto& field : line.fields)
    if (field.number && !std::isfinite(*field.number)) __builtin_trap();
  return 0;
}
