// SPDX-License-Identifier: Apache-2.0
// Appends written values and messages to a CSV or JSON Lines file. What was there before is never touched; every
// burst is one write, and is on disk before it is acknowledged when `sync` is on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "connect/file/settings.hpp"

namespace alara::file {

class Sink {
 public:
  // `columns`: the actuators' addresses in order. A CSV that is there already must have the same header. A file whose
  // last line was cut off by a crash gets a line end first.
  [[nodiscard]] static Result<Sink> open(const Settings& settings, std::vector<std::string> columns);
  Sink(Sink&& other) noexcept;
  Sink& operator=(Sink&&) = delete;
  Sink(const Sink&) = delete;
  ~Sink();

  void add_value(std::size_t column, double value, Nanos wall);
  // One line of JSON as it is; any other text as a JSON string. Only in JSON Lines.
  void add_message(std::string_view text);
  // Writes what was added; returns how many bytes. On an error nothing of it is kept back for later.
  [[nodiscard]] Result<std::size_t> commit();

 private:
  Sink(const Settings& settings, std::vector<std::string> columns, int fd);
  Status prepare();
  [[nodiscard]] std::string header() const;

  std::string path_;
  Format format_;
  bool sync_;
  std::vector<std::string> columns_;
  int fd_ = -1;
  std::string pending_;
};

}  // namespace alara::file
