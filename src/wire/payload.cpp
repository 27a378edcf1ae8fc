// SPDX-License-Identifier: Apache-2.0
#include "wire/payload.hpp"

#include <cmath>

namespace alara::wire {
namespace {

constexpr std::int64_t kSecondsBelow = 100'000'000'000;         // 1e11
constexpr std::int64_t kMillisBelow = 100'000'000'000'000;      // 1e14
constexpr std::int64_t kMicrosBelow = 100'000'000'000'000'000;  // 1e17
constexpr double kNanosLimit = 9.2e18;

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((text[i] | 0x20) != lower[i]) return false;
  return true;
}

}  // namespace

std::string_view name_of(PayloadFault fault) {
  switch (fault) {
    case PayloadFault::none:
      return "none";
    case PayloadFault::truncated:
      return "truncated";
    case PayloadFault::too_large:
      return "too_large";
    case PayloadFault::malformed:
      return "malformed";
    case PayloadFault::wrong_type:
      return "wrong_type";
    case PayloadFault::not_finite:
      return "not_finite";
    case PayloadFault::not_utf8:
      return "not_utf8";
    case PayloadFault::too_deep:
      return "too_deep";
    case PayloadFault::too_many:
      return "too_many";
    case PayloadFault::missing:
      return "missing";
    case PayloadFault::bad_time:
      return "bad_time";
  }
  return "none";
}

std::optional<Nanos> instant_of(std::int64_t number) {
  if (number < 0) return std::nullopt;
  const Nanos unit = number < kSecondsBelow  ? kSecond
                     : number < kMillisBelow ? kMillisecond
                     : number < kMicrosBelow ? kMicrosecond
                                             : 1;
  Nanos nanos = 0;
  if (__builtin_mul_overflow(number, unit, &nanos)) return std::nullopt;
  return nanos;
}

std::optional<Nanos> instant_of(double number) {
  if (!(number >= 0) || !(number < kNanosLimit)) return std::nullopt;
  double nanos = number;
  if (number < static_cast<double>(kSecondsBelow)) {
    nanos = number * 1e9;
  } else if (number < static_cast<double>(kMillisBelow)) {
    nanos = number * 1e6;
  } else if (number < static_cast<double>(kMicrosBelow)) {
    nanos = number * 1e3;
  }
  if (!(nanos < kNanosLimit)) return std::nullopt;
  return static_cast<Nanos>(std::llround(nanos));
}

Quality quality_of(double number) {
  if (number == 0 || number == 192) return Quality::good;
  if (number == 1 || number == 64) return Quality::uncertain;
  constexpr double kUaUncertain = 0x40000000, kUaBad = 0x80000000;
  if (number >= kUaUncertain && number < kUaBad) return Quality::uncertain;
  return Quality::bad;
}

Quality quality_of(std::string_view text) {
  if (equal_ignoring_case(text, "good")) return Quality::good;
  if (equal_ignoring_case(text, "uncertain")) return Quality::uncertain;
  return Quality::bad;
}

}  // namespace alara::wire
