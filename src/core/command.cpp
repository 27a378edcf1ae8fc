// SPDX-License-Identifier: Apache-2.0
#include "core/command.hpp"

#include <array>

namespace alara {

std::string_view name_of(Outcome outcome) {
  constexpr std::array<std::string_view, 6> kNames{"done",     "refused by device", "refused by rule",
                                                   "mismatch", "timed out",         "unavailable"};
  return kNames[static_cast<std::size_t>(outcome)];
}

std::string_view name_of(Severity severity) {
  constexpr std::array<std::string_view, 5> kNames{"info", "low", "medium", "high", "critical"};
  return kNames[static_cast<std::size_t>(severity)];
}

}  // namespace alara
