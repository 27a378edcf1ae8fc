// SPDX-License-Identifier: Apache-2.0
#include "node/expand.hpp"

#include <cctype>
#include <cstdlib>

#include "base/quantity.hpp"
#include "base/text.hpp"

namespace alara::node {
namespace {

constexpr int kMaxNesting = 32;

// A recursive-descent reader of whole-number formulas.
class Formula {
 public:
  Formula(std::string_view text, const Placeholders& placeholders, const Where& where)
      : text_(text), rest_(text), placeholders_(placeholders), where_(where) {}

  Result<std::int64_t> evaluate() {
    ALARA_TRY(const std::int64_t value, sum(0));
    blanks();
    if (!rest_.empty()) return fail_at(where_, "'{{{}}}': '{}' is not understood", text_, rest_);
    return value;
  }

 private:
  void blanks() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }
  bool take(char c) {
    blanks();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  Result<std::int64_t> sum(int depth) {
    ALARA_TRY(std::int64_t value, product(depth));
    for (;;) {
      if (take('+')) {
        ALARA_TRY(const std::int64_t right, product(depth));
        if (__builtin_add_overflow(value, right, &value)) return too_large();
      } else if (take('-')) {
        ALARA_TRY(const std::int64_t right, product(depth));
        if (__builtin_sub_overflow(value, right, &value)) return too_large();
      } else {
        return value;
      }
    }
  }
  Result<std::int64_t> product(int depth) {
    ALARA_TRY(std::int64_t value, atom(depth));
    for (;;) {
      const char operation = take('*') ? '*' : take('/') ? '/' : take('%') ? '%' : '\0';
      if (operation == '\0') return value;
      ALARA_TRY(const std::int64_t right, atom(depth));
      if (operation == '*') {
        if (__builtin_mul_overflow(value, right, &value)) return too_large();
      } else {
        if (right == 0 || right == -1) return fail_at(where_, "'{{{}}}' divides by {}", text_, right);
        value = operation == '/' ? value / right : value % right;
      }
    }
  }
  Result<std::int64_t> atom(int depth) {
    if (depth > kMaxNesting) return fail_at(where_, "'{{{}}}' is nested too deeply", text_);
    if (take('(')) {
      ALARA_TRY(const std::int64_t value, sum(depth + 1));
      if (!take(')')) return fail_at(where_, "'{{{}}}': a closing parenthesis is missing", text_);
      return value;
    }
    blanks();
    std::size_t length = 0;
    const auto word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    while (length < rest_.size() && word(rest_[length])) ++length;
    const std::string_view token = rest_.substr(0, length);
    rest_.remove_prefix(length);
    if (token.empty()) return fail_at(where_, "'{{{}}}': a number or a name is missing", text_);
    if (std::isdigit(static_cast<unsigned char>(token.front())) != 0) {
      if (const auto number = parse_integer(token)) return *number;
      return fail_at(where_, "'{{{}}}': '{}' is not a whole number", text_, token);
    }
    if (const auto found = placeholders_.numbers.find(token); found != placeholders_.numbers.end())
      return found->second;
    return fail_at(where_, "'{{{}}}': '{}' has no number here; a name with a range, as in cnc-{{01..40}}, gives n",
                   text_, token);
  }
  tl::unexpected<Error> too_large() const { return fail_at(where_, "'{{{}}}' does not fit into 64 bits", text_); }

  std::string_view text_;
  std::string_view rest_;
  const Placeholders& placeholders_;
  const Where& where_;
};

struct Range {
  std::int64_t first = 0, last = 0;
  std::size_t width = 0;
};

Result<Range> parse_range(std::string_view text, const Where& where) {
  const std::size_t dots = text.find("..");
  const auto refuse = [&] { return fail_at(where, "'{{{}}}' is not a range; write {{01..40}}", text); };
  if (dots == std::string_view::npos) return refuse();
  const std::string_view from = text.substr(0, dots);
  const auto first = parse_integer(from);
  const auto last = parse_integer(text.substr(dots + 2));
  if (!first || !last || *first < 0) return refuse();
  if (*last < *first) return fail_at(where, "range '{{{}}}' ends before it begins", text);
  if (*last - *first >= kMaxRange) return fail_at(where, "range '{{{}}}' has more than {} names", text, kMaxRange);
  return Range{*first, *last, from.size() > 1 && from.front() == '0' ? from.size() : 0};
}

}  // namespace

Result<std::vector<ExpandedName>> expand_name(std::string_view pattern, const Where& where) {
  constexpr std::string_view kVariables = "nmk";
  std::vector<ExpandedName> names{ExpandedName{}};
  std::size_t ranges = 0;
  for (std::string_view rest = pattern; !rest.empty();) {
    const std::size_t open = rest.find('{');
    for (ExpandedName& name : names) name.name += rest.substr(0, open);
    if (open == std::string_view::npos) break;
    const std::size_t close = rest.find('}', open);
    if (close == std::string_view::npos) return fail_at(where, "'{}': a closing brace is missing", pattern);
    if (ranges == kVariables.size()) return fail_at(where, "'{}' has more than {} ranges", pattern, kVariables.size());
    ALARA_TRY(const Range range, parse_range(rest.substr(open + 1, close - open - 1), where));
    if ((range.last - range.first + 1) * static_cast<std::int64_t>(names.size()) > kMaxRange)
      return fail_at(where, "'{}' stands for more than {} names", pattern, kMaxRange);
    std::vector<ExpandedName> grown;
    for (const ExpandedName& name : names)
      for (std::int64_t i = range.first; i <= range.last; ++i) {
        ExpandedName next = name;
        next.name += fmt::format("{:0{}}", i, range.width);
        next.placeholders.numbers[std::string(1, kVariables[ranges])] = i;
        grown.push_back(std::move(next));
      }
    names = std::move(grown);
    ++ranges;
    rest.remove_prefix(close + 1);
  }
  return names;
}

Result<std::string> fill(std::string_view text, const Placeholders& placeholders, const Where& where) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '{') {
      out += text[i++];
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == '{') {
      out += '{';
      i += 2;
      continue;
    }
    const std::size_t close = text.find('}', i);
    if (close == std::string_view::npos) return fail_at(where, "'{}': a closing brace is missing", text);
    const std::string_view inside = text.substr(i + 1, close - i - 1);
    if (const auto found = placeholders.texts.find(inside); found != placeholders.texts.end()) {
      out += found->second;
    } else {
      ALARA_TRY(const std::int64_t number, Formula(inside, placeholders, where).evaluate());
      out += fmt::format("{}", number);
    }
    i = close + 1;
  }
  return out;
}

Result<Node> fill_tree(const Node& tree, const Placeholders& placeholders) {
  Node out = tree;
  if (out.is_scalar() && out.scalar.find('{') != std::string::npos) {
    ALARA_TRY(out.scalar, fill(tree.scalar, placeholders, tree.where));
  }
  for (Node& item : out.items) {
    ALARA_TRY(item, fill_tree(item, placeholders));
  }
  for (Node::Entry& entry : out.entries) {
    ALARA_TRY(entry.value, fill_tree(entry.value, placeholders));
  }
  return out;
}

Status fill_environment(Node& tree) {
  for (std::size_t from = 0; tree.is_scalar();) {
    const std::size_t open = tree.scalar.find("${", from);
    if (open == std::string::npos) break;
    const std::size_t close = tree.scalar.find('}', open);
    if (close == std::string::npos) return fail_at(tree.where, "'{}': a closing brace is missing", tree.scalar);
    const std::string inside = tree.scalar.substr(open + 2, close - open - 2);
    const std::size_t otherwise = inside.find(":-");
    const std::string name = inside.substr(0, otherwise);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr && otherwise == std::string::npos)
      return fail_at(tree.where, "environment variable '{}' is not set; set it or write ${{{}:-value}}", name, name);
    const std::string text = value != nullptr ? value : inside.substr(otherwise + 2);
    tree.scalar.replace(open, close - open + 1, text);
    from = open + text.size();
  }
  for (Node& item : tree.items) ALARA_CHECK(fill_environment(item));
  for (Node::Entry& entry : tree.entries) ALARA_CHECK(fill_environment(entry.value));
  return {};
}

}  // namespace alara::node
