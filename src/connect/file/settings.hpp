// SPDX-License-Identifier: Apache-2.0
// The options of one file connector, read and checked.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "core/document.hpp"
#include "core/schema.hpp"

namespace alara::file {

enum class Format : std::uint8_t { csv, jsonl, npy };
enum class TimeFormat : std::uint8_t { automatic, iso, seconds, millis, micros, nanos };
enum class Stamp : std::uint8_t { recorded, now };
enum class Missing : std::uint8_t { bad, skip };

struct Settings {
  std::string path;  // "" = no source
  Format format = Format::csv;
  char delimiter = ',';
  bool header = true;
  std::string time;  // column or JSON path; "" = by rate, or the usual JSON members
  TimeFormat time_format = TimeFormat::automatic;
  double rate_hz = 0;      // 0 = unknown
  Nanos start = 0;         // event time of the first sample when the file tells none
  Nanos record_every = 0;  // of .npy records; 0 = gapless
  double speed = 0;        // times real time; 0 = as fast as possible
  Stamp stamp = Stamp::recorded;
  bool loop = false;
  Missing missing = Missing::bad;

  std::string append;  // "" = no sink
  Format append_format = Format::jsonl;
  bool sync = false;
};

[[nodiscard]] const Schema& schema();
// `options` has passed schema().check(). Relative paths start at `directory`.
[[nodiscard]] Result<Settings> read_settings(const Node& options, const std::string& directory);

// A time cell; nullopt when it is none.
[[nodiscard]] std::optional<Nanos> parse_time(std::string_view text, TimeFormat format);

}  // namespace alara::file
