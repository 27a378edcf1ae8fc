// SPDX-License-Identifier: Apache-2.0
#include "connect/mqtt/bd_sequence.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/quantity.hpp"
#include "base/text.hpp"

namespace alara::mqtt {

std::uint8_t BdSequence::next(Status& problem) {
  problem = {};
  if (!loaded_) problem = load();
  loaded_ = true;
  last_ = (last_ + 1) % 256;
  if (const Status saved = save(static_cast<std::uint8_t>(last_)); !saved) problem = saved;
  return static_cast<std::uint8_t>(last_);
}

Status BdSequence::load() {
  std::ifstream file(path_);
  if (!file) return {};  // the first start
  std::string line(16, '\0');
  file.read(line.data(), static_cast<std::streamsize>(line.size()));
  line.resize(static_cast<std::size_t>(file.gcount()));
  const auto number = parse_integer(trim(line));
  if (!number || *number < 0 || *number > 255)
    return fail(ErrorKind::corrupt, "bd_seq_file {} holds no number from 0 to 255; counting starts again", path_);
  last_ = static_cast<int>(*number);
  return {};
}

Status BdSequence::save(std::uint8_t number) const {
  const auto refuse = [this](const char* what) {
    return fail(ErrorKind::unavailable, "can not {} bd_seq_file {}: {}", what, path_, std::strerror(errno));
  };
  const std::string fresh = path_ + ".new";
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return refuse("write");
  const std::string text = fmt::format("{}\n", number);
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  const int error = errno;
  close(fd);
  errno = error;
  if (!written) return refuse("write");
  if (std::rename(fresh.c_str(), path_.c_str()) != 0) return refuse("replace");
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  const int directory = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {  // the new name reaches the disk as well
    static_cast<void>(fsync(directory));
    close(directory);
  }
  return {};
}

}  // namespace alara::mqtt
