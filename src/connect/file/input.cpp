// SPDX-License-Identifier: Apache-2.0
#include "connect/file/input.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace alara::file {

Result<std::size_t> MemoryInput::read(std::span<char> into) {
  const std::size_t count = std::min({into.size(), rest_.size(), piece_});
  std::copy_n(rest_.data(), count, into.data());
  rest_.remove_prefix(count);
  return count;
}

Result<std::unique_ptr<FileInput>> FileInput::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(ErrorKind::not_found, "can not open {}: {}", path, std::strerror(errno));
  struct stat status {};
  std::unique_ptr<FileInput> input(new FileInput(path, fd));
  if (fstat(fd, &status) != 0 || S_ISDIR(status.st_mode)) return fail(ErrorKind::bad_input, "{} is not a file", path);
  return input;
}

FileInput::~FileInput() { close(fd_); }

Result<std::size_t> FileInput::read(std::span<char> into) {
  for (;;) {
    const ssize_t count = ::read(fd_, into.data(), into.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return fail(ErrorKind::unavailable, "can not read {}: {}", path_, std::strerror(errno));
  }
}

Status FileInput::read_at(std::uint64_t offset, std::span<char> into) const {
  for (std::size_t done = 0; done < into.size();) {
    const ssize_t count = pread(fd_, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(ErrorKind::unavailable, "can not read {}: {}", path_, std::strerror(errno));
    if (count == 0)
      return fail(ErrorKind::corrupt, "{} ends at byte {} where more was announced", path_, offset + done);
    done += static_cast<std::size_t>(count);
  }
  return {};
}

Result<std::uint64_t> FileInput::size() const {
  struct stat status {};
  if (fstat(fd_, &status) != 0) return fail(ErrorKind::unavailable, "can not read {}: {}", path_, std::strerror(errno));
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace alara::file
