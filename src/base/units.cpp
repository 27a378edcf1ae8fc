// SPDX-License-Identifier: Apache-2.0
#include "base/units.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.hpp"

namespace alara {
namespace {

constexpr std::size_t kMaxUnitText = 256;
constexpr int kMaxWrittenExponent = 12;
constexpr double kSameScale = 1e-12;  // relative; products of exact factors round by less

using Exponents = std::array<std::int8_t, 8>;  // m, kg, s, A, K, mol, cd, rad

enum class Prefixes : std::uint8_t { none, allowed };

struct Symbol {
  std::string_view text;
  Exponents exponents;
  double scale = 1;
  double offset = 0;
  Prefixes prefixes = Prefixes::none;
};

constexpr Exponents kNone{};
constexpr Exponents kLength{1};
constexpr Exponents kVolume{3};
constexpr Exponents kMass{0, 1};
constexpr Exponents kTime{0, 0, 1};
constexpr Exponents kPerTime{0, 0, -1};
constexpr Exponents kTemperature{0, 0, 0, 0, 1};
constexpr Exponents kAngle{0, 0, 0, 0, 0, 0, 0, 1};
constexpr Exponents kAngularSpeed{0, 0, -1, 0, 0, 0, 0, 1};
constexpr Exponents kForce{1, 1, -2};
constexpr Exponents kPressure{-1, 1, -2};
constexpr Exponents kEnergy{2, 1, -2};
constexpr Exponents kPower{2, 1, -3};
constexpr double kPi = std::numbers::pi;
constexpr auto kPrefixed = Prefixes::allowed;

// SI Brochure 9th ed., tables 2, 4 and 8; inch, pound, psi and horsepower by NIST SP 811, appendix B.
constexpr std::array kSymbols{
    Symbol{"m", kLength, 1, 0, kPrefixed},
    Symbol{"g", kMass, 1e-3, 0, kPrefixed},
    Symbol{"s", kTime, 1, 0, kPrefixed},
    Symbol{"A", {0, 0, 0, 1}, 1, 0, kPrefixed},
    Symbol{"K", kTemperature, 1, 0, kPrefixed},
    Symbol{"mol", {0, 0, 0, 0, 0, 1}, 1, 0, kPrefixed},
    Symbol{"cd", {0, 0, 0, 0, 0, 0, 1}, 1, 0, kPrefixed},
    Symbol{"rad", kAngle, 1, 0, kPrefixed},
    Symbol{"sr", {0, 0, 0, 0, 0, 0, 0, 2}, 1, 0, kPrefixed},
    // named derived units
    Symbol{"Hz", kPerTime, 1, 0, kPrefixed},
    Symbol{"N", kForce, 1, 0, kPrefixed},
    Symbol{"Pa", kPressure, 1, 0, kPrefixed},
    Symbol{"J", kEnergy, 1, 0, kPrefixed},
    Symbol{"W", kPower, 1, 0, kPrefixed},
    Symbol{"C", {0, 0, 1, 1}, 1, 0, kPrefixed},
    Symbol{"V", {2, 1, -3, -1}, 1, 0, kPrefixed},
    Symbol{"F", {-2, -1, 4, 2}, 1, 0, kPrefixed},
    Symbol{"ohm", {2, 1, -3, -2}, 1, 0, kPrefixed},
    Symbol{"Ω", {2, 1, -3, -2}, 1, 0, kPrefixed},
    Symbol{"S", {-2, -1, 3, 2}, 1, 0, kPrefixed},
    Symbol{"Wb", {2, 1, -2, -1}, 1, 0, kPrefixed},
    Symbol{"T", {0, 1, -2, -1}, 1, 0, kPrefixed},
    Symbol{"H", {2, 1, -2, -2}, 1, 0, kPrefixed},
    Symbol{"lm", {0, 0, 0, 0, 0, 0, 1, 2}, 1, 0, kPrefixed},
    Symbol{"lx", {-2, 0, 0, 0, 0, 0, 1, 2}, 1, 0, kPrefixed},
    // electrical practice
    Symbol{"VA", kPower, 1, 0, kPrefixed},
    Symbol{"var", kPower, 1, 0, kPrefixed},
    Symbol{"Wh", kEnergy, 3600, 0, kPrefixed},
    Symbol{"Ah", {0, 0, 1, 1}, 3600, 0, kPrefixed},
    Symbol{"eV", kEnergy, 1.602176634e-19, 0, kPrefixed},
    // temperatures with their own zero
    Symbol{"degC", kTemperature, 1, 273.15},
    Symbol{"°C", kTemperature, 1, 273.15},
    Symbol{"degF", kTemperature, 5.0 / 9, 459.67 * 5.0 / 9},
    Symbol{"°F", kTemperature, 5.0 / 9, 459.67 * 5.0 / 9},
    // time, angle, rotation
    Symbol{"min", kTime, 60},
    Symbol{"h", kTime, 3600},
    Symbol{"d", kTime, 86400},
    Symbol{"deg", kAngle, kPi / 180},
    Symbol{"°", kAngle, kPi / 180},
    Symbol{"rev", kAngle, 2 * kPi},
    Symbol{"rpm", kAngularSpeed, 2 * kPi / 60},
    // mechanics, fluids
    Symbol{"gn", {1, 0, -2}, 9.80665, 0, kPrefixed},
    Symbol{"t", kMass, 1000, 0, kPrefixed},
    Symbol{"l", kVolume, 1e-3, 0, kPrefixed},
    Symbol{"L", kVolume, 1e-3, 0, kPrefixed},
    Symbol{"bar", kPressure, 1e5, 0, kPrefixed},
    Symbol{"atm", kPressure, 101325},
    Symbol{"mmHg", kPressure, 133.322387415},
    Symbol{"psi", kPressure, 6894.757293168361},
    Symbol{"in", kLength, 0.0254},
    Symbol{"ft", kLength, 0.3048},
    Symbol{"lb", kMass, 0.45359237},
    Symbol{"lbf", kForce, 4.4482216152605},
    Symbol{"gal", kVolume, 3.785411784e-3},
    Symbol{"gpm", {3, 0, -1}, 3.785411784e-3 / 60},
    Symbol{"hp", kPower, 745.69987158227022},
    // counts and ratios
    Symbol{"%", kNone, 0.01},
    Symbol{"%RH", kNone, 0.01},
    Symbol{"ppm", kNone, 1e-6},
    Symbol{"ppb", kNone, 1e-9},
    Symbol{"dB", kNone},
    Symbol{"pH", kNone},
    Symbol{"pcs", kNone},
    Symbol{"count", kNone},
    Symbol{"cycles", kNone},
};

struct Prefix {
  std::string_view text;
  double factor;
};
constexpr std::array kPrefixes{
    Prefix{"k", 1e3},   Prefix{"m", 1e-3},  Prefix{"M", 1e6},  Prefix{"u", 1e-6}, Prefix{"G", 1e9},
    Prefix{"n", 1e-9},  Prefix{"p", 1e-12},  // up to here the ones computed units are printed with
    Prefix{"µ", 1e-6},  Prefix{"μ", 1e-6},   // U+00B5, U+03BC
    Prefix{"c", 1e-2},  Prefix{"T", 1e12},  Prefix{"d", 1e-1}, Prefix{"h", 1e2},  Prefix{"da", 10},
    Prefix{"f", 1e-15}, Prefix{"P", 1e15},  Prefix{"E", 1e18}, Prefix{"a", 1e-18}};
constexpr std::size_t kPrintedPrefixes = 7;

// The names looked for first when a computed unit wants a text.
constexpr std::array<std::string_view, 13> kPreferred{"N", "Pa", "J", "W", "V",  "ohm", "C",
                                                      "F", "Wb", "T", "H", "lm", "l"};
constexpr std::array<std::string_view, 8> kBase{"m", "kg", "s", "A", "K", "mol", "cd", "rad"};

struct Meaning {
  const Symbol* symbol;
  double scale;
};

std::optional<Meaning> meaning_of(std::string_view word) {
  for (const Symbol& symbol : kSymbols)
    if (symbol.text == word) return Meaning{&symbol, symbol.scale};
  for (const Prefix& prefix : kPrefixes) {
    if (!word.starts_with(prefix.text)) continue;
    const std::string_view rest = word.substr(prefix.text.size());
    for (const Symbol& symbol : kSymbols)
      if (symbol.prefixes == Prefixes::allowed && symbol.text == rest)
        return Meaning{&symbol, symbol.scale * prefix.factor};
  }
  return std::nullopt;
}

struct Term {
  std::string symbol;
  int exponent;
};

// Reads "W/(m2*K)" into W^1 m^-2 K^-1 without looking the symbols up.
class TermReader {
 public:
  explicit TermReader(std::string_view text) : text_(text) {}

  Result<std::vector<Term>> read() {
    ALARA_CHECK(product(1, 0));
    if (at_ != text_.size()) return unexpected();
    return std::move(terms_);
  }

 private:
  static constexpr int kMaxDepth = 4;

  bool take(std::string_view token) {
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  tl::unexpected<Error> unexpected() const {
    if (at_ >= text_.size()) return fail(ErrorKind::bad_input, "unit '{}' ends too early", text_);
    return fail(ErrorKind::bad_input, "unit '{}' can not be read from character {}", text_, at_ + 1);
  }

  Status product(int sign, int depth) {
    if (depth > kMaxDepth) return fail(ErrorKind::bad_input, "unit '{}' has too many brackets", text_);
    ALARA_CHECK(factor(sign, depth));
    while (true) {
      if (take("*") || take("·")) {
        ALARA_CHECK(factor(sign, depth));
      } else if (take("/")) {
        ALARA_CHECK(factor(-sign, depth));
      } else {
        return {};
      }
    }
  }

  Status factor(int sign, int depth) {
    if (take("(")) {
      ALARA_CHECK(product(sign, depth + 1));
      if (!take(")")) return unexpected();
      return {};
    }
    if (take("1")) return {};
    const std::size_t from = at_;
    while (at_ < text_.size() && in_symbol()) ++at_;
    if (at_ == from) return unexpected();
    std::string symbol(text_.substr(from, at_ - from));
    ALARA_TRY(const int power, exponent());
    terms_.push_back({std::move(symbol), sign * power});
    return {};
  }

  // Letters, % and every non-ASCII byte but those of ², ³ and ·.
  bool in_symbol() const {
    const char c = text_[at_];
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '%') return true;
    const std::string_view rest = text_.substr(at_);
    return static_cast<unsigned char>(c) >= 0x80 && !rest.starts_with("²") && !rest.starts_with("³") &&
           !rest.starts_with("·");
  }

  Result<int> exponent() {
    if (take("²")) return 2;
    if (take("³")) return 3;
    const bool caret = take("^");
    const bool negative = take("-");
    int value = 0;
    const std::size_t from = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' && value <= kMaxWrittenExponent)
      value = value * 10 + (text_[at_++] - '0');
    if (at_ == from) {
      if (caret || negative) return unexpected();
      return 1;
    }
    if (value > kMaxWrittenExponent)
      return fail(ErrorKind::bad_input, "unit '{}' has an exponent above {}", text_, kMaxWrittenExponent);
    return negative ? -value : value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Term> terms_;
};

// The terms of a text that has been parsed before.
std::vector<Term> terms_of(const std::string& text) {
  if (text.empty()) return {};
  auto terms = TermReader(text).read();
  return terms ? std::move(*terms) : std::vector<Term>{};
}

void merge(std::vector<Term>& into, const std::vector<Term>& more, int factor) {
  for (const Term& term : more) {
    const auto same = std::find_if(into.begin(), into.end(), [&](const Term& t) { return t.symbol == term.symbol; });
    if (same == into.end()) {
      into.push_back({term.symbol, term.exponent * factor});
    } else {
      same->exponent += term.exponent * factor;
    }
  }
}

std::string print(const std::vector<Term>& terms) {
  std::string text;
  for (const Term& term : terms)
    if (term.exponent > 0)
      text += fmt::format("{}{}{}", text.empty() ? "" : "*", term.symbol,
                          term.exponent == 1 ? "" : std::to_string(term.exponent));
  for (const Term& term : terms)
    if (term.exponent < 0)
      text += fmt::format("{}/{}{}", text.empty() ? "1" : "", term.symbol,
                          term.exponent == -1 ? "" : std::to_string(-term.exponent));
  return text;
}

bool same_scale(double a, double b) { return std::abs(a - b) <= kSameScale * std::abs(b); }

// A short text for a computed unit: a named derived unit with or without prefix, the base units when the scale is 1,
// else the operands' own symbols.
std::string name_for(const Exponents& exponents, double scale, const std::vector<Term>& operands) {
  if (exponents == kNone) {
    if (same_scale(scale, 1)) return "";
    if (same_scale(scale, 0.01)) return "%";
    return print(operands);
  }
  for (const std::string_view name : kPreferred) {
    const Meaning meaning = *meaning_of(name);
    if (meaning.symbol->exponents != exponents) continue;
    if (same_scale(meaning.scale, scale)) return std::string(name);
    for (std::size_t i = 0; i < kPrintedPrefixes; ++i)
      if (same_scale(meaning.scale * kPrefixes[i].factor, scale))
        return std::string(kPrefixes[i].text) + std::string(name);
  }
  if (!same_scale(scale, 1)) return print(operands);
  std::vector<Term> base;
  for (std::size_t i = 0; i < kBase.size(); ++i)
    if (exponents[i] != 0) base.push_back({std::string(kBase[i]), exponents[i]});
  return print(base);
}

std::int8_t saturated(int exponent) {
  return static_cast<std::int8_t>(std::clamp(exponent, -Unit::kMaxExponent - 1, Unit::kMaxExponent + 1));
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

Error unknown_symbol(std::string_view symbol, std::string_view text) {
  std::vector<std::string> known;
  for (const Symbol& candidate : kSymbols) {
    known.emplace_back(candidate.text);
    if (candidate.prefixes == Prefixes::allowed)
      for (const std::string_view prefix : {"k", "m", "M", "u"})
        known.push_back(std::string(prefix) + std::string(candidate.text));
  }
  const auto same_but_case = std::find_if(known.begin(), known.end(), [&](const std::string& candidate) {
    return std::equal(candidate.begin(), candidate.end(), symbol.begin(), symbol.end(),
                      [](char a, char b) { return lower(a) == lower(b); });
  });
  const std::string near = same_but_case != known.end() ? *same_but_case : nearest(symbol, known);
  Error error{
      ErrorKind::bad_input,
      symbol == text ? fmt::format("unknown unit '{}'", symbol)
                     : fmt::format("unknown unit '{}' in '{}'", symbol, text),
      {},
      near.empty() ? "units are written as mm/s2, degC, rpm, kW, l/min" : fmt::format("did you mean {}?", near)};
  return error;
}

}  // namespace

Result<Unit> Unit::parse(std::string_view text) {
  if (text.size() > kMaxUnitText)
    return fail(ErrorKind::bad_input, "unit text of {} characters is longer than {}", text.size(), kMaxUnitText);
  Unit unit;
  if (text.empty() || text == "1") return unit;
  ALARA_TRY(const auto terms, TermReader(text).read());
  std::array<int, kDimensions> sums{};
  for (const Term& term : terms) {
    const auto meaning = meaning_of(term.symbol);
    if (!meaning) return tl::unexpected<Error>(unknown_symbol(term.symbol, text));
    for (std::size_t i = 0; i < kDimensions; ++i) sums[i] += meaning->symbol->exponents[i] * term.exponent;
    unit.scale_ *= std::pow(meaning->scale, term.exponent);
    if (terms.size() == 1 && term.exponent == 1) unit.offset_ = meaning->symbol->offset;
  }
  for (std::size_t i = 0; i < kDimensions; ++i) unit.exponents_[i] = saturated(sums[i]);
  if (unit.overflowed()) return fail(ErrorKind::bad_input, "unit '{}' is out of range", text);
  unit.text_ = text;
  return unit;
}

bool Unit::dimensionless() const { return exponents_ == kNone; }

bool Unit::overflowed() const {
  const bool exponents =
      std::any_of(exponents_.begin(), exponents_.end(), [](int e) { return std::abs(e) > kMaxExponent; });
  return exponents || !std::isnormal(scale_);
}

Unit Unit::combined(const Unit& other, int factor) const {
  Unit result;
  for (std::size_t i = 0; i < kDimensions; ++i)
    result.exponents_[i] = saturated(exponents_[i] + factor * other.exponents_[i]);
  result.scale_ = factor > 0 ? scale_ * other.scale_ : scale_ / other.scale_;
  std::vector<Term> terms = terms_of(text_);
  merge(terms, terms_of(other.text_), factor);
  result.text_ = name_for(result.exponents_, result.scale_, terms);
  return result;
}

Unit Unit::times(const Unit& other) const { return combined(other, 1); }
Unit Unit::over(const Unit& other) const { return combined(other, -1); }

Unit Unit::power(int exponent) const {
  Unit result;
  const int bounded = std::clamp(exponent, -kMaxExponent - 1, kMaxExponent + 1);
  for (std::size_t i = 0; i < kDimensions; ++i) result.exponents_[i] = saturated(exponents_[i] * bounded);
  result.scale_ = std::pow(scale_, bounded);
  std::vector<Term> terms;
  merge(terms, terms_of(text_), bounded);
  result.text_ = name_for(result.exponents_, result.scale_, terms);
  return result;
}

Result<Unit> Unit::root(int degree) const {
  ALARA_ASSERT(degree >= 1, "a root has a degree of at least 1");
  Unit result;
  for (std::size_t i = 0; i < kDimensions; ++i) {
    if (exponents_[i] % degree != 0)
      return fail(ErrorKind::bad_input, "a root of degree {} of the unit '{}' is no unit", degree, text_);
    result.exponents_[i] = static_cast<std::int8_t>(exponents_[i] / degree);
  }
  result.scale_ = degree == 2 ? std::sqrt(scale_) : std::pow(scale_, 1.0 / degree);
  std::vector<Term> terms = terms_of(text_);
  bool whole = true;
  for (Term& term : terms) {
    whole = whole && term.exponent % degree == 0;
    term.exponent /= degree;
  }
  if (!whole && !same_scale(result.scale_, 1))  // "kJ/kg" has no root in its own symbols
    return fail(ErrorKind::bad_input, "a root of degree {} of the unit '{}' has no name", degree, text_);
  result.text_ = name_for(result.exponents_, result.scale_, terms);
  return result;
}

Unit Unit::coherent() const {
  Unit result;
  result.exponents_ = exponents_;
  result.text_ = name_for(exponents_, 1, {});
  return result;
}

Result<double> Unit::convert(double value, const Unit& from) const {
  if (!same_dimension(from))
    return fail(ErrorKind::bad_input, "'{}' can not be converted to '{}'", from.text_.empty() ? "1" : from.text_,
                text_.empty() ? "1" : text_);
  if (scale_ == from.scale_ && offset_ == from.offset_) return value;
  return (value * from.scale_ + (from.offset_ - offset_)) / scale_;
}

}  // namespace alara
