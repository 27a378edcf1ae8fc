// SPDX-License-Identifier: Apache-2.0
// Files that others may read at any time: replaced as a whole, or not at all.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace alara {

// Writes a temporary file beside `path`, syncs it and renames it over `path`: readers, and whoever looks after a power
// cut, see the old content or all of the new. Errors: unavailable, with the system's reason; nothing is left behind.
Status replace_file(const std::filesystem::path& path, std::string_view bytes);

// Writes all of the bytes to an open file and syncs it. `path` is for the error: unavailable, with the system's reason.
Status append(int descriptor, std::string_view bytes, const std::filesystem::path& path);

}  // namespace alara
