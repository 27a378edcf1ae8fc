// SPDX-License-Identifier: Apache-2.0
#include "lab/text_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace alara::lab {
namespace {

// Characters as a terminal shows them: bytes that continue a UTF-8 character take no room.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Three digits and the prefix that fits.
std::string scaled(double number, const char* unit) {
  constexpr std::array kPrefixes{"", "K", "M", "G", "T", "P", "E"};
  std::size_t prefix = 0;
  for (; number >= 999.5 && prefix + 1 < kPrefixes.size(); ++prefix) number /= 1000;
  const std::string space = prefix > 0 || *unit != '\0' ? " " : "";
  const int digits = prefix == 0 || number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f}{}{}{}", number, digits, space, kPrefixes[prefix], unit);
}

}  // namespace

TextTable::TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

void TextTable::row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

std::string TextTable::text() const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(width(column.head));
  for (const auto& cells : rows_)
    for (std::size_t c = 0; c < cells.size(); ++c) widths[c] = std::max(widths[c], width(cells[c]));
  std::string out;
  const auto add = [&](std::size_t c, const std::string& cell) {
    const std::string space(widths[c] - width(cell), ' ');
    const bool last = c + 1 == columns_.size();
    if (columns_[c].align == Align::right) out += space + cell;
    if (columns_[c].align == Align::left) out += last ? cell : cell + space;
    out += last ? "\n" : "  ";
  };
  for (std::size_t c = 0; c < columns_.size(); ++c) add(c, columns_[c].head);
  for (std::size_t c = 0; c < columns_.size(); ++c) add(c, std::string(widths[c], '-'));
  for (const auto& cells : rows_)
    for (std::size_t c = 0; c < cells.size(); ++c) add(c, cells[c]);
  return out;
}

std::string short_count(std::int64_t count) { return scaled(static_cast<double>(count), ""); }

std::string short_bytes(std::int64_t bytes) { return scaled(static_cast<double>(bytes), "B"); }

}  // namespace alara::lab
