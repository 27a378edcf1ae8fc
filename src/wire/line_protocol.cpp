// SPDX-License-Identifier: Apache-2.0
#include "wire/line_protocol.hpp"

#include <charconv>
#include <cmath>

#include "base/text.hpp"

namespace alara::wire {
namespace {

class LineReader {
 public:
  LineReader(std::string_view text, Nanos unit, Line& into) : text_(text), unit_(unit), line_(into) {}

  Status read() {
    line_.tags.clear();
    line_.fields.clear();
    line_.time.reset();
    ALARA_CHECK(word(", ", line_.measurement));
    if (line_.measurement.empty()) return wrong("the measurement is missing");
    while (next_is(',')) ALARA_CHECK(tag());
    if (!next_is(' ')) return wrong("a space and the fields are missing");
    skip_spaces();
    do {
      ALARA_CHECK(field());
    } while (next_is(','));
    skip_spaces();
    if (at_ < text_.size()) ALARA_CHECK(time());
    return {};
  }

 private:
  template <typename... Args>
  tl::unexpected<Error> wrong(fmt::format_string<Args...> format, Args&&... args) const {
    return fail(ErrorKind::corrupt, "column {}: {}", at_ + 1, fmt::format(format, std::forward<Args>(args)...));
  }
  bool next_is(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  // Up to one of `ends`, where a backslash takes what follows as it is if it is one of them (or "=").
  Status word(std::string_view ends, std::string& out) {
    out.clear();
    for (; at_ < text_.size() && ends.find(text_[at_]) == std::string_view::npos; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size() &&
          std::string_view(", =\\").find(text_[at_ + 1]) != std::string_view::npos)
        ++at_;
      out += text_[at_];
    }
    return {};
  }

  Status tag() {
    if (line_.tags.size() == kMostLineTags) return wrong("more than {} tags", kMostLineTags);
    auto& [key, value] = line_.tags.emplace_back();
    ALARA_CHECK(word("=, ", key));
    if (key.empty() || !next_is('=')) return wrong("a tag is written key=value");
    ALARA_CHECK(word(", ", value));
    if (value.empty()) return wrong("tag '{}' has no value", key);
    return {};
  }

  Status field() {
    if (line_.fields.size() == kMostLineFields) return wrong("more than {} fields", kMostLineFields);
    LineField& made = line_.fields.emplace_back();
    ALARA_CHECK(word("=, ", made.key));
    if (made.key.empty() || !next_is('=')) return wrong("a field is written key=value");
    if (next_is('"')) return text();
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != ' ') ++at_;
    return number(text_.substr(begin, at_ - begin), made);
  }

  // A quoted text: passed over, with its escapes.
  Status text() {
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_)
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
    return next_is('"') ? Status{} : Status(wrong("a text without its closing quote"));
  }

  Status number(std::string_view token, LineField& made) {
    if (token == "t" || token == "T" || token == "true" || token == "True" || token == "TRUE") {
      made.number = 1;
      return {};
    }
    if (token == "f" || token == "F" || token == "false" || token == "False" || token == "FALSE") {
      made.number = 0;
      return {};
    }
    std::string_view digits = token;
    if (digits.ends_with('i') || digits.ends_with('u')) digits.remove_suffix(1);
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() || !std::isfinite(value))
      return wrong("'{}' is no value of a field", token.substr(0, 40));
    made.number = value;
    return {};
  }

  Status time() {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
    const std::string_view rest(end, static_cast<std::size_t>(text_.data() + text_.size() - end));
    if (error != std::errc{} || !trim(rest).empty() || number > kNever / unit_ || number < -(kNever / unit_))
      return wrong("'{}' is no time", text_.substr(at_, 40));
    line_.time = number * unit_;
    return {};
  }

  const std::string_view text_;
  const Nanos unit_;
  Line& line_;
  std::size_t at_ = 0;
};

}  // namespace

const std::string* Line::tag(std::string_view key) const {
  for (const auto& [name, value] : tags)
    if (name == key) return &value;
  return nullptr;
}

Status parse_line(std::string_view text, Nanos unit, Line& into) {
  while (text.ends_with('\r') || text.ends_with(' ')) text.remove_suffix(1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  if (text.empty() || text.front() == '#') return fail(ErrorKind::not_found, "an empty line");
  if (text.size() > kMostLineBytes) return fail(ErrorKind::corrupt, "a line of {} bytes", text.size());
  if (!valid_utf8(text)) return fail(ErrorKind::corrupt, "the line is not UTF-8");
  return LineReader(text, unit, into).read();
}

}  // namespace alara::wire
