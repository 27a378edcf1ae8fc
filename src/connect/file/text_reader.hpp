// SPDX-License-Identifier: Apache-2.0
// Records of text files of any size in bounded memory: CSV (RFC 4180, quotes, any mix of line ends) and plain lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "connect/file/input.hpp"

namespace alara::file {

inline constexpr std::size_t kMaxRecordBytes = 1u << 20;
inline constexpr std::size_t kMaxCells = 65'536;

class TextReader {
 public:
  enum class Kind : std::uint8_t { csv, lines };
  // `input` is borrowed; `name` is for errors. A byte order mark is skipped.
  TextReader(Input& input, std::string name, Kind kind, char delimiter = ',');

  // Steps to the next record that is not blank; false at the end. Errors carry file and line: a record longer than
  // kMaxRecordBytes, more than kMaxCells cells, a quote that is never closed, a failing disk.
  [[nodiscard]] Result<bool> next();

  // Of the current record; valid until next().
  [[nodiscard]] const std::vector<std::string_view>& cells() const { return cells_; }  // one per line for `lines`
  [[nodiscard]] int line() const { return line_; }                                     // where it begins
  [[nodiscard]] std::size_t bytes() const { return record_step_; }                     // with its line end
  [[nodiscard]] bool malformed() const { return malformed_; }                          // text behind a closing quote
  [[nodiscard]] Where where() const { return {name_, line_, 0}; }

 private:
  [[nodiscard]] Result<bool> refill();
  [[nodiscard]] Result<bool> find_end();
  [[nodiscard]] bool find_plain_end();
  void split(std::size_t begin, std::size_t end);
  std::size_t take_quoted(std::size_t at, std::size_t end);

  Input& input_;
  const std::string name_;
  const Kind kind_;
  const char delimiter_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, filled_ = 0;             // unread bytes
  std::size_t record_size_ = 0, record_step_ = 0;  // without and with its line end
  bool at_end_ = false;
  bool started_ = false;
  int next_line_ = 1, line_ = 0, record_lines_ = 0;
  bool malformed_ = false;
  std::vector<std::string_view> cells_;
};

}  // namespace alara::file
