// SPDX-License-Identifier: Apache-2.0
// IDX files, the format of the MNIST data sets (Y. LeCun, "The MNIST database"): a type, sizes, big-endian numbers; as
// they are or packed with gzip.
#pragma once

#include <filesystem>
#include <span>

#include "base/result.hpp"
#include "graph/tensor.hpp"

namespace alara::learn {

inline constexpr std::uint64_t kMaxIdxBytes = std::uint64_t{4} << 30;  // of one file, and of what it unpacks to
inline constexpr std::size_t kMaxIdxRank = 8;

// Errors: corrupt (no IDX, cut off, longer than its sizes say, a broken gzip stream), exhausted (too large).
[[nodiscard]] Result<graph::Tensor> parse_idx(std::span<const std::byte> bytes);
[[nodiscard]] Result<graph::Tensor> read_idx(const std::filesystem::path& path);
// "t10k-images-idx3-ubyte.gz", "train-labels.idx1-ubyte": as such files are called.
[[nodiscard]] bool named_like_idx(const std::filesystem::path& path);

}  // namespace alara::learn
