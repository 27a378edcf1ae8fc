// SPDX-License-Identifier: Apache-2.0
#include "rules/audit_log.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/text.hpp"

namespace alara::rules {
namespace {

constexpr std::uint64_t kTail = 64'000;  // bytes looked at to find the last number; far longer than a line
constexpr std::string_view kNumberKey = "{\"n\":";

void append_json(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_field(std::string& out, std::string_view key, std::string_view text) {
  if (text.empty()) return;
  out += fmt::format(",\"{}\":", key);
  append_json(out, valid_utf8(text) ? text : "?");
}

std::string line_of(std::uint64_t number, const AuditLog::Entry& entry) {
  const Command& command = entry.command;
  std::string line = fmt::format("{}{},\"wall\":{},\"monotonic\":{}", kNumberKey, number, entry.wall, entry.monotonic);
  append_field(line, "what", entry.what);
  append_field(line, "why", entry.why);
  append_field(line, "pipeline", entry.pipeline);
  append_field(line, "step", entry.step);
  append_field(line, "actuator", entry.actuator);
  line += fmt::format(",\"command\":{}", static_cast<std::uint64_t>(command.id));
  line += std::isfinite(command.value) ? fmt::format(",\"value\":{}", command.value) : std::string(",\"value\":null");
  line += fmt::format(",\"arrival\":{}", command.arrival);
  if (command.deadline != kNever) line += fmt::format(",\"deadline\":{}", command.deadline);
  if (command.verify) line += ",\"verify\":true";
  return line + "}\n";
}

tl::unexpected<Error> disk_error(std::string_view doing, const std::string& path) {
  return tl::unexpected<Error>(Error{ErrorKind::unavailable,
                                     fmt::format("can not {} audit log: {}", doing, std::strerror(errno)),
                                     {path, 0, 0},
                                     "check the path, its rights and the space left"});
}

// The number of a line, 0 when it is none of ours.
std::uint64_t number_of(std::string_view line) {
  if (!line.starts_with(kNumberKey) || !line.ends_with("}")) return 0;
  std::uint64_t number = 0;
  const char* end = line.data() + line.size();
  const auto [after, status] = std::from_chars(line.data() + kNumberKey.size(), end, number);
  return status == std::errc{} && after != end && *after == ',' ? number : 0;
}

Result<std::string> read_tail(int fd, std::uint64_t size, const std::string& path) {
  std::string tail(std::min(size, kTail), '\0');
  std::size_t got = 0;
  while (got < tail.size()) {
    const ssize_t n = pread(fd, tail.data() + got, tail.size() - got, static_cast<off_t>(size - tail.size() + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return disk_error("read the", path);
    got += static_cast<std::size_t>(n);
  }
  return tail;
}

// The least n for which "<path>.<n>" is free.
std::uint64_t first_free_suffix(const std::string& path) {
  std::uint64_t suffix = 1;
  struct stat info {};
  while (stat(fmt::format("{}.{}", path, suffix).c_str(), &info) == 0) ++suffix;
  return suffix;
}

}  // namespace

Result<std::unique_ptr<AuditLog>> AuditLog::open(AuditLogOptions options) {
  const int fd = ::open(options.path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return disk_error("open the", options.path);
  std::unique_ptr<AuditLog> log(new AuditLog(std::move(options), fd));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0)
    return tl::unexpected<Error>(Error{ErrorKind::refused,
                                       "another process writes this audit log",
                                       {log->options_.path, 0, 0},
                                       "give each node its own"});
  ALARA_CHECK(log->recover());
  return log;
}

AuditLog::~AuditLog() {
  static_cast<void>(flush());
  close(fd_);
}

// Goes on after the last whole line; the last file before it is asked when this one is new.
Status AuditLog::recover() {
  struct stat info {};
  if (fstat(fd_, &info) != 0) return disk_error("look at the", options_.path);
  if (!S_ISREG(info.st_mode)) return fail(ErrorKind::bad_input, "audit log '{}' is not a file", options_.path);
  size_ = static_cast<std::uint64_t>(info.st_size);
  std::string tail;
  if (size_ == 0) {
    const std::uint64_t suffix = first_free_suffix(options_.path);
    if (suffix == 1) return {};
    const std::string previous = fmt::format("{}.{}", options_.path, suffix - 1);
    const int fd = ::open(previous.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) return disk_error("read the", previous);
    auto read = read_tail(fd, static_cast<std::uint64_t>(info.st_size), previous);
    close(fd);
    ALARA_TRY(tail, std::move(read));
  } else {
    ALARA_TRY(tail, read_tail(fd_, size_, options_.path));
  }
  std::uint64_t last = 0;
  for (const std::string_view line : split(tail, '\n')) last = std::max(last, number_of(line));
  if (last == 0)
    return tl::unexpected<Error>(Error{ErrorKind::refused,
                                       "the file is not an audit log and is left as it is",
                                       {options_.path, 0, 0},
                                       "choose another path"});
  next_ = last + 1;
  const bool torn = size_ != 0 && tail.back() != '\n';
  if (!torn) return {};
  return write_line("\n");  // the torn line ends here; its number was never acknowledged
}

Status AuditLog::write_line(std::string_view line) {
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t n = write(fd_, line.data() + done, line.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int why = errno;
      if (done > 0) static_cast<void>(!write(fd_, "\n", 1));  // ends the torn line if there is room for that
      errno = why;
      return disk_error("append to the", options_.path);
    }
    done += static_cast<std::size_t>(n);
    size_ += static_cast<std::uint64_t>(n);
  }
  dirty_ = true;
  return {};
}

Status AuditLog::append(const Entry& entry) {
  const std::string line = line_of(next_, entry);
  if (size_ > 0 && size_ + line.size() > options_.rotate_at) ALARA_CHECK(rotate());
  ALARA_CHECK(write_line(line));
  ++next_;
  return options_.sync == AuditLogOptions::Sync::every_entry ? flush() : Status{};
}

Status AuditLog::flush() {
  if (!dirty_ || options_.sync == AuditLogOptions::Sync::never) return {};
  if (fdatasync(fd_) != 0) return disk_error("write out the", options_.path);
  dirty_ = false;
  return {};
}

// The full file keeps its content under a new name. link() refuses to overwrite, rename() would not.
Status AuditLog::rotate() {
  ALARA_CHECK(flush());
  std::uint64_t suffix = first_free_suffix(options_.path);
  while (link(options_.path.c_str(), fmt::format("{}.{}", options_.path, suffix).c_str()) != 0) {
    if (errno != EEXIST) return disk_error("rotate the", options_.path);
    ++suffix;
  }
  if (unlink(options_.path.c_str()) != 0) return disk_error("rotate the", options_.path);
  const int fd = ::open(options_.path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (fd < 0) return disk_error("open the", options_.path);
  static_cast<void>(flock(fd, LOCK_EX | LOCK_NB));
  close(fd_);
  fd_ = fd;
  size_ = 0;
  return {};
}

}  // namespace alara::rules
