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

enum class PathKind { none, file, folder, other };
// Of what a path leads to. Errors: unavailable (a link that leads to itself, a name that is too long, a folder that may
// not be entered), with the system's reason.
[[nodiscard]] Result<PathKind> kind_of(const std::filesystem::path& path);
// Whether it is a folder, and whether it is there at all; errors as of kind_of.
[[nodiscard]] Result<bool> is_folder(const std::filesystem::path& path);
[[nodiscard]] Result<bool> is_there(const std::filesystem::path& path);

// Errors: not_found, unavailable (it can not be read), exhausted (more than `most` bytes), bad_input (no regular file).
[[nodiscard]] Result<std::vector<std::byte>> read_bytes(const std::filesystem::path& path, std::uint64_t most);
// `count` bytes from `offset` on. Errors: as above, and corrupt when the file is shorter.
Status read_part(const std::filesystem::path& path, std::uint64_t offset, std::span<std::byte> out);
[[nodiscard]] Result<std::uint64_t> size_of_file(const std::filesystem::path& path);
// Whether a file can be written there: its folder exists and may be written to, and it is no folder itself. To know it
// before long work. Errors: not_found, bad_input, unavailable.
Status check_writable(const std::filesystem::path& path);
// Through a temporary file beside it, synced to disk: `path` has the old content or all of the new.
Status write_bytes(const std::filesystem::path& path, std::string_view bytes);

}  // namespace alara::learn
