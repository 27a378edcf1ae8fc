// SPDX-License-Identifier: Apache-2.0
// Series out of NumPy's .npy files (base/npy.hpp): addresses like "[:, :, 0]" that pick a series out of an
// array of one to three dimensions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/npy.hpp"
#include "base/result.hpp"

namespace alara::file {

inline constexpr std::size_t kMaxSeriesDimensions = 3;

// The header of an array that a series can be picked out of: one to three dimensions of numbers that are neither
// boolean nor float16. Otherwise as parse_npy_header().
[[nodiscard]] Result<NpyHeader> parse_series_header(std::span<const char> start, std::uint64_t file_size);

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
