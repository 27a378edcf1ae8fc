// SPDX-License-Identifier: Apache-2.0
// What the point payload codecs (payload_json.hpp, payload_array.hpp) have in common: how a payload can be wrong, how
// large it may be, and how times and qualities are written in it. Payloads come from outside: no codec trusts a length,
// a depth or a number in them, and none allocates in proportion to a number it has only read.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "core/sample.hpp"

namespace alara::wire {

// Why a payload, or one point of it, can not become a sample. name_of() gives the counter's name.
enum class PayloadFault : std::uint8_t {
  none,
  truncated,   // ends before it is complete
  too_large,   // more bytes than allowed
  malformed,   // not what the format says
  wrong_type,  // well-formed, but a text, object or list where a number is expected
  not_finite,  // NaN, infinite, or a number no double can hold
  not_utf8,    // text that is not UTF-8
  too_deep,    // nested deeper than allowed
  too_many,    // more elements than allowed
  missing,     // the path leads nowhere in this payload, or to null
  bad_time,    // a time that can not be read
};
// A string literal from a fixed set, fit for Inlet::reject: "truncated", "too_large", …
[[nodiscard]] std::string_view name_of(PayloadFault fault);

struct PayloadLimits {
  std::size_t bytes = 1u << 20;  // of one payload
  std::size_t count = 1u << 18;  // elements of one payload
  int depth = 32;                // nesting of JSON
};

// An instant written as a number, its unit told by its size: below 1e11 seconds (to the year 5138), below 1e14
// milliseconds, below 1e17 microseconds, else nanoseconds since the epoch. nullopt when it fits no Nanos or is
// negative.
[[nodiscard]] std::optional<Nanos> instant_of(std::int64_t number);
[[nodiscard]] std::optional<Nanos> instant_of(double number);

// A quality as a number: 0/1/2 as ours, 192 and 64 as OPC DA's good and uncertain, 0x40000000… and 0x80000000… as OPC
// UA's status codes. Anything else is bad.
[[nodiscard]] Quality quality_of(double number);
// "good", "uncertain", "bad" in any case; anything else is bad.
[[nodiscard]] Quality quality_of(std::string_view text);

}  // namespace alara::wire
