// SPDX-License-Identifier: Apache-2.0
// Tables and large numbers for people at a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace alara::lab {

// Columns padded to their widest cell; the first row is the head, underlined.
class TextTable {
 public:
  enum class Align { left, right };
  struct Column {
    std::string head;
    Align align = Align::left;
  };
  explicit TextTable(std::vector<Column> columns);
  void row(std::vector<std::string> cells);  // as many as columns
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

[[nodiscard]] std::string short_count(std::int64_t count);  // "512", "9.41 K", "4.09 G"
[[nodiscard]] std::string short_bytes(std::int64_t bytes);  // "512 B", "3.21 MB"; powers of 1000

}  // namespace alara::lab
