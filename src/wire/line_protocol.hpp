// SPDX-License-Identifier: Apache-2.0
// Line protocol, the text in which InfluxDB and Telegraf send points:
//   measurement,tag=value,… field=1.5,other=3i,on=t,name="text" 1465839830100400200
// One line at a time, nothing copied but what has escapes. Text comes from outside: every count is bounded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace alara::wire {

inline constexpr std::size_t kMostLineBytes = 64 << 10;
inline constexpr std::size_t kMostLineTags = 64;
inline constexpr std::size_t kMostLineFields = 1024;

struct LineField {
  std::string key;
  // A number (also an integer, or true and false); empty for a text, which is no value of a signal.
  std::optional<double> number;
};

struct Line {
  std::string measurement;
  std::vector<std::pair<std::string, std::string>> tags;
  std::vector<LineField> fields;
  std::optional<Nanos> time;  // as `unit` says
  [[nodiscard]] const std::string* tag(std::string_view key) const;
};

// `unit`: of the time (1: nanoseconds, kSecond: seconds). Fails with the column in the message. Empty lines and
// comments
// ("# …") are not_found. `into` is overwritten; reuse it.
[[nodiscard]] Status parse_line(std::string_view text, Nanos unit, Line& into);

}  // namespace alara::wire
