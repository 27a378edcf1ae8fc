// SPDX-License-Identifier: Apache-2.0
// Whole files in and out of memory, bounded, with errors that name the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace alara::learn {

// Errors: not_found, unavailable (it can not be read), exhausted (more than `most` bytes), bad_input (no regular file).
[[nodiscard]] Result<std::vector<std::byte>> read_bytes(const std::filesystem::path& path, std::uint64_t most);
// `count` bytes from `offset` on. Errors: as above, and corrupt when the file is shorter.
Status read_part(const std::filesystem::path& path, std::uint64_t offset, std::span<std::byte> out);
[[nodiscard]] Result<std::uint64_t> size_of_file(const std::filesystem::path& path);
// Through a temporary file beside it, synced to disk: `path` has the old content or all of the new.
Status write_bytes(const std::filesystem::path& path, std::string_view bytes);

}  // namespace alara::learn
