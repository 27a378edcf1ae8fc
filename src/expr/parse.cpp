// SPDX-License-Identifier: Apache-2.0
// Characters to syntax tree, by recursive descent; one method per level of precedence.
#include <array>
#include <charconv>
#include <cmath>
#include <numbers>

#include "base/text.hpp"
#include "expr/tree.hpp"

namespace alara::expr {
namespace {

struct Function {
  std::string_view name;
  Op op;
  std::size_t least, most;  // arguments
};

constexpr std::size_t kMany = 32;
constexpr std::array kFunctions{Function{"abs", Op::abs, 1, 1},     Function{"sqrt", Op::sqrt, 1, 1},
                                Function{"exp", Op::exp, 1, 1},     Function{"log", Op::log, 1, 1},
                                Function{"log10", Op::log10, 1, 1}, Function{"sin", Op::sin, 1, 1},
                                Function{"cos", Op::cos, 1, 1},     Function{"tan", Op::tan, 1, 1},
                                Function{"atan2", Op::atan2, 2, 2}, Function{"min", Op::min, 2, kMany},
                                Function{"max", Op::max, 2, kMany}, Function{"clamp", Op::clamp, 3, 3},
                                Function{"floor", Op::floor, 1, 1}, Function{"ceil", Op::ceil, 1, 1},
                                Function{"round", Op::round, 1, 1}, Function{"sign", Op::sign, 1, 1},
                                Function{"isnan", Op::isnan, 1, 1}, Function{"coalesce", Op::coalesce, 2, kMany},
                                Function{"if", Op::select, 3, 3}};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_high(char c) { return static_cast<unsigned char>(c) >= 0x80; }

class Parser {
 public:
  explicit Parser(const Source& source) : source_(source), text_(source.text) {}

  Result<Tree> parse() {
    if (text_.size() > kMaxLength)
      return stop(0, fmt::format("an expression of {} characters is longer than {}", text_.size(), kMaxLength));
    skip_blanks();
    if (at_ == text_.size()) return stop(0, "the expression is empty");
    ALARA_TRY(tree_.root, choice());
    if (at_ < text_.size()) return stray();
    return std::move(tree_);
  }

 private:
  tl::unexpected<Error> stop(std::size_t at, std::string message, std::string hint = {}) const {
    return tl::unexpected<Error>(error_at(source_, at, std::move(message), std::move(hint)));
  }

  // Something stands where the expression could have ended.
  tl::unexpected<Error> stray() const {
    if (text_[at_] == '=') return stop(at_, "'=' is no operator here", "write == to compare");
    if (text_[at_] == '&' || text_[at_] == '|')
      return stop(at_, fmt::format("'{}' is no operator here", text_[at_]), "write && or ||, or: and, or");
    if (text_[at_] == ')' || text_[at_] == ']') return stop(at_, fmt::format("'{}' closes nothing", text_[at_]));
    return stop(at_, fmt::format("'{}' stands where an operator or the end was expected", word_here()));
  }

  std::string_view word_here() const {
    std::size_t end = at_ + 1;
    while (end < text_.size() &&
           (is_letter(text_[end]) || is_digit(text_[end]) || text_[end] == '.' || is_high(text_[end])))
      ++end;
    return text_.substr(at_, end - at_);
  }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }

  bool take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    skip_blanks();
    return true;
  }

  // A word such as `and`, not the beginning of a longer name.
  bool take_word(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    const std::size_t next = at_ + word.size();
    if (next < text_.size() && (is_letter(text_[next]) || is_digit(text_[next]) || text_[next] == '.')) return false;
    at_ = next;
    skip_blanks();
    return true;
  }

  Result<int> add(Op op, std::size_t begin, std::vector<int> arguments, double number = 0, std::string name = {}) {
    if (tree_.nodes.size() >= kMaxNodes)
      return stop(begin, fmt::format("the expression has more than {} parts", kMaxNodes));
    std::size_t end = at_;
    while (end > begin &&
           (text_[end - 1] == ' ' || text_[end - 1] == '\t' || text_[end - 1] == '\n' || text_[end - 1] == '\r'))
      --end;
    tree_.nodes.push_back({op, begin, end, number, std::move(name), std::move(arguments)});
    return static_cast<int>(tree_.nodes.size() - 1);
  }

  // Counts nesting for as long as it lives.
  struct Level {
    explicit Level(int& depth_in) : depth(depth_in) { ++depth; }
    ~Level() { --depth; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    int& depth;
  };
  Status not_too_deep() const {
    if (depth_ > kMaxDepth) return stop(at_, fmt::format("nested deeper than {} levels", kMaxDepth));
    return {};
  }

  Result<int> choice() {  // a ? b : c
    const Level level(depth_);
    ALARA_CHECK(not_too_deep());
    const std::size_t begin = at_;
    ALARA_TRY(const int condition, either());
    if (!take("?")) return condition;
    ALARA_TRY(const int yes, choice());
    if (!take(":")) return stop(at_, "':' is missing after '?'", "write condition ? value : other");
    ALARA_TRY(const int no, choice());
    return add(Op::select, begin, {condition, yes, no});
  }

  Result<int> either() {  // a || b
    const std::size_t begin = at_;
    ALARA_TRY(int left, both());
    while (take("||") || take_word("or")) {
      ALARA_TRY(const int right, both());
      ALARA_TRY(left, add(Op::logical_or, begin, {left, right}));
    }
    return left;
  }

  Result<int> both() {  // a && b
    const std::size_t begin = at_;
    ALARA_TRY(int left, negation());
    while (take("&&") || take_word("and")) {
      ALARA_TRY(const int right, negation());
      ALARA_TRY(left, add(Op::logical_and, begin, {left, right}));
    }
    return left;
  }

  Result<int> negation() {  // not a
    const std::size_t begin = at_;
    if (!take_word("not")) return comparison();
    const Level level(depth_);
    ALARA_CHECK(not_too_deep());
    ALARA_TRY(const int operand, negation());
    return add(Op::logical_not, begin, {operand});
  }

  bool take_comparison(Op& op) {
    constexpr std::array<std::pair<std::string_view, Op>, 6> kComparisons{{{"<=", Op::less_equal},
                                                                           {">=", Op::greater_equal},
                                                                           {"==", Op::equal},
                                                                           {"!=", Op::not_equal},
                                                                           {"<", Op::less},
                                                                           {">", Op::greater}}};
    for (const auto& [token, meaning] : kComparisons)
      if (take(token)) {
        op = meaning;
        return true;
      }
    return false;
  }

  Result<int> comparison() {
    const std::size_t begin = at_;
    ALARA_TRY(int left, sum());
    Op op{};
    if (!take_comparison(op)) return left;
    ALARA_TRY(const int right, sum());
    ALARA_TRY(left, add(op, begin, {left, right}));
    const std::size_t second = at_;
    if (take_comparison(op)) return stop(second, "comparisons can not be chained", "write a < b && b < c");
    return left;
  }

  Result<int> sum() {
    const std::size_t begin = at_;
    ALARA_TRY(int left, product());
    while (true) {
      Op op{};
      if (take("+"))
        op = Op::add;
      else if (take("-"))
        op = Op::subtract;
      else
        return left;
      ALARA_TRY(const int right, product());
      ALARA_TRY(left, add(op, begin, {left, right}));
    }
  }

  Result<int> product() {
    const std::size_t begin = at_;
    ALARA_TRY(int left, prefix());
    while (true) {
      Op op{};
      if (take("*"))
        op = Op::multiply;
      else if (take("/"))
        op = Op::divide;
      else if (take("%"))
        op = Op::modulo;
      else
        return left;
      ALARA_TRY(const int right, prefix());
      ALARA_TRY(left, add(op, begin, {left, right}));
    }
  }

  Result<int> prefix() {  // -a, +a, !a
    const std::size_t begin = at_;
    const Level level(depth_);
    ALARA_CHECK(not_too_deep());
    if (text_.substr(at_).starts_with("!=")) return stop(at_, "a value is missing before '!='");
    if (take("-")) {
      ALARA_TRY(const int operand, prefix());
      if (negate_literal(operand)) return operand;
      return add(Op::negate, begin, {operand});
    }
    if (take("+")) return prefix();
    if (take("!")) {
      ALARA_TRY(const int operand, prefix());
      return add(Op::logical_not, begin, {operand});
    }
    return power();
  }

  // -5[degC] is minus five degrees, not the negative of a temperature.
  bool negate_literal(int operand) {
    TreeNode& node = tree_.nodes[static_cast<std::size_t>(operand)];
    if (node.op != Op::as_unit) return false;
    TreeNode& number = tree_.nodes[static_cast<std::size_t>(node.arguments.front())];
    if (number.op != Op::number) return false;
    number.number = -number.number;
    return true;
  }

  Result<int> power() {  // a ^ b, from the right
    const std::size_t begin = at_;
    ALARA_TRY(const int base, with_unit());
    if (!take("^")) return base;
    ALARA_TRY(const int exponent, prefix());
    return add(Op::power, begin, {base, exponent});
  }

  Result<int> with_unit() {  // a[unit]
    const std::size_t begin = at_;
    ALARA_TRY(int value, primary());
    while (at_ < text_.size() && text_[at_] == '[') {
      const std::size_t close = text_.find(']', at_);
      if (close == std::string_view::npos) return stop(at_, "']' is missing after the unit");
      std::string unit(trim(text_.substr(at_ + 1, close - at_ - 1)));
      at_ = close + 1;
      skip_blanks();
      ALARA_TRY(value, add(Op::as_unit, begin, {value}, 0, std::move(unit)));
    }
    return value;
  }

  Result<int> primary() {
    if (at_ == text_.size()) return stop(at_, "the expression ends where a value was expected");
    const std::size_t begin = at_;
    const char c = text_[at_];
    if (take("(")) {
      ALARA_TRY(const int inside, choice());
      if (!take(")")) return unclosed(begin);
      return inside;
    }
    if (is_digit(c) || (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) return number();
    if (c == '`') return quoted_name();
    if (is_letter(c)) return word();
    return stop(at_, fmt::format("'{}' stands where a value was expected", word_here()));
  }

  tl::unexpected<Error> unclosed(std::size_t opened) const {
    if (at_ < text_.size() && text_[at_] != ',') return stray();
    return stop(opened, "'(' is not closed");
  }

  // 38, 1.5e3, and with a unit attached: 38A, 20ms, 50%.
  Result<int> number() {
    const std::size_t begin = at_;
    double value = 0;
    const auto [end, status] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (status != std::errc{} || !std::isfinite(value))
      return stop(begin, fmt::format("'{}' is out of the range of numbers", word_here()));
    at_ = static_cast<std::size_t>(end - text_.data());
    std::string unit = attached_unit();
    skip_blanks();
    ALARA_TRY(const int node, add(Op::number, begin, {}, value));
    if (unit.empty()) return node;
    return add(Op::as_unit, begin, {node}, 0, std::move(unit));
  }

  std::string attached_unit() {
    if (at_ == text_.size()) return {};
    const auto begins_value = [&](std::size_t i) {
      return i < text_.size() && (is_letter(text_[i]) || is_digit(text_[i]) || text_[i] == '(' || text_[i] == '.' ||
                                  text_[i] == '`' || text_[i] == '-');
    };
    if (text_[at_] == '%') {
      if (begins_value(at_ + 1)) return {};  // 7%3 is a remainder
      ++at_;
      return "%";
    }
    if (!is_letter(text_[at_]) && !is_high(text_[at_])) return {};
    const std::size_t begin = at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      const bool goes_on = is_letter(c) || is_digit(c) || is_high(c) ||
                           (c == '/' && at_ + 1 < text_.size() && is_letter(text_[at_ + 1]));
      if (!goes_on) break;
      ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  Result<int> quoted_name() {
    const std::size_t begin = at_;
    const std::size_t close = text_.find('`', at_ + 1);
    if (close == std::string_view::npos) return stop(at_, "the closing ` of the name is missing");
    std::string name(text_.substr(at_ + 1, close - at_ - 1));
    if (name.empty()) return stop(at_, "the name between ` and ` is empty");
    at_ = close + 1;
    skip_blanks();
    return add(Op::value, begin, {}, 0, std::move(name));
  }

  Result<int> word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '.')) ++at_;
    std::string name(text_.substr(begin, at_ - begin));
    skip_blanks();
    if (name == "true" || name == "false") return add(Op::boolean, begin, {}, name == "true" ? 1 : 0);
    if (name == "pi") return add(Op::number, begin, {}, std::numbers::pi);
    if (name == "and" || name == "or" || name == "not" || name == "for")
      return stop(begin, fmt::format("'{}' stands where a value was expected", name));
    if (name.back() == '.') return stop(begin, fmt::format("the name '{}' ends with a dot", name));
    if (at_ < text_.size() && text_[at_] == '(') return call(begin, name);
    return add(Op::value, begin, {}, 0, std::move(name));
  }

  Result<int> call(std::size_t begin, const std::string& name) {
    const Function* function = nullptr;
    std::vector<std::string_view> known;
    for (const Function& candidate : kFunctions) {
      known.push_back(candidate.name);
      if (candidate.name == name) function = &candidate;
    }
    if (function == nullptr) {
      const std::string near = nearest(name, known);
      return stop(begin, fmt::format("unknown function '{}'", name),
                  near.empty() ? fmt::format("known are {}", enumerate(known)) : fmt::format("did you mean {}?", near));
    }
    const std::size_t opened = at_;
    take("(");
    std::vector<int> arguments;
    if (!take(")")) {
      do {
        ALARA_TRY(const int argument, choice());
        arguments.push_back(argument);
      } while (take(","));
      if (!take(")")) return unclosed(opened);
    }
    if (arguments.size() < function->least || arguments.size() > function->most)
      return stop(begin, fmt::format("{} takes {}{} argument{}, not {}", name, function->least,
                                     function->most == function->least ? ""
                                     : function->most == kMany         ? " or more"
                                                                       : fmt::format(" to {}", function->most),
                                     function->most == 1 ? "" : "s", arguments.size()));
    return add(function->op, begin, std::move(arguments));
  }

  const Source& source_;
  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  Tree tree_;
};

}  // namespace

Error error_at(const Source& source, std::size_t offset, std::string message, std::string hint) {
  Where where = source.where;
  if (where.column > 0) where.column += static_cast<int>(offset);
  return {ErrorKind::bad_input, std::move(message), std::move(where), std::move(hint)};
}

Result<Tree> parse(const Source& source) { return Parser(source).parse(); }

Source source_of(const Node& scalar) {
  Source source{scalar.scalar, scalar.where};
  if (scalar.quoted && source.where.column > 0) ++source.where.column;
  return source;
}

}  // namespace alara::expr
