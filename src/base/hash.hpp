// SPDX-License-Identifier: Apache-2.0
// FNV-1a of 64 bits (Fowler, Noll and Vo): tells things apart that differ by accident. Not against intent.
#pragma once

#include <cstdint>
#include <string_view>

namespace alara {

inline constexpr std::uint64_t kFnvBasis = 0xcbf29ce484222325;

// Goes on from `hash`, so that parts can be taken one after the other.
[[nodiscard]] constexpr std::uint64_t fnv1a(std::string_view bytes, std::uint64_t hash = kFnvBasis) {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

}  // namespace alara
