// SPDX-License-Identifier: Apache-2.0
#include "core/sample.hpp"

#include <array>

namespace alara {
namespace {

constexpr std::array<std::string_view, 9> kTypeNames{"bool",  "int16",  "uint16",  "int32",  "uint32",
                                                     "int64", "uint64", "float32", "float64"};
constexpr std::array<std::string_view, 3> kQualityNames{"good", "uncertain", "bad"};

}  // namespace

std::string_view name_of(SignalType type) { return kTypeNames[static_cast<std::size_t>(type)]; }
std::string_view name_of(Quality quality) { return kQualityNames[static_cast<std::size_t>(quality)]; }

std::optional<SignalType> signal_type_named(std::string_view name) {
  for (std::size_t i = 0; i < kTypeNames.size(); ++i)
    if (kTypeNames[i] == name) return static_cast<SignalType>(i);
  return std::nullopt;
}

}  // namespace alara
