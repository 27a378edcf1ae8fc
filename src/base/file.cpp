// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace alara {
namespace {

// errno of the step that failed, 0 for success.
int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(descriptor) == 0 ? 0 : errno;
}

}  // namespace

Status replace_file(const std::filesystem::path& path, std::string_view bytes) {
  std::string temporary = path.string() + ".XXXXXX";
  const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) return fail(ErrorKind::unavailable, "can not write '{}': {}", path.string(), strerror(errno));
  int failure = ::fchmod(descriptor, 0644) == 0 ? write_all(descriptor, bytes) : errno;
  if (::close(descriptor) != 0 && failure == 0) failure = errno;
  if (failure == 0 && std::rename(temporary.c_str(), path.c_str()) != 0) failure = errno;
  if (failure == 0) return {};
  ::unlink(temporary.c_str());
  return fail(ErrorKind::unavailable, "can not write '{}': {}", path.string(), strerror(failure));
}

Status append(int descriptor, std::string_view bytes, const std::filesystem::path& path) {
  const int failure = write_all(descriptor, bytes);
  if (failure == 0) return {};
  return fail(ErrorKind::unavailable, "can not write '{}': {}", path.string(), strerror(failure));
}

}  // namespace alara
