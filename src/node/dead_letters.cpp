// SPDX-License-Identifier: Apache-2.0
#include "node/dead_letters.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>

#include <nlohmann/json.hpp>

#include "base/quantity.hpp"

namespace alara::node {

std::string to_json(const ShownDeadLetter& letter) {
  nlohmann::ordered_json json = {{"time", format_instant(letter.time)}};
  const std::size_t dot = letter.signal.rfind('.');
  const std::string asset(letter.signal.substr(0, dot)), signal(letter.signal.substr(dot + 1));
  json[asset][signal] = std::isfinite(letter.value) ? nlohmann::ordered_json(letter.value) : nullptr;
  json["quality"] = name_of(letter.quality);
  json["reason"] = letter.reason;
  json["pipeline"] = letter.pipeline;
  json["turned_away"] = format_instant(letter.wall);
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<std::unique_ptr<DeadLetterFile>> DeadLetterFile::open(const std::string& path, std::uint64_t most_bytes) {
  auto file = std::unique_ptr<DeadLetterFile>(new DeadLetterFile(path, most_bytes));
  ALARA_CHECK(file->open_file());
  return file;
}

DeadLetterFile::~DeadLetterFile() {
  if (fd_ >= 0) close(fd_);
}

Status DeadLetterFile::open_file() {
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd_ < 0) return fail(ErrorKind::bad_input, "can not open '{}': {}", path_, std::strerror(errno));
  struct stat known {};
  bytes_ = fstat(fd_, &known) == 0 ? static_cast<std::uint64_t>(known.st_size) : 0;
  return {};
}

Status DeadLetterFile::append(const ShownDeadLetter& letter) {
  const std::string line = to_json(letter) + "\n";
  if (fd_ >= 0 && bytes_ > 0 && bytes_ + line.size() > most_bytes_ / 2) {
    close(fd_);
    fd_ = -1;
    if (std::rename(path_.c_str(), (path_ + ".1").c_str()) != 0)
      return fail(ErrorKind::exhausted, "'{}' is full and can not become '{}.1': {}", path_, path_,
                  std::strerror(errno));
  }
  if (fd_ < 0) ALARA_CHECK(open_file());
  if (write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return fail(ErrorKind::exhausted, "can not write to '{}': {}", path_, std::strerror(errno));
  bytes_ += line.size();
  return {};
}

}  // namespace alara::node
