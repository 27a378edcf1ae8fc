// SPDX-License-Identifier: Apache-2.0
// The append-only audit log: one JSON object per line, numbered without gaps. An existing file is continued, never
// cut or rewritten; a line torn by a crash stays where it is and is ended. At `rotate_at` bytes the file is
// renamed to "<path>.<n>" (n rising) and a new one begun. Used by one thread, which may block on the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "core/command.hpp"

namespace alara::rules {

struct AuditLogOptions {
  std::string path;
  std::uint64_t rotate_at = 64'000'000;  // bytes
  enum class Sync : std::uint8_t {
    every_entry,  // an entry is on the disk when append() returns: one fsync each
    on_flush,     // on the disk after flush(): call it about once a second
    never,        // the operating system decides
  } sync = Sync::on_flush;
};

class AuditLog {
 public:
  // Fails when the file can not be opened for appending, or its last lines are no audit log.
  [[nodiscard]] static Result<std::unique_ptr<AuditLog>> open(AuditLogOptions options);
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  struct Entry {
    Nanos wall = 0;
    Nanos monotonic = 0;
    std::string_view what;  // "sent", "refused", …
    std::string_view why;
    std::string_view pipeline, step, actuator;  // names
    Command command;
  };
  // Fails when the disk does; the entry is then not in the log and its number is used for the next one.
  Status append(const Entry& entry);
  Status flush();

  [[nodiscard]] std::uint64_t next_number() const { return next_; }

 private:
  AuditLog(AuditLogOptions options, int fd) : options_(std::move(options)), fd_(fd) {}
  Status recover();
  Status rotate();
  Status write_line(std::string_view line);

  AuditLogOptions options_;
  int fd_;
  std::uint64_t size_ = 0;
  std::uint64_t next_ = 1;
  bool dirty_ = false;
};

}  // namespace alara::rules
