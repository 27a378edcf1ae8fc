// SPDX-License-Identifier: Apache-2.0
// Input: a path, a NUL, a payload. The path may be refused; the payload may be refused; nothing else may happen.
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "wire/payload_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alara::wire;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = std::min(input.find('\0'), input.size());
  JsonPlan plan;
  for (const std::string_view fixed : {"", "a.b[2]", "x[:]", "[17]"}) static_cast<void>(plan.add(fixed));
  static_cast<void>(plan.add(input.substr(0, cut)));
  PayloadLimits limits;
  limits.count = 1000;
  JsonRow row;
  if (plan.read(input.substr(std::min(cut + 1, size)), limits, row) != PayloadFault::none) return 0;
  for (const JsonRow::Point& point : row.points) {
    if (point.fault != PayloadFault::none) continue;
    if (point.list && point.first + point.count > row.samples.size()) std::abort();
    if (!point.list && !std::isfinite(point.value)) std::abort();
  }
  return 0;
}
