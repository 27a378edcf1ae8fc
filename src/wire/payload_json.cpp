// SPDX-License-Identifier: Apache-2.0
// The one pass over a JSON payload (grammar: RFC 8259).
#include "wire/payload_json.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/quantity.hpp"
#include "base/text.hpp"

namespace alara::wire {
namespace {

constexpr std::size_t kLongestKey = 256;  // longer member names match nothing
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Powers of ten that doubles hold exactly: a mantissa below 2^53 divided by one is correctly rounded.
constexpr std::array<double, 23> kPowers{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                         1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr std::uint64_t kExactMantissa = 1ull << 53;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_time_key(std::string_view key) { return key == "t" || key == "ts" || key == "time" || key == "timestamp"; }
bool is_value_key(std::string_view key) { return key == "v" || key == "value"; }
bool is_quality_key(std::string_view key) { return key == "q" || key == "quality"; }

void append_utf8(std::uint32_t code, std::array<char, kLongestKey>& out, std::size_t& size) {
  std::array<char, 4> bytes{};
  std::size_t count = 0;
  if (code < 0x80) {
    bytes[count++] = static_cast<char>(code);
  } else if (code < 0x800) {
    bytes[count++] = static_cast<char>(0xC0 | (code >> 6));
    bytes[count++] = static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    bytes[count++] = static_cast<char>(0xE0 | (code >> 12));
    bytes[count++] = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    bytes[count++] = static_cast<char>(0x80 | (code & 0x3F));
  } else {
    bytes[count++] = static_cast<char>(0xF0 | (code >> 18));
    bytes[count++] = static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    bytes[count++] = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    bytes[count++] = static_cast<char>(0x80 | (code & 0x3F));
  }
  for (std::size_t i = 0; i < count && size < out.size(); ++i) out[size++] = bytes[i];
}

std::uint32_t hex4(const char* digits) {
  std::uint32_t code = 0;
  std::from_chars(digits, digits + 4, code, 16);
  return code;
}

// The text of a checked JSON string with escapes, cut off at kLongestKey bytes.
std::string_view unescape(std::string_view raw, std::array<char, kLongestKey>& out) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < raw.size() && size < out.size(); ++i) {
    if (raw[i] != '\\') {
      out[size++] = raw[i];
      continue;
    }
    const char escaped = raw[++i];
    if (escaped != 'u') {
      constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
      out[size++] = kTo[kFrom.find(escaped)];
      continue;
    }
    std::uint32_t code = hex4(raw.data() + i + 1);
    i += 4;
    if (code >= 0xD800 && code < 0xDC00 && i + 6 < raw.size() && raw[i + 1] == '\\' && raw[i + 2] == 'u') {
      const std::uint32_t low = hex4(raw.data() + i + 3);
      if (low >= 0xDC00 && low < 0xE000) {
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        i += 6;
      }
    }
    append_utf8(code, out, size);
  }
  return {out.data(), size};
}

}  // namespace

// State of one pass. Every function that reads returns false once fault_ is set.
class JsonReader {
 public:
  JsonReader(const JsonPlan& plan, std::string_view text, const PayloadLimits& limits, JsonRow& row)
      : plan_(plan), at_(text.data()), end_(text.data() + text.size()), limits_(limits), row_(row) {}

  PayloadFault run() {
    blanks();
    if (!value(0)) return fault_;
    blanks();
    return at_ == end_ ? PayloadFault::none : PayloadFault::malformed;
  }

 private:
  using Point = JsonRow::Point;
  static constexpr std::uint32_t kNone = JsonPlan::kNone;

  enum class Scalar : std::uint8_t { number, text, null, not_finite };
  struct Read {
    Scalar kind = Scalar::null;
    double number = 0;
    bool boolean = false;
    std::string_view raw;  // the number's text, or the text between the quotes
  };

  bool fail(PayloadFault fault) {
    fault_ = fault;
    return false;
  }
  bool stop_here() { return fail(at_ == end_ ? PayloadFault::truncated : PayloadFault::malformed); }
  void blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool text(std::string_view& raw);
  bool number(Read& out);
  bool word(std::string_view whole);
  bool scalar(Read& out);
  bool value(std::uint32_t tree);
  bool object(std::uint32_t tree, Point* point);
  bool member(std::uint32_t tree, Point* point, std::string_view key);
  bool list(std::uint32_t tree);
  bool samples(Point& point);
  bool point_value(Point& point, bool list_only);
  bool time(Nanos& time, bool& timed, bool& readable);
  bool quality(Point& point);
  void settle(Point& point, const Read& read);

  const JsonPlan& plan_;
  const char* at_;
  const char* const end_;
  const PayloadLimits& limits_;
  JsonRow& row_;
  PayloadFault fault_ = PayloadFault::none;
  int depth_ = 0;
  std::size_t elements_ = 0;
};

// A string behind its opening quote.
bool JsonReader::text(std::string_view& raw) {
  const char* const begin = at_;
  for (; at_ != end_; ++at_) {
    const auto c = static_cast<unsigned char>(*at_);
    if (c == '"') {
      raw = {begin, static_cast<std::size_t>(at_ - begin)};
      ++at_;
      return true;
    }
    if (c < 0x20) return fail(PayloadFault::malformed);
    if (c != '\\') continue;
    if (++at_ == end_) break;
    if (*at_ == 'u') {
      for (int i = 0; i < 4; ++i) {
        if (++at_ == end_) return fail(PayloadFault::truncated);
        if (!is_digit(*at_) && !((*at_ | 0x20) >= 'a' && (*at_ | 0x20) <= 'f')) return fail(PayloadFault::malformed);
      }
    } else if (std::strchr("\"\\/bfnrt", *at_) == nullptr || *at_ == '\0') {
      return fail(PayloadFault::malformed);
    }
  }
  return fail(PayloadFault::truncated);
}

bool JsonReader::number(Read& out) {
  const char* const begin = at_;
  const bool negative = take('-');
  if (negative && at_ != end_ && *at_ == 'I') {
    out.kind = Scalar::not_finite;
    return word("Infinity");
  }
  std::uint64_t mantissa = 0;
  int digits = 0, decimals = 0;
  const auto take_digits = [&] {
    const char* const first = at_;
    for (; at_ != end_ && is_digit(*at_); ++at_) {
      if (digits < 19) mantissa = mantissa * 10 + static_cast<std::uint64_t>(*at_ - '0');
      if (mantissa != 0) ++digits;
    }
    return static_cast<int>(at_ - first);
  };
  const bool leading_zero = at_ != end_ && *at_ == '0';
  const int whole = take_digits();
  if (whole == 0) return stop_here();
  if (leading_zero && whole > 1) return fail(PayloadFault::malformed);
  bool exact = true;
  if (take('.')) {
    decimals = take_digits();
    if (decimals == 0) return stop_here();
  }
  if (at_ != end_ && (*at_ | 0x20) == 'e') {
    ++at_;
    if (!take('+')) take('-');
    const char* const first = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    if (at_ == first) return stop_here();
    exact = false;
  }
  out.raw = {begin, static_cast<std::size_t>(at_ - begin)};
  out.kind = Scalar::number;
  if (exact && digits < 19 && mantissa < kExactMantissa && decimals < static_cast<int>(kPowers.size())) {
    const double magnitude = static_cast<double>(mantissa) / kPowers[static_cast<std::size_t>(decimals)];
    out.number = negative ? -magnitude : magnitude;
    return true;
  }
  const auto [last, status] = std::from_chars(begin, at_, out.number);
  if (status == std::errc::result_out_of_range) {
    const bool tiny = out.raw.find("e-") != std::string_view::npos || out.raw.find("E-") != std::string_view::npos ||
                      (leading_zero && exact);
    out.number = 0;
    if (!tiny) out.kind = Scalar::not_finite;
  }
  return true;
}

bool JsonReader::word(std::string_view whole) {
  for (const char c : whole)
    if (!take(c)) return stop_here();
  return true;
}

// Anything but an object or a list.
bool JsonReader::scalar(Read& out) {
  if (at_ == end_) return fail(PayloadFault::truncated);
  switch (*at_) {
    case '"':
      ++at_;
      out.kind = Scalar::text;
      return text(out.raw);
    case 't':
    case 'f':
      out.kind = Scalar::number;
      out.boolean = true;
      out.number = *at_ == 't' ? 1 : 0;
      return word(*at_ == 't' ? "true" : "false");
    case 'n':
      out.kind = Scalar::null;
      return word("null");
    case 'N':
      out.kind = Scalar::not_finite;
      return word("NaN");  // not JSON, but what Python and others write
    case 'I':
      out.kind = Scalar::not_finite;
      return word("Infinity");
    default:
      return number(out);
  }
}

void JsonReader::settle(Point& point, const Read& read) {
  point.value = read.number;
  switch (read.kind) {
    case Scalar::number:
      point.fault = PayloadFault::none;
      break;
    case Scalar::text:
      point.fault = PayloadFault::wrong_type;
      break;
    case Scalar::null:
      point.fault = PayloadFault::missing;
      break;
    case Scalar::not_finite:
      point.fault = PayloadFault::not_finite;
      break;
  }
}

bool JsonReader::value(std::uint32_t tree) {
  if (at_ == end_) return fail(PayloadFault::truncated);
  if (tree == kNone) {
    if (*at_ == '{') return object(kNone, nullptr);
    if (*at_ == '[') return list(kNone);
    Read ignored;
    return scalar(ignored);
  }
  const JsonPlan::Tree& here = plan_.trees_[tree];
  if (here.time) {
    bool readable = true;
    if (!time(row_.time, row_.timed, readable)) return false;
    return readable || fail(PayloadFault::bad_time);
  }
  Point* const point = here.point == kNone ? nullptr : &row_.points[here.point];
  if (*at_ == '{') {
    if (point != nullptr) point->fault = PayloadFault::wrong_type;  // until a member says otherwise
    return object(tree, point);
  }
  if (*at_ == '[' && (point == nullptr || !here.indexes.empty())) {
    if (point != nullptr) point->fault = PayloadFault::wrong_type;
    return list(tree);
  }
  if (point != nullptr) return point_value(*point, here.list_only);
  Read ignored;
  return scalar(ignored);
}

// The value itself: a scalar or a list of samples.
bool JsonReader::point_value(Point& point, bool list_only) {
  if (at_ != end_ && *at_ == '[') return samples(point);
  if (at_ != end_ && *at_ == '{') {
    point.fault = PayloadFault::wrong_type;
    return object(kNone, nullptr);
  }
  Read read;
  if (!scalar(read)) return false;
  settle(point, read);
  if (list_only) point.fault = PayloadFault::wrong_type;
  return true;
}

bool JsonReader::object(std::uint32_t tree, Point* point) {
  if (++depth_ > limits_.depth) return fail(PayloadFault::too_deep);
  ++at_;
  blanks();
  if (take('}')) {
    --depth_;
    return true;
  }
  do {
    blanks();
    if (!take('"')) return stop_here();
    std::string_view raw;
    if (!text(raw)) return false;
    blanks();
    if (!take(':')) return stop_here();
    blanks();
    std::array<char, kLongestKey> buffer;
    const bool plain = tree == kNone || raw.find('\\') == std::string_view::npos;
    if (!member(tree, point, plain ? raw : unescape(raw, buffer))) return false;
    blanks();
  } while (take(','));
  if (!take('}')) return stop_here();
  if (point != nullptr && point->bad_time && point->fault == PayloadFault::none) point->fault = PayloadFault::bad_time;
  --depth_;
  return true;
}

bool JsonReader::member(std::uint32_t tree, Point* point, std::string_view key) {
  if (++elements_ > limits_.count) return fail(PayloadFault::too_many);
  if (tree == kNone) return value(kNone);
  const std::uint32_t child = plan_.child_of_key(tree, key);
  if (child != kNone) return value(child);
  if (point != nullptr && is_value_key(key)) return point_value(*point, plan_.trees_[tree].list_only);
  if (point != nullptr && is_quality_key(key)) return quality(*point);
  if (tree == 0 && !plan_.has_time_path_ && is_time_key(key)) {
    bool readable = true;
    if (!time(row_.time, row_.timed, readable)) return false;
    return readable || fail(PayloadFault::bad_time);
  }
  if (point != nullptr && is_time_key(key)) {
    bool readable = true;
    if (!time(point->time, point->timed, readable)) return false;
    point->bad_time = !readable;
    return true;
  }
  return value(kNone);
}

bool JsonReader::list(std::uint32_t tree) {
  if (++depth_ > limits_.depth) return fail(PayloadFault::too_deep);
  ++at_;
  blanks();
  if (take(']')) {
    --depth_;
    return true;
  }
  std::size_t index = 0;
  do {
    if (++elements_ > limits_.count) return fail(PayloadFault::too_many);
    blanks();
    if (!value(tree == kNone ? kNone : plan_.child_of_index(tree, index))) return false;
    ++index;
    blanks();
  } while (take(','));
  if (!take(']')) return stop_here();
  --depth_;
  return true;
}

// A list of numbers as consecutive samples.
bool JsonReader::samples(Point& point) {
  if (++depth_ > limits_.depth) return fail(PayloadFault::too_deep);
  ++at_;
  point.list = true;
  point.fault = PayloadFault::none;
  point.first = static_cast<std::uint32_t>(row_.samples.size());
  blanks();
  if (!take(']')) {
    do {
      if (++elements_ > limits_.count) return fail(PayloadFault::too_many);
      blanks();
      if (at_ != end_ && (*at_ == '[' || *at_ == '{')) {
        point.fault = PayloadFault::wrong_type;
        if (!value(kNone)) return false;
      } else {
        Read read;
        if (!scalar(read)) return false;
        if (read.kind == Scalar::text) point.fault = PayloadFault::wrong_type;
        row_.samples.push_back(read.kind == Scalar::number ? read.number : kNaN);
      }
      blanks();
    } while (take(','));
    if (!take(']')) return stop_here();
  }
  point.count = static_cast<std::uint32_t>(row_.samples.size()) - point.first;
  --depth_;
  return true;
}

// A time as text or number. `readable` is false when it is neither; null leaves everything as it was.
bool JsonReader::time(Nanos& time, bool& timed, bool& readable) {
  readable = false;
  if (at_ != end_ && (*at_ == '{' || *at_ == '[')) return value(kNone);
  Read read;
  if (!scalar(read)) return false;
  std::optional<Nanos> instant;
  if (read.kind == Scalar::null) {
    readable = true;
    return true;
  }
  if (read.kind == Scalar::text) {
    if (const auto parsed = parse_instant(read.raw)) instant = *parsed;
  } else if (read.kind == Scalar::number && !read.boolean) {
    std::int64_t whole = 0;
    const auto [last, status] = std::from_chars(read.raw.data(), read.raw.data() + read.raw.size(), whole);
    const bool integer = status == std::errc{} && last == read.raw.data() + read.raw.size();
    instant = integer ? instant_of(whole) : instant_of(read.number);
  }
  if (!instant) return true;
  time = *instant;
  timed = readable = true;
  return true;
}

bool JsonReader::quality(Point& point) {
  point.quality = Quality::bad;
  if (at_ != end_ && (*at_ == '{' || *at_ == '[')) return value(kNone);
  Read read;
  if (!scalar(read)) return false;
  if (read.kind == Scalar::text) point.quality = quality_of(read.raw);
  if (read.kind == Scalar::number && read.boolean) point.quality = read.number != 0 ? Quality::good : Quality::bad;
  if (read.kind == Scalar::number && !read.boolean) point.quality = quality_of(read.number);
  return true;
}

PayloadFault JsonPlan::read(std::string_view text, const PayloadLimits& limits, JsonRow& row) const {
  if (text.size() > limits.bytes) return PayloadFault::too_large;
  row.points.assign(points_, JsonRow::Point{});
  row.samples.clear();
  row.timed = false;
  if (!ascii(text) && !valid_utf8(text)) return PayloadFault::not_utf8;
  return JsonReader(*this, text, limits, row).run();
}

}  // namespace alara::wire
