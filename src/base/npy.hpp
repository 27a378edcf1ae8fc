// SPDX-License-Identifier: Apache-2.0
// The header of NumPy's .npy files, format versions 1 to 3 (numpy.lib.format, NEP 1): what numbers follow, in what
// shape, and where they begin. Little-endian numbers in C order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace alara {

enum class NpyType : std::uint8_t {
  boolean,
  int8,
  uint8,
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64,
  float16,
  float32,
  float64,
};

inline constexpr std::size_t kMaxNpyHeader = 64u << 10;
inline constexpr std::size_t kMaxNpyDimensions = 16;

struct NpyHeader {
  NpyType type = NpyType::float32;
  std::size_t item_size = 4;         // bytes
  std::vector<std::uint64_t> shape;  // empty: one number
  std::uint64_t data_offset = 0;     // bytes before the first number
  [[nodiscard]] std::uint64_t items() const;
};

// `start` holds the file's first bytes (up to kMaxNpyHeader of them), `file_size` is the whole file's size, which must
// be able to hold the data. Errors have no place; the caller knows the file.
[[nodiscard]] Result<NpyHeader> parse_npy_header(std::span<const std::byte> start, std::uint64_t file_size);
// A header of version 1 that ends at a multiple of 64 bytes, as NumPy writes it. The numbers follow it.
[[nodiscard]] std::string npy_header_text(NpyType type, std::span<const std::uint64_t> shape);

}  // namespace alara
