// SPDX-License-Identifier: Apache-2.0
#include "connect/file/text_reader.hpp"

#include <algorithm>
#include <cstring>

namespace alara::file {
namespace {

constexpr std::size_t kFirstBuffer = 64u << 10;

}  // namespace

TextReader::TextReader(Input& input, std::string name, Kind kind, char delimiter)
    : input_(input), name_(std::move(name)), kind_(kind), delimiter_(delimiter), buffer_(kFirstBuffer) {}

// Gets more bytes behind the unread ones; false at the end of the input.
Result<bool> TextReader::refill() {
  if (at_end_) return false;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, filled_ - begin_);
    filled_ -= begin_;
    begin_ = 0;
  }
  if (filled_ == buffer_.size()) {
    if (buffer_.size() >= kMaxRecordBytes)
      return fail_at({name_, next_line_, 0}, "a record of more than {} bytes{}", kMaxRecordBytes,
                     kind_ == Kind::csv ? "; perhaps a quote is never closed" : "");
    buffer_.resize(buffer_.size() * 2);
  }
  auto count = input_.read(std::span(buffer_).subspan(filled_));
  if (!count) {
    Error error = std::move(count).error();
    error.where = {name_, next_line_, 0};
    return tl::unexpected<Error>(std::move(error));
  }
  filled_ += *count;
  at_end_ = *count == 0;
  return !at_end_;
}

// The common case at the speed of memchr: a record in the buffer without a quote, ended by "\n" or "\r\n".
bool TextReader::find_plain_end() {
  const char* const begin = buffer_.data() + begin_;
  const auto* const end = static_cast<const char*>(std::memchr(begin, '\n', filled_ - begin_));
  if (end == nullptr) return false;
  const auto size = static_cast<std::size_t>(end - begin);
  if (kind_ == Kind::csv && std::memchr(begin, '"', size) != nullptr) return false;
  const void* const carriage = std::memchr(begin, '\r', size);
  if (carriage != nullptr && carriage != end - 1) return false;
  record_lines_ = 1;
  record_size_ = carriage != nullptr ? size - 1 : size;
  record_step_ = size + 1;
  return true;
}

// Finds the end of the record at begin_, reading on as needed. Sets its sizes and lines; false when nothing is left.
Result<bool> TextReader::find_end() {
  if (find_plain_end()) return true;
  bool quoted = false, cell_start = true;
  record_lines_ = 0;
  for (std::size_t i = 0;; ++i) {
    if (begin_ + i == filled_) {
      ALARA_TRY(const bool more, refill());
      if (!more) {
        if (quoted) return fail_at({name_, next_line_, 0}, "a quote is never closed");
        record_size_ = record_step_ = i;
        return i > 0;
      }
    }
    const char c = buffer_[begin_ + i];
    if (quoted) {
      if (c == '\n') ++record_lines_;
      if (c == '"') quoted = false;  // a doubled quote opens again at once
      cell_start = c == '"';
    } else if (c == '\n' || c == '\r') {
      record_size_ = i;
      ++record_lines_;
      if (c == '\r' && begin_ + i + 1 == filled_) ALARA_CHECK(refill());
      const bool pair = c == '\r' && begin_ + i + 1 < filled_ && buffer_[begin_ + i + 1] == '\n';
      record_step_ = i + (pair ? 2 : 1);
      return true;
    } else if (kind_ == Kind::csv) {
      quoted = c == '"' && cell_start;
      cell_start = c == delimiter_;
    }
  }
}

Result<bool> TextReader::next() {
  if (!started_) {
    started_ = true;
    while (filled_ < 3) {
      ALARA_TRY(const bool more, refill());
      if (!more) break;
    }
    if (filled_ >= 3 && std::memcmp(buffer_.data(), "\xEF\xBB\xBF", 3) == 0) begin_ = 3;
  }
  for (;;) {
    ALARA_TRY(const bool found, find_end());
    if (!found) return false;
    const std::size_t begin = begin_;
    begin_ += record_step_;
    line_ = next_line_;
    next_line_ += record_lines_;
    const std::string_view record(buffer_.data() + begin, record_size_);
    if (record.find_first_not_of(" \t") == std::string_view::npos) continue;
    malformed_ = false;
    cells_.clear();
    if (kind_ == Kind::lines) {
      cells_.push_back(record);
    } else {
      split(begin, begin + record_size_);
      if (cells_.size() > kMaxCells) return fail_at(where(), "more than {} cells in one record", kMaxCells);
    }
    return true;
  }
}

void TextReader::split(std::size_t begin, std::size_t end) {
  for (std::size_t at = begin;;) {
    if (at < end && buffer_[at] == '"') {
      at = take_quoted(at + 1, end);
    } else {
      const void* const found = std::memchr(buffer_.data() + at, delimiter_, end - at);
      const std::size_t stop =
          found == nullptr ? end : static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
      cells_.emplace_back(buffer_.data() + at, stop - at);
      at = stop;
    }
    if (at >= end || cells_.size() > kMaxCells) return;
    ++at;  // the delimiter
  }
}

// A quoted cell from behind its quote, unescaped in place; returns where the next delimiter or the end is.
std::size_t TextReader::take_quoted(std::size_t at, std::size_t end) {
  const std::size_t first = at;
  std::size_t out = at;
  for (; at < end; ++at) {
    if (buffer_[at] == '"') {
      if (at + 1 >= end || buffer_[at + 1] != '"') break;
      ++at;
    }
    buffer_[out++] = buffer_[at];
  }
  cells_.emplace_back(buffer_.data() + first, out - first);
  ++at;  // the closing quote
  if (at < end && buffer_[at] != delimiter_) {
    malformed_ = true;
    while (at < end && buffer_[at] != delimiter_) ++at;
  }
  return std::min(at, end);
}

}  // namespace alara::file
