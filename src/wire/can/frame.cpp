// SPDX-License-Identifier: Apache-2.0
#include "wire/can/frame.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace alara::wire::can {
namespace {

// Sizes a CAN FD frame can have, by its length code.
constexpr std::array<std::uint8_t, 16> kFdSizes{0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64};
constexpr std::uint32_t kErrorFrame = 0x20000000;  // candump writes error frames with this bit in the id
constexpr Nanos kMostSeconds = 9'000'000'000;      // nanoseconds reach a little further
constexpr char kBell = '\a';

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// The number that all of `text` stands for; empty when it is none of at most 8 digits.
std::optional<std::uint32_t> hex(std::string_view text) {
  if (text.empty() || text.size() > 8) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text) {
    const int digit = digit_of(c);
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<std::uint32_t>(digit);
  }
  return value;
}

// Pairs of digits, with nothing between them, into the frame.
bool take_data(std::string_view text, std::size_t most, Frame& frame) {
  if (text.size() % 2 != 0 || text.size() / 2 > most) return false;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit_of(text[i]), low = digit_of(text[i + 1]);
    if (high < 0 || low < 0) return false;
    frame.data[i / 2] = static_cast<std::uint8_t>(high << 4 | low);
  }
  frame.size = static_cast<std::uint8_t>(text.size() / 2);
  return true;
}

// By the count of its digits, as candump writes it: 3 are a standard id, 8 an extended one.
Status take_id(std::string_view text, Frame& frame) {
  const auto id = hex(text);
  if (!id || (text.size() != 3 && text.size() != 8))
    return fail(ErrorKind::corrupt, "'{}' is no CAN id of 3 or 8 digits", text);
  if (text.size() == 8 && (*id & kErrorFrame) != 0) return fail(ErrorKind::not_found, "an error frame");
  frame.extended = text.size() == 8;
  frame.id = *id;
  if (frame.id > (frame.extended ? kMostExtendedId : kMostStandardId))
    return fail(ErrorKind::corrupt, "the CAN id '{}' is too large", text);
  return {};
}

// "(1436509052.249713)"; seconds since 1970 or since the recording began.
Result<std::optional<Nanos>> take_time(std::string_view& line) {
  if (!line.starts_with('(')) return std::optional<Nanos>{};
  const std::size_t end = line.find(')');
  if (end == std::string_view::npos) return fail(ErrorKind::corrupt, "a time without its end");
  const std::string_view text = trim(line.substr(1, end - 1));
  line.remove_prefix(end + 1);
  Nanos seconds = 0, fraction = 0, unit = kSecond;
  bool dot = false, any = false;
  for (const char c : text) {
    if (c == '.' && !dot) {
      dot = true;
      continue;
    }
    if (c < '0' || c > '9' || (!dot && seconds >= kMostSeconds / 10))
      return fail(ErrorKind::corrupt, "'{}' is no time", text);
    any = true;
    if (!dot) {
      seconds = seconds * 10 + (c - '0');
    } else if (unit > 1) {
      unit /= 10;
      fraction += (c - '0') * unit;
    }
  }
  if (!any) return fail(ErrorKind::corrupt, "'{}' is no time", text);
  return std::optional<Nanos>(seconds * kSecond + fraction);
}

std::string_view take_word(std::string_view& line) {
  line = trim(line);
  const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

// Classic frames carry up to 8 bytes, CAN FD frames the sizes that its length codes can say.
bool has_size_of_a_frame(const Frame& frame) {
  return frame.fd ? std::ranges::find(kFdSizes, frame.size) != kFdSizes.end() : frame.size <= 8;
}

// "123#2A36", "123#R4", "12345678##12A36": id, then data.
Status take_compact(std::string_view text, Frame& frame) {
  const std::size_t hash = text.find('#');
  ALARA_CHECK(take_id(text.substr(0, hash), frame));
  std::string_view data = text.substr(hash + 1);
  if (data.starts_with('#')) {
    if (data.size() < 2 || digit_of(data[1]) < 0) return fail(ErrorKind::corrupt, "'{}' has no CAN FD flags", text);
    frame.fd = true;
    data.remove_prefix(2);
  } else if (data.starts_with('R')) {
    frame.remote = true;
    const auto size = data.size() > 1 ? hex(data.substr(1)) : std::optional<std::uint32_t>(0);
    if (!size || *size > 8) return fail(ErrorKind::corrupt, "'{}' asks for no length of 0 to 8", text);
    frame.size = static_cast<std::uint8_t>(*size);
    return {};
  } else if (const std::size_t code = data.find('_'); code != std::string_view::npos) {
    data = data.substr(0, code);  // a raw length code beyond 8
  }
  if (!take_data(data, frame.fd ? kMostData : 8, frame) || !has_size_of_a_frame(frame))
    return fail(ErrorKind::corrupt, "'{}' has no data of a CAN frame", text);
  return {};
}

// "[3]  2A 36 6C" behind the id; "[4]  remote request".
Status take_spaced(std::string_view rest, Frame& frame) {
  const std::string_view length = take_word(rest);
  if (length.size() < 3 || length.front() != '[' || length.back() != ']')
    return fail(ErrorKind::corrupt, "'[length]' is expected, not '{}'", length);
  std::size_t size = 0;
  for (const char c : length.substr(1, length.size() - 2)) {
    if (c < '0' || c > '9' || size > kMostData) return fail(ErrorKind::corrupt, "'{}' is no length", length);
    size = size * 10 + static_cast<std::size_t>(c - '0');
  }
  frame.fd = length.size() == 4 && length[1] == '0';  // "[08]": candump writes CAN FD lengths with two digits
  if (size > 8) frame.fd = true;
  if (trim(rest).starts_with("remote")) {
    if (frame.fd) return fail(ErrorKind::corrupt, "CAN FD has no remote frames, '{}' says one", length);
    frame.remote = true;
    frame.size = static_cast<std::uint8_t>(size);
    return {};
  }
  std::string digits;
  for (std::size_t i = 0; i < size; ++i) {
    const std::string_view byte = take_word(rest);
    if (byte.size() != 2) return fail(ErrorKind::corrupt, "{} bytes were announced, {} are there", size, i);
    digits += byte;
  }
  if (!take_data(digits, kMostData, frame) || !has_size_of_a_frame(frame))
    return fail(ErrorKind::corrupt, "'{}' is no length of a CAN frame's data", length);
  return {};
}

void append_data(const Frame& frame, std::string& out) {
  for (const std::uint8_t byte : frame.bytes()) out += fmt::format("{:02X}", byte);
}

}  // namespace

std::string name_of(const Frame& frame) {
  return frame.extended ? fmt::format("0x{:08X}", frame.id) : fmt::format("0x{:03X}", frame.id);
}

Result<LoggedFrame> parse_candump(std::string_view line) {
  line = trim(line);
  if (line.empty() || line.front() == '#') return fail(ErrorKind::not_found, "an empty line");
  LoggedFrame logged;
  ALARA_TRY(logged.time, take_time(line));
  static_cast<void>(take_word(line));  // the interface
  const std::string_view word = take_word(line);
  if (word.find('#') != std::string_view::npos) {
    ALARA_CHECK(take_compact(word, logged.frame));
  } else {
    ALARA_CHECK(take_id(word, logged.frame));
    ALARA_CHECK(take_spaced(line, logged.frame));
  }
  return logged;
}

std::string candump_line(const Frame& frame, Nanos time, std::string_view interface) {
  std::string line = fmt::format("({}.{:06}) {} ", time / kSecond, time % kSecond / kMicrosecond, interface);
  line += frame.extended ? fmt::format("{:08X}", frame.id) : fmt::format("{:03X}", frame.id);
  line += frame.fd ? "##0" : "#";
  if (frame.remote)
    line += fmt::format("R{}", frame.size);
  else
    append_data(frame, line);
  return line;
}

std::optional<SlcanReader::Item> SlcanReader::next(std::span<const std::uint8_t>& bytes) {
  while (!bytes.empty()) {
    const char c = static_cast<char>(bytes.front());
    bytes = bytes.subspan(1);
    if (c == kBell) {
      length_ = 0;
      return Item{Kind::refused, {}};
    }
    if (c == '\n') continue;  // some adapters end their lines with both
    if (c != '\r') {
      if (length_ < kLongest)
        line_[length_++] = c;
      else
        length_ = kLongest + 1;
      continue;
    }
    const Item item = length_ == kLongest + 1 ? Item{Kind::garbage, {}} : parse();
    length_ = 0;
    return item;
  }
  return std::nullopt;
}

SlcanReader::Item SlcanReader::parse() const {
  const std::string_view line(line_.data(), length_);
  if (line.empty()) return {Kind::done, {}};
  const char kind = line.front();
  if (line == "z" || line == "Z") return {Kind::sent, {}};
  if (std::string_view("VvNF").find(kind) != std::string_view::npos) return {Kind::other, {}};
  if (std::string_view("tTrRdDbB").find(kind) == std::string_view::npos) return {Kind::garbage, {}};
  Frame frame;
  frame.extended = kind == 'T' || kind == 'R' || kind == 'D' || kind == 'B';
  frame.remote = kind == 'r' || kind == 'R';
  frame.fd = std::string_view("dDbB").find(kind) != std::string_view::npos;
  const std::size_t digits = frame.extended ? 8 : 3;
  if (line.size() < 1 + digits + 1) return {Kind::garbage, {}};
  const auto id = hex(line.substr(1, digits));
  const int code = digit_of(line[1 + digits]);
  if (!id || *id > (frame.extended ? kMostExtendedId : kMostStandardId) || code < 0 || (!frame.fd && code > 8))
    return {Kind::garbage, {}};
  frame.id = *id;
  const std::size_t size = kFdSizes[static_cast<std::size_t>(code)];
  const std::string_view rest = line.substr(2 + digits);
  const std::size_t data = frame.remote ? 0 : 2 * size;
  // Behind the data an adapter may say its own time, four digits.
  if (rest.size() != data && (rest.size() != data + 4 || !hex(rest.substr(data)))) return {Kind::garbage, {}};
  if (!take_data(rest.substr(0, data), kMostData, frame)) return {Kind::garbage, {}};
  frame.size = static_cast<std::uint8_t>(size);
  return {Kind::frame, frame};
}

Result<std::string> slcan_line(const Frame& frame) {
  if (frame.fd || frame.size > 8) return fail(ErrorKind::refused, "an slcan adapter sends no CAN FD frames");
  std::string line = frame.extended ? fmt::format("{}{:08X}{}", frame.remote ? 'R' : 'T', frame.id, frame.size)
                                    : fmt::format("{}{:03X}{}", frame.remote ? 'r' : 't', frame.id, frame.size);
  append_data(frame, line);
  line += '\r';
  return line;
}

}  // namespace alara::wire::can
