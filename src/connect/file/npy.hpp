// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy files (format versions 1 to 3): the header, and addresses like "[:, :, 0]" that pick a series out of an
// array of one to three dimensions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace alara::file {

enum class NpyType : std::uint8_t { int8, uint8, int16, uint16, int32, uint32, int64, uint64, float32, float64 };

inline constexpr std::size_t kMaxNpyHeader = 64u << 10;
inline constexpr std::size_t kMaxNpyDimensions = 3;

struct NpyHeader {
  NpyType type = NpyType::float32;
  std::size_t item_size = 4;
  std::vector<std::uint64_t> shape;
  std::uint64_t data_offset = 0;
  [[nodiscard]] std::uint64_t items() const;
};
// `start` holds the file's first bytes (up to kMaxNpyHeader of them), `file_size` is the whole file's size, which must
// be able to hold the data. Errors have no place; the caller knows the file.
[[nodiscard]] Result<NpyHeader> parse_npy_header(std::span<const char> start, std::uint64_t file_size);

// One series: `records` stretches of `samples` items each.
struct NpySeries {
  std::uint64_t first = 0;  // item index of record 0, sample 0
  std::uint64_t records = 1, record_stride = 0;
  std::uint64_t samples = 0, sample_stride = 1;
};
// "[:, 0]", "[3, :, 1]", "" (all of a one-dimensional array). The last ':' runs over samples, one before it over
// records.
[[nodiscard]] Result<NpySeries> parse_npy_address(std::string_view address, const std::vector<std::uint64_t>& shape);
// The grammar alone, before the file is known.
[[nodiscard]] Status check_npy_address(std::string_view address);

// Items at 0, stride, 2*stride … of `data` as doubles. Returns how many are not finite.
std::size_t decode_npy(std::span<const char> data, NpyType type, std::size_t stride_bytes, std::span<double> out);

}  // namespace alara::file
