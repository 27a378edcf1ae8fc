// SPDX-License-Identifier: Apache-2.0
// The text of a DBC file. Statements that say nothing about how values are read (nodes, comments, attributes,
// environment variables, …) are passed over.
#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "wire/can/dbc.hpp"

namespace alara::wire::can {
namespace {

constexpr std::uint32_t kExtendedFlag = 0x80000000;
constexpr std::uint32_t kIndependent = 0xC0000000;  // the pseudo message that holds signals of no message

struct Token {
  enum class Kind : std::uint8_t { end, word, number, text, sign } kind = Kind::end;
  std::string_view text;
  Where where;
};

class Scanner {
 public:
  Scanner(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  [[nodiscard]] const Token& peek() {
    if (!peeked_) {
      token_ = scan();
      peeked_ = true;
    }
    return token_;
  }
  Token take() {
    Token token = peek();
    peeked_ = false;
    return token;
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
  static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  }
  void step() {
    if (text_[at_++] == '\n') {
      ++line_;
      line_begin_ = at_;
    }
  }

  Token scan() {
    while (at_ < text_.size() && is_space(text_[at_])) step();
    Token token;
    token.where = {name_, line_, static_cast<int>(at_ - line_begin_) + 1};
    if (at_ == text_.size()) return token;
    const std::size_t begin = at_;
    const char c = text_[at_];
    if (c == '"') {
      step();
      while (at_ < text_.size() && text_[at_] != '"') {
        if (text_[at_] == '\\' && at_ + 1 < text_.size()) step();
        step();
      }
      token.kind = Token::Kind::text;
      token.text = text_.substr(begin + 1, at_ - begin - 1);
      if (at_ < text_.size()) step();
      return token;
    }
    if ((c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.') {
      step();
      while (at_ < text_.size() && number_goes_on(begin)) step();
      token.text = text_.substr(begin, at_ - begin);
      const bool digits = token.text.find_first_of("0123456789") != std::string_view::npos;
      token.kind = digits ? Token::Kind::number : Token::Kind::sign;
      return token;
    }
    if (is_word(c)) {
      while (at_ < text_.size() && is_word(text_[at_])) step();
      token.kind = Token::Kind::word;
    } else {
      step();
      token.kind = Token::Kind::sign;
    }
    token.text = text_.substr(begin, at_ - begin);
    return token;
  }
  [[nodiscard]] bool number_goes_on(std::size_t begin) const {
    const char c = text_[at_], before = text_[at_ - 1];
    if ((c >= '0' && c <= '9') || c == '.') return true;
    if (c == 'e' || c == 'E') return at_ > begin;
    return (c == '-' || c == '+') && (before == 'e' || before == 'E');
  }

  const std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0, line_begin_ = 0;
  int line_ = 1;
  Token token_;
  bool peeked_ = false;
};

class Parser {
 public:
  Parser(std::string_view text, const std::string& name) : scanner_(text, name) {}

  Result<Dbc> parse() {
    while (scanner_.peek().kind != Token::Kind::end) ALARA_CHECK(statement());
    ALARA_CHECK(resolve_switches());
    return std::move(dbc_);
  }

 private:
  struct Ranges {  // of SG_MUL_VAL_
    std::size_t message = 0;
    std::string signal, chosen_by;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    Where where;
  };

  Status statement() {
    const Token keyword = scanner_.take();
    if (keyword.kind != Token::Kind::word) return {};  // stray signs between statements: files have them
    if (keyword.text == "BO_") return message();
    if (keyword.text == "SG_") return signal();
    if (keyword.text == "SIG_VALTYPE_") return value_type();
    if (keyword.text == "SG_MUL_VAL_") return multiplex_ranges();
    if (keyword.text == "NS_") return pass_new_symbols();
    if (keyword.text == "BS_" || keyword.text == "BU_") return pass_line(keyword.where.line);
    if (keyword.text == "VERSION") {
      if (scanner_.peek().kind == Token::Kind::text) scanner_.take();
      return {};
    }
    return pass_statement();
  }

  // The list of keywords a file may use: words, one in each line, until BS_ or the first statement with content.
  Status pass_new_symbols() {
    if (is(":")) scanner_.take();
    while (scanner_.peek().kind == Token::Kind::word && scanner_.peek().text != "BS_" &&
           scanner_.peek().text != "BU_" && scanner_.peek().text != "BO_")
      scanner_.take();
    return {};
  }
  Status pass_line(int line) {
    while (scanner_.peek().kind != Token::Kind::end && scanner_.peek().where.line == line) scanner_.take();
    return {};
  }
  Status pass_statement() {
    while (scanner_.peek().kind != Token::Kind::end)
      if (scanner_.take().text == ";") return {};
    return {};
  }

  [[nodiscard]] bool is(std::string_view sign) {
    return scanner_.peek().kind == Token::Kind::sign && scanner_.peek().text == sign;
  }
  Status expect(std::string_view sign, std::string_view where) {
    const Token token = scanner_.take();
    if (token.kind == Token::Kind::sign && token.text == sign) return {};
    return fail_at(token.where, "'{}' is expected {}, not '{}'", sign, where, shown(token));
  }
  static std::string_view shown(const Token& token) {
    return token.kind == Token::Kind::end ? std::string_view("the end of the file") : token.text;
  }
  Result<std::string> name(std::string_view what) {
    const Token token = scanner_.take();
    if (token.kind == Token::Kind::word) return std::string(token.text);
    return fail_at(token.where, "the name of a {} is expected, not '{}'", what, shown(token));
  }
  template <typename T>
  Result<T> number(std::string_view what) {
    const Token token = scanner_.take();
    std::string_view text = token.text;
    if (text.starts_with('+')) text.remove_prefix(1);
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (token.kind == Token::Kind::number && error == std::errc{} && end == text.data() + text.size()) return value;
    return fail_at(token.where, "a number is expected as {}, not '{}'", what, shown(token));
  }

  Status message() {
    const Where where = scanner_.peek().where;
    ALARA_TRY(const auto id, number<std::uint32_t>("a message's id"));
    DbcMessage message;
    ALARA_TRY(message.name, name("message"));
    ALARA_CHECK(expect(":", "behind a message's name"));
    ALARA_TRY(message.size, number<std::size_t>("a message's length"));
    message.extended = (id & kExtendedFlag) != 0;
    message.id = id & ~kExtendedFlag;
    const bool real = id != kIndependent;
    if (real && message.id > (message.extended ? 0x1FFFFFFFu : 0x7FFu))
      return fail_at(where, "message '{}': {} is no CAN id", message.name, id);
    if (message.size > kMostMessageBytes)
      return fail_at(where, "message '{}' is {} bytes long; {} are possible", message.name, message.size,
                     kMostMessageBytes);
    if (scanner_.peek().kind == Token::Kind::word && scanner_.peek().text != "SG_" && scanner_.peek().text != "BO_")
      scanner_.take();  // the sender
    if (!real) message.size = 0;
    if (real && !by_id_.emplace(id, dbc_.messages.size()).second)
      return fail_at(where, "message '{}': the id {} is there twice", message.name, id);
    dbc_.messages.push_back(std::move(message));
    return {};
  }

  Status signal() {
    const Where where = scanner_.peek().where;
    if (dbc_.messages.empty()) return fail_at(where, "a signal (SG_) before the first message (BO_)");
    if (++signals_ > kMostDbcSignals) return fail_at(where, "more than {} signals", kMostDbcSignals);
    DbcMessage& message = dbc_.messages.back();
    DbcSignal signal;
    ALARA_TRY(signal.name, name("signal"));
    ALARA_CHECK(multiplex_mark(signal));
    ALARA_CHECK(expect(":", "behind a signal's name"));
    ALARA_CHECK(bits(signal, message.name));
    ALARA_CHECK(scale(signal, message.name));
    if (scanner_.peek().kind == Token::Kind::text) signal.unit = scanner_.take().text;
    while (scanner_.peek().kind == Token::Kind::word && !begins_statement(scanner_.peek().text)) {  // the receivers
      scanner_.take();
      if (is(",")) scanner_.take();
    }
    if (message.find(signal.name) != nullptr)
      return fail_at(where, "message '{}' has the signal '{}' twice", message.name, signal.name);
    message.signals.push_back(std::move(signal));
    return {};
  }

  static bool begins_statement(std::string_view word) {
    return word == "SG_" || word == "BO_" || word == "CM_" || word == "VAL_" || word == "BA_" || word == "BA_DEF_" ||
           word == "BO_TX_BU_" || word == "SIG_VALTYPE_" || word == "SG_MUL_VAL_" || word == "VAL_TABLE_" ||
           word == "BA_DEF_DEF_" || word == "SIG_GROUP_" || word == "EV_";
  }

  // "M", "m3" or "m3M" between name and colon.
  Status multiplex_mark(DbcSignal& signal) {
    if (scanner_.peek().kind != Token::Kind::word) return {};
    const Token token = scanner_.take();
    std::string_view mark = token.text;
    if (mark.ends_with('M')) {
      signal.is_switch = true;
      mark.remove_suffix(1);
    }
    if (mark.empty()) return {};
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(mark.data() + 1, mark.data() + mark.size(), value);
    if (mark.front() != 'm' || error != std::errc{} || end != mark.data() + mark.size())
      return fail_at(token.where, "'{}' is no multiplex mark (M, m3, m3M)", token.text);
    signal.present_for.emplace_back(value, value);
    return {};
  }

  // "24|16@1+"
  Status bits(DbcSignal& signal, const std::string& message) {
    const Where where = scanner_.peek().where;
    ALARA_TRY(const auto start, number<std::uint32_t>("a start bit"));
    ALARA_CHECK(expect("|", "behind a start bit"));
    ALARA_TRY(const auto length, number<std::uint32_t>("a length in bits"));
    ALARA_CHECK(expect("@", "behind a length"));
    if (length < 1 || length > 64 || start >= 8 * kMostMessageBytes)
      return fail_at(where, "signal '{}.{}': {}|{} is no run of 1 to 64 bits", message, signal.name, start, length);
    // "1+" is scanned as one number with a sign behind it, or as two tokens.
    const Token order = scanner_.take();
    if (order.text != "0" && order.text != "1")
      return fail_at(order.where, "the byte order is 1 (little endian) or 0, not '{}'", shown(order));
    const Token sign = scanner_.take();
    if (sign.text != "+" && sign.text != "-")
      return fail_at(sign.where, "+ (unsigned) or - (signed) is expected, not '{}'", shown(sign));
    signal.bits = {static_cast<std::uint16_t>(start), static_cast<std::uint8_t>(length), order.text == "0"};
    signal.is_signed = sign.text == "-";
    return {};
  }

  // "(0.125,0) [0|8031.875]"
  Status scale(DbcSignal& signal, const std::string& message) {
    ALARA_CHECK(expect("(", "before a factor"));
    const Where where = scanner_.peek().where;
    ALARA_TRY(signal.factor, number<double>("a factor"));
    ALARA_CHECK(expect(",", "between factor and offset"));
    ALARA_TRY(signal.offset, number<double>("an offset"));
    ALARA_CHECK(expect(")", "behind an offset"));
    ALARA_CHECK(expect("[", "before a least value"));
    ALARA_TRY(signal.least, number<double>("a least value"));
    ALARA_CHECK(expect("|", "between least and greatest value"));
    ALARA_TRY(signal.most, number<double>("a greatest value"));
    ALARA_CHECK(expect("]", "behind a greatest value"));
    if (signal.factor == 0 || !std::isfinite(signal.factor) || !std::isfinite(signal.offset))
      return fail_at(where, "signal '{}.{}': a factor of {:g} gives no value", message, signal.name, signal.factor);
    return {};
  }

  Result<std::size_t> message_index(std::uint32_t id, const Where& where) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) return fail_at(where, "there is no message {}", id);
    return found->second;
  }

  // "SIG_VALTYPE_ 100 Torque : 1;"
  Status value_type() {
    const Where where = scanner_.peek().where;
    ALARA_TRY(const auto id, number<std::uint32_t>("a message's id"));
    ALARA_TRY(const std::string signal_name, name("signal"));
    if (is(":")) scanner_.take();
    ALARA_TRY(const auto type, number<unsigned>("a value type"));
    ALARA_TRY(const std::size_t at, message_index(id, where));
    for (DbcSignal& signal : dbc_.messages[at].signals) {
      if (signal.name != signal_name) continue;
      if ((type == 1 && signal.bits.length != 32) || (type == 2 && signal.bits.length != 64) || type > 3)
        return fail_at(where, "signal '{}' of {} bits can not have the value type {}", signal_name, signal.bits.length,
                       type);
      signal.kind = type == 1   ? DbcSignal::Kind::float32
                    : type == 2 ? DbcSignal::Kind::float64
                                : DbcSignal::Kind::integer;
    }
    return pass_statement();
  }

  // "SG_MUL_VAL_ 100 Pressure Mode 1-3, 5-5;"
  Status multiplex_ranges() {
    Ranges found;
    found.where = scanner_.peek().where;
    ALARA_TRY(const auto id, number<std::uint32_t>("a message's id"));
    ALARA_TRY(found.message, message_index(id, found.where));
    ALARA_TRY(found.signal, name("signal"));
    ALARA_TRY(found.chosen_by, name("multiplexor"));
    while (scanner_.peek().kind == Token::Kind::number) {
      ALARA_TRY(const auto low, number<std::uint64_t>("the begin of a range"));
      // "1-3" scans as 1 and -3.
      ALARA_TRY(const auto high, number<std::int64_t>("the end of a range"));
      found.ranges.emplace_back(low, static_cast<std::uint64_t>(high < 0 ? -(high + 1) : high) + (high < 0 ? 1u : 0u));
      if (is(",")) scanner_.take();
    }
    ranges_.push_back(std::move(found));
    return pass_statement();
  }

  Status resolve_switches() {
    for (DbcMessage& message : dbc_.messages) {
      std::optional<std::size_t> plain;  // the message's only switch that depends on nothing
      for (std::size_t i = 0; i < message.signals.size(); ++i)
        if (message.signals[i].is_switch && message.signals[i].present_for.empty()) plain = i;
      for (DbcSignal& signal : message.signals)
        if (!signal.present_for.empty()) signal.depends_on = plain;
    }
    for (const Ranges& found : ranges_) {
      DbcMessage& message = dbc_.messages[found.message];
      const auto index = [&message](const std::string& wanted) {
        const DbcSignal* signal = message.find(wanted);
        return signal == nullptr ? message.signals.size() : static_cast<std::size_t>(signal - message.signals.data());
      };
      const std::size_t signal = index(found.signal), chosen_by = index(found.chosen_by);
      if (signal == message.signals.size() || chosen_by == message.signals.size())
        return fail_at(found.where, "message '{}' has no signal '{}'", message.name,
                       signal == message.signals.size() ? found.signal : found.chosen_by);
      message.signals[signal].depends_on = chosen_by;
      message.signals[signal].present_for = found.ranges;
    }
    return check_levels();
  }

  Status check_levels() {
    for (const DbcMessage& message : dbc_.messages)
      for (const DbcSignal& signal : message.signals) {
        if (!signal.present_for.empty() && !signal.depends_on)
          return fail_at({}, "message '{}': '{}' is multiplexed, but there is no multiplexor", message.name,
                         signal.name);
        int level = 0;
        for (const DbcSignal* at = &signal; at->depends_on; at = &message.signals[*at->depends_on])
          if (++level > kMostMultiplexLevels)
            return fail_at({}, "message '{}': '{}' depends on itself, or over more than {} levels", message.name,
                           signal.name, kMostMultiplexLevels);
      }
    return {};
  }

  Scanner scanner_;
  Dbc dbc_;
  std::map<std::uint32_t, std::size_t> by_id_;
  std::vector<Ranges> ranges_;
  std::size_t signals_ = 0;
};

}  // namespace

Result<Dbc> parse_dbc(std::string_view text, const std::string& name) {
  if (text.size() > kMostDbcBytes)
    return fail_at({name}, "a DBC file of {} bytes; {} are the most that is read", text.size(), kMostDbcBytes);
  auto parsed = Parser(text, name).parse();
  if (!parsed && !parsed.error().where.known()) parsed.error().where = {name};
  return parsed;
}

Result<Dbc> load_dbc(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::bad_input, "the DBC file '{}' can not be opened", path);
  std::stringstream text;
  text << file.rdbuf();
  return parse_dbc(text.str(), path);
}

}  // namespace alara::wire::can
