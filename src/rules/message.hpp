// SPDX-License-Identifier: Apache-2.0
// The text of an event: "{asset}: plan maintenance, {days:.0f} days left". Parsed when the file is loaded, filled with
// the values of the row that caused the event.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "core/document.hpp"

namespace alara::rules {

inline constexpr std::size_t kMaxMessage = 1000;  // characters of a template

class Message {
 public:
  Message() = default;
  // {asset}, {pipeline}, {rule}, and the name of any value, with an optional format of a number: {x:.2f}, {x:.3g},
  // {x:.1e}.
  // "{{" and "}}" stand for braces.
  [[nodiscard]] static Result<Message> parse(const Node& text);

  // The value names in it, each once.
  [[nodiscard]] std::vector<std::string> names() const;
  // Finds each name in `values`; names() are all among them.
  void bind(std::span<const std::string> values);
  [[nodiscard]] bool reads_values() const { return reads_values_; }

  struct Subject {
    std::string_view asset, pipeline, rule;
  };
  [[nodiscard]] std::string fill(const Subject& subject, std::span<const double> row) const;

 private:
  enum class What : std::uint8_t { text, asset, pipeline, rule, value };
  struct Part {
    What what = What::text;
    std::string text;    // literal, or the value's name
    int precision = -1;  // -1: shortest that reads back to six digits
    char presentation = 'g';
    std::size_t value = 0;  // index into the row
  };
  static Result<Part> placeholder(std::string_view inside, const Node& text);

  std::vector<Part> parts_;
  bool reads_values_ = false;
};

}  // namespace alara::rules
