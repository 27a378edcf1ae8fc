// SPDX-License-Identifier: Apache-2.0
#include "base/quantity.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>

namespace alara {
namespace {

struct Suffix {
  std::string_view text;
  double factor;
};

constexpr std::array kDurations{Suffix{"ns", 1},     Suffix{"us", 1e3},   Suffix{"ms", 1e6},   Suffix{"s", 1e9},
                                Suffix{"min", 60e9}, Suffix{"h", 3600e9}, Suffix{"d", 86400e9}};
constexpr std::array kSizes{Suffix{"B", 1},
                            Suffix{"KB", 1e3},
                            Suffix{"kB", 1e3},
                            Suffix{"MB", 1e6},
                            Suffix{"GB", 1e9},
                            Suffix{"TB", 1e12},
                            Suffix{"KiB", 1024.0},
                            Suffix{"MiB", 1024.0 * 1024},
                            Suffix{"GiB", 1024.0 * 1024 * 1024}};
constexpr std::array kFrequencies{Suffix{"Hz", 1}, Suffix{"kHz", 1e3}, Suffix{"MHz", 1e6}, Suffix{"mHz", 1e-3}};

// Reads "<number><suffix>", with at most one blank between; nullopt-like NaN when it is neither.
template <std::size_t N>
Result<double> parse_with_suffix(std::string_view text, const std::array<Suffix, N>& suffixes, const char* what,
                                 const char* hint) {
  double number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  if (status == std::errc{} && std::isfinite(number) && number >= 0) {
    if (number == 0 && rest.empty()) return 0.0;
    for (const Suffix& suffix : suffixes)
      if (rest == suffix.text) return number * suffix.factor;
  }
  Error error{ErrorKind::bad_input, fmt::format("'{}' is not a {}", text, what), {}, hint};
  return tl::unexpected<Error>(std::move(error));
}

// Days from 1970-01-01 to the given civil date (proleptic Gregorian).
std::int64_t days_from_civil(int year, int month, int day) {
  const auto date = std::chrono::year{year} / month / day;
  return std::chrono::sys_days{date}.time_since_epoch().count();
}

// Takes up to `digits` digits from the front of `text`; -1 when there are fewer.
int take_digits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return -1;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

// "Z", "", "+02:00", "+0200": the offset from UTC.
bool take_zone(std::string_view& text, Nanos& offset) {
  offset = 0;
  if (text.empty() || text == "Z") return true;
  const bool east = text.front() == '+';
  if (!east && text.front() != '-') return false;
  text.remove_prefix(1);
  const int hours = take_digits(text, 2);
  take(text, ':');
  const int minutes = take_digits(text, 2);
  if (hours < 0 || minutes < 0 || hours > 23 || minutes > 59 || !text.empty()) return false;
  offset = (east ? 1 : -1) * (hours * kHour + minutes * kMinute);
  return true;
}

}  // namespace

Result<Nanos> parse_duration(std::string_view text) {
  ALARA_TRY(const double nanos, parse_with_suffix(text, kDurations, "duration",
                                                  "write a number and ns, us, ms, s, min, h or d, as in 10ms"));
  if (nanos > 9e18) return fail(ErrorKind::bad_input, "'{}' is longer than 292 years", text);
  return static_cast<Nanos>(std::llround(nanos));
}

Result<std::uint64_t> parse_size(std::string_view text) {
  ALARA_TRY(const double bytes,
            parse_with_suffix(text, kSizes, "size", "write a number and B, KB, MB, GB, KiB, MiB or GiB, as in 64MB"));
  if (bytes > 9e18) return fail(ErrorKind::bad_input, "'{}' is larger than 9 EB", text);
  return static_cast<std::uint64_t>(std::llround(bytes));
}

Result<double> parse_frequency(std::string_view text) {
  ALARA_TRY(const double hertz,
            parse_with_suffix(text, kFrequencies, "frequency", "write a number and Hz, kHz or MHz, as in 6400Hz"));
  if (hertz <= 0) return fail(ErrorKind::bad_input, "frequency '{}' must be above zero", text);
  return hertz;
}

Result<double> parse_number(std::string_view text) {
  double number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || end != text.data() + text.size() || !std::isfinite(number))
    return fail(ErrorKind::bad_input, "'{}' is not a number", text);
  return number;
}

Result<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || end != text.data() + text.size())
    return fail(ErrorKind::bad_input, "'{}' is not a whole number", text);
  return number;
}

std::string format_duration(Nanos duration) {
  const double nanos = static_cast<double>(duration);
  for (auto it = kDurations.rbegin(); it != kDurations.rend(); ++it)
    if (std::abs(nanos) >= it->factor) return fmt::format("{:.4g}{}", nanos / it->factor, it->text);
  return "0s";
}

std::string format_size(std::uint64_t bytes) {
  const double amount = static_cast<double>(bytes);
  if (amount >= 1e9) return fmt::format("{:.1f} GB", amount / 1e9);
  if (amount >= 1e6) return fmt::format("{:.1f} MB", amount / 1e6);
  if (amount >= 1e3) return fmt::format("{:.1f} KB", amount / 1e3);
  return fmt::format("{} B", bytes);
}

namespace {

struct Civil {
  std::string seconds;  // "2013-12-02T21:15:00"
  Nanos rest = 0;       // of the second
};

Civil civil_of(Nanos wall) {
  Nanos seconds = wall / kSecond;
  Nanos rest = wall % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  }
  const std::time_t since_epoch = seconds;
  std::tm utc{};
  gmtime_r(&since_epoch, &utc);
  return {fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                      utc.tm_hour, utc.tm_min, utc.tm_sec),
          rest};
}

}  // namespace

std::string format_instant(Nanos wall) {
  const Civil civil = civil_of(wall);
  return fmt::format("{}.{:03}Z", civil.seconds, civil.rest / kMillisecond);
}

std::string format_instant_exactly(Nanos wall) {
  const Civil civil = civil_of(wall);
  std::string text = fmt::format("{}.{:09}", civil.seconds, civil.rest);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  text += 'Z';
  return text;
}

Result<Nanos> parse_instant(std::string_view text) {
  const auto refuse = [whole = text] {
    return fail(ErrorKind::bad_input, "'{}' is not a time; write it as 2026-01-31T12:00:00Z", whole);
  };
  const int year = take_digits(text, 4);
  if (year < 1678 || year > 2261 || !take(text, '-')) return refuse();
  const int month = take_digits(text, 2);
  if (month < 1 || month > 12 || !take(text, '-')) return refuse();
  const int day = take_digits(text, 2);
  if (day < 1 || !(std::chrono::year{year} / month / day).ok()) return refuse();
  Nanos instant = days_from_civil(year, month, day) * 24 * kHour;
  if (text.empty()) return instant;
  if (!take(text, 'T') && !take(text, ' ')) return refuse();
  const int hour = take_digits(text, 2);
  if (hour < 0 || hour > 23 || !take(text, ':')) return refuse();
  const int minute = take_digits(text, 2);
  if (minute < 0 || minute > 59) return refuse();
  instant += hour * kHour + minute * kMinute;
  if (take(text, ':')) {
    const int second = take_digits(text, 2);
    if (second < 0 || second > 60) return refuse();
    instant += second * kSecond;
    if (take(text, '.') || take(text, ',')) {
      Nanos unit = kSecond / 10;
      while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        instant += (text.front() - '0') * unit;
        unit /= 10;
        text.remove_prefix(1);
      }
    }
  }
  Nanos offset = 0;
  if (!take_zone(text, offset)) return refuse();
  return instant - offset;
}

}  // namespace alara
