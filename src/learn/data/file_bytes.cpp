// SPDX-License-Identifier: Apache-2.0
#include "learn/data/file_bytes.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace alara::learn {
namespace fs = std::filesystem;

Result<PathKind> kind_of(const fs::path& path) {
  std::error_code error;
  switch (fs::status(path, error).type()) {
    case fs::file_type::not_found:
      return PathKind::none;
    case fs::file_type::none:
      return fail(ErrorKind::unavailable, "'{}' can not be looked at: {}", path.string(), error.message());
    case fs::file_type::regular:
      return PathKind::file;
    case fs::file_type::directory:
      return PathKind::folder;
    default:
      return PathKind::other;
  }
}

Result<bool> is_folder(const fs::path& path) {
  ALARA_TRY(const PathKind kind, kind_of(path));
  return kind == PathKind::folder;
}

Result<bool> is_there(const fs::path& path) {
  ALARA_TRY(const PathKind kind, kind_of(path));
  return kind != PathKind::none;
}

Result<std::uint64_t> size_of_file(const fs::path& path) {
  ALARA_TRY(const PathKind kind, kind_of(path));
  if (kind == PathKind::none) return fail(ErrorKind::not_found, "there is no file '{}'", path.string());
  if (kind != PathKind::file) return fail(ErrorKind::bad_input, "'{}' is not a file", path.string());
  std::error_code error;
  const std::uint64_t size = fs::file_size(path, error);
  if (error) return fail(ErrorKind::unavailable, "'{}' can not be read: {}", path.string(), error.message());
  return size;
}

Status read_part(const fs::path& path, std::uint64_t offset, std::span<std::byte> out) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::unavailable, "'{}' can not be opened: {}", path.string(), std::strerror(errno));
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
  if (static_cast<std::size_t>(file.gcount()) != out.size())
    return fail(ErrorKind::corrupt, "'{}' ends after {} of {} bytes", path.string(), offset + file.gcount(),
                offset + out.size());
  return {};
}

Result<std::vector<std::byte>> read_bytes(const fs::path& path, std::uint64_t most) {
  ALARA_TRY(const std::uint64_t size, size_of_file(path));
  if (size > most)
    return fail(ErrorKind::exhausted, "'{}' has {} bytes; at most {} are read", path.string(), size, most);
  std::vector<std::byte> bytes(size);
  ALARA_CHECK(read_part(path, 0, bytes));
  return bytes;
}

Status check_writable(const fs::path& path) {
  ALARA_TRY(const PathKind kind, kind_of(path));
  if (kind == PathKind::folder || !path.has_filename())
    return fail(ErrorKind::bad_input, "'{}' is a folder, not a file to write", path.string());
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  ALARA_TRY(const bool there, is_folder(folder));
  if (!there)
    return fail(ErrorKind::not_found, "there is no folder '{}' to write '{}' into", folder.string(),
                path.filename().string());
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return fail(ErrorKind::unavailable, "nothing can be written into folder '{}': {}", folder.string(),
                std::strerror(errno));
  return {};
}

Status write_bytes(const fs::path& path, std::string_view bytes) {
  const std::string temporary = path.string() + ".part";
  const auto refuse = [&] {
    const std::string why = std::strerror(errno);
    ::unlink(temporary.c_str());
    return fail(ErrorKind::unavailable, "'{}' can not be written: {}", path.string(), why);
  };
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return refuse();
  bool good = true;
  while (good && !bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    good = written >= 0;
    if (good) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  good = good && ::fsync(file) == 0;
  good = ::close(file) == 0 && good;
  if (!good || std::rename(temporary.c_str(), path.c_str()) != 0) return refuse();
  return {};
}

}  // namespace alara::learn
