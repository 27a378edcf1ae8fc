// SPDX-License-Identifier: Apache-2.0
// Feature names and shaft speeds as any text.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "flow/feature/features.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(alara::flow::parse_shaft_speed(text));
  std::vector<std::string> list;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    list.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (const auto features = alara::flow::parse_features(list))
    for (const auto& feature : *features)
      if (feature.high_hz < feature.low_hz || feature.name.empty()) __builtin_trap();
  return 0;
}
