// SPDX-License-Identifier: Apache-2.0
#include "connect/file/sink.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/quantity.hpp"
#include "wire/payload_json.hpp"

namespace alara::file {
namespace {

void append_csv_cell(std::string_view text, std::string& out) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

bool is_one_json_line(std::string_view text) {
  static const wire::JsonPlan kNothing;
  wire::JsonRow row;
  return text.find_first_of("\r\n") == std::string_view::npos &&
         kNothing.read(text, {}, row) == wire::PayloadFault::none;
}

}  // namespace

Sink::Sink(const Settings& settings, std::vector<std::string> columns, int fd)
    : path_(settings.append),
      format_(settings.append_format),
      sync_(settings.sync),
      columns_(std::move(columns)),
      fd_(fd) {}

Sink::Sink(Sink&& other) noexcept
    : path_(std::move(other.path_)),
      format_(other.format_),
      sync_(other.sync_),
      columns_(std::move(other.columns_)),
      fd_(std::exchange(other.fd_, -1)),
      pending_(std::move(other.pending_)) {}

Sink::~Sink() {
  if (fd_ >= 0) close(fd_);
}

Result<Sink> Sink::open(const Settings& settings, std::vector<std::string> columns) {
  const int fd = ::open(settings.append.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) return fail(ErrorKind::unavailable, "can not write to {}: {}", settings.append, std::strerror(errno));
  Sink sink(settings, std::move(columns), fd);
  ALARA_CHECK(sink.prepare());
  return sink;
}

std::string Sink::header() const {
  std::string out = "time";
  for (const std::string& column : columns_) {
    out += ',';
    append_csv_cell(column, out);
  }
  out += '\n';
  return out;
}

Status Sink::prepare() {
  struct stat status {};
  if (fstat(fd_, &status) != 0 || S_ISDIR(status.st_mode)) return fail(ErrorKind::bad_input, "{} is not a file", path_);
  if (status.st_size == 0) {
    if (format_ == Format::csv) pending_ = header();
    return {};
  }
  if (!S_ISREG(status.st_mode)) return {};
  if (format_ == Format::csv) {
    const std::string expected = header();
    std::string found(expected.size(), '\0');
    if (pread(fd_, found.data(), found.size(), 0) != static_cast<ssize_t>(found.size()) || found != expected)
      return fail_at({path_, 1, 0}, "the file has other columns than the site now writes; move it away (expected {})",
                     expected.substr(0, expected.size() - 1));
  }
  char last = '\n';
  if (pread(fd_, &last, 1, status.st_size - 1) == 1 && last != '\n') pending_ = "\n";
  return {};
}

void Sink::add_value(std::size_t column, double value, Nanos wall) {
  if (format_ == Format::csv) {
    pending_ += format_instant(wall);
    for (std::size_t k = 0; k < columns_.size(); ++k) {
      pending_ += ',';
      if (k == column) wire::append_number(value, pending_);
    }
  } else {
    pending_ += "{\"time\":\"";
    pending_ += format_instant(wall);
    pending_ += "\",";
    wire::append_json_string(columns_[column], pending_);
    pending_ += ':';
    wire::append_number(value, pending_);
    pending_ += '}';
  }
  pending_ += '\n';
}

void Sink::add_message(std::string_view text) {
  if (is_one_json_line(text)) {
    pending_ += text;
  } else {
    wire::append_json_string(text, pending_);
  }
  pending_ += '\n';
}

Result<std::size_t> Sink::commit() {
  const std::string bytes = std::exchange(pending_, {});
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = write(fd_, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(ErrorKind::unavailable, "can not write to {}: {}", path_, std::strerror(errno));
    done += static_cast<std::size_t>(count);
  }
  if (sync_ && fdatasync(fd_) != 0)
    return fail(ErrorKind::unavailable, "can not sync {}: {}", path_, std::strerror(errno));
  return bytes.size();
}

}  // namespace alara::file
