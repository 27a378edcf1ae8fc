// SPDX-License-Identifier: Apache-2.0
#include "rules/message.hpp"

#include <algorithm>
#include <cmath>

#include "base/text.hpp"

namespace alara::rules {

Result<Message::Part> Message::placeholder(std::string_view inside, const Node& text) {
  Part part;
  const std::size_t colon = inside.rfind(':');
  const std::string_view name = trim(inside.substr(0, colon));
  if (name.empty()) return fail_at(text.where, "'{{{}}}' names no value", inside);
  if (colon != std::string_view::npos) {
    const std::string_view format = inside.substr(colon + 1);
    const bool good = format.size() == 3 && format[0] == '.' && format[1] >= '0' && format[1] <= '9' &&
                      (format[2] == 'f' || format[2] == 'e' || format[2] == 'g');
    if (!good)
      return tl::unexpected<Error>(Error{ErrorKind::bad_input, fmt::format("'{}' is no number format", format),
                                         text.where, "write {x:.0f}, {x:.3g} or {x:.2e}"});
    part.precision = format[1] - '0';
    part.presentation = format[2];
  }
  part.what = name == "asset"      ? What::asset
              : name == "pipeline" ? What::pipeline
              : name == "rule"     ? What::rule
                                   : What::value;
  if (part.what != What::value && colon != std::string_view::npos)
    return fail_at(text.where, "'{{{}}}' is a name and takes no number format", inside);
  part.text = name;
  return part;
}

Result<Message> Message::parse(const Node& node) {
  if (!node.is_scalar()) return fail_at(node.where, "a text is expected here");
  const std::string_view text = node.scalar;
  if (text.size() > kMaxMessage)
    return fail_at(node.where, "a text of {} characters is longer than {}", text.size(), kMaxMessage);
  Message message;
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty()) message.parts_.push_back({What::text, literal, -1, 'g', 0});
    literal.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool twice = i + 1 < text.size() && text[i + 1] == text[i];
    if (text[i] == '{' && !twice) {
      const std::size_t close = text.find('}', i);
      if (close == std::string_view::npos) return fail_at(node.where, "'{{' at character {} is not closed", i + 1);
      flush();
      ALARA_TRY(Part part, placeholder(text.substr(i + 1, close - i - 1), node));
      message.reads_values_ = message.reads_values_ || part.what == What::value;
      message.parts_.push_back(std::move(part));
      i = close;
    } else if (text[i] == '}' && !twice) {
      return fail_at(node.where, "'}}' at character {} closes nothing; write }}}} for a brace", i + 1);
    } else {
      literal += text[i];
      if (text[i] == '{' || text[i] == '}') ++i;
    }
  }
  flush();
  return message;
}

std::vector<std::string> Message::names() const {
  std::vector<std::string> names;
  for (const Part& part : parts_)
    if (part.what == What::value && std::find(names.begin(), names.end(), part.text) == names.end())
      names.push_back(part.text);
  return names;
}

void Message::bind(std::span<const std::string> values) {
  for (Part& part : parts_) {
    if (part.what != What::value) continue;
    const auto found = std::find(values.begin(), values.end(), part.text);
    ALARA_ASSERT(found != values.end(), "a message is bound to the values it names");
    part.value = static_cast<std::size_t>(found - values.begin());
  }
}

std::string Message::fill(const Subject& subject, std::span<const double> row) const {
  std::string out;
  for (const Part& part : parts_) {
    switch (part.what) {
      case What::text:
        out += part.text;
        break;
      case What::asset:
        out += subject.asset;
        break;
      case What::pipeline:
        out += subject.pipeline;
        break;
      case What::rule:
        out += subject.rule;
        break;
      case What::value: {
        const double value = row[part.value];
        if (std::isnan(value))
          out += "?";
        else if (part.precision < 0)
          out += fmt::format("{:g}", value);
        else if (part.presentation == 'f')
          out += fmt::format("{:.{}f}", value, part.precision);
        else if (part.presentation == 'e')
          out += fmt::format("{:.{}e}", value, part.precision);
        else
          out += fmt::format("{:.{}g}", value, part.precision);
      }
    }
  }
  return out;
}

}  // namespace alara::rules
