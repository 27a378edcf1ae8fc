// SPDX-License-Identifier: Apache-2.0
#include "connect/file/settings.hpp"

#include <charconv>
#include <cmath>

#include "base/quantity.hpp"
#include "base/text.hpp"
#include "wire/payload.hpp"

namespace alara::file {
namespace {

Schema make_schema() {
  using T = PropertyType;
  return Schema{
      "file connector",
      "Replays recordings (CSV, JSON Lines, NumPy .npy) and appends values and messages to files.",
      {
          {.name = "path", .type = T::text, .sentence = "The recording to replay; relative to the site file."},
          {.name = "format",
           .type = T::choice,
           .sentence = "Default: by the file's ending.",
           .fallback = "auto",
           .choices = {"auto", "csv", "jsonl", "npy"}},
          {.name = "delimiter",
           .type = T::text,
           .sentence = "Between the cells of a CSV: one character, or tab.",
           .fallback = ","},
          {.name = "header",
           .type = T::boolean,
           .sentence = "Whether the first record of a CSV names its columns; otherwise they are called 1, 2, 3 …",
           .fallback = "true"},
          {.name = "time",
           .type = T::text,
           .sentence = "The column, or path in each JSON line, that holds the time. Without it a CSV needs a rate; "
                       "JSON lines are searched for t, ts, time and timestamp."},
          {.name = "time_format",
           .type = T::choice,
           .sentence =
               "How a CSV writes its time: ISO 8601 text, or a number of seconds, … since 1970. auto tells them apart.",
           .fallback = "auto",
           .choices = {"auto", "iso", "s", "ms", "us", "ns"}},
          {.name = "rate",
           .type = T::frequency,
           .sentence = "Records per second of a file without time; samples per second of an .npy file."},
          {.name = "start",
           .type = T::text,
           .sentence = "Event time of the first sample of a file without time.",
           .fallback = "2000-01-01T00:00:00Z"},
          {.name = "record_every",
           .type = T::duration,
           .sentence =
               "Distance between the starts of an .npy file's records. Default: they follow each other without a gap."},
          {.name = "speed",
           .type = T::text,
           .sentence = "max: as fast as the engine takes it; or a multiple of real time (1, 60, 0.5).",
           .fallback = "max"},
          {.name = "stamp",
           .type = T::choice,
           .sentence = "Keep the recorded times, or let the recording happen now (then speed must be a number).",
           .fallback = "recorded",
           .choices = {"recorded", "now"}},
          {.name = "loop",
           .type = T::boolean,
           .sentence = "Start again at the end, with times going on.",
           .fallback = "false"},
          {.name = "missing",
           .type = T::choice,
           .sentence = "An empty cell is a sample of bad quality, or none at all.",
           .fallback = "bad",
           .choices = {"bad", "skip"}},
          {.name = "append",
           .type = T::text,
           .sentence = "File that written values and messages are appended to; relative to the site file."},
          {.name = "append_format",
           .type = T::choice,
           .sentence = "Default: by the file's ending, else jsonl.",
           .fallback = "auto",
           .choices = {"auto", "csv", "jsonl"}},
          {.name = "sync",
           .type = T::boolean,
           .sentence = "Acknowledge a written value only when the disk has it. Costs a disk flush per burst of values.",
           .fallback = "false"},
      }};
}

std::string absolute(const std::string& path, const std::string& directory) {
  if (path.empty() || path.front() == '/' || directory.empty()) return path;
  return directory + "/" + path;
}

bool ends_with(std::string_view path, std::string_view ending) { return path.ends_with(ending); }

Result<Format> format_of(const Options& options, std::string_view name, const std::string& path, bool reading) {
  const std::string text = options.text(name);
  if (text == "csv") return Format::csv;
  if (text == "jsonl") return Format::jsonl;
  if (text == "npy") return Format::npy;
  if (ends_with(path, ".csv") || ends_with(path, ".tsv") || (reading && ends_with(path, ".txt"))) return Format::csv;
  if (ends_with(path, ".jsonl") || ends_with(path, ".ndjson")) return Format::jsonl;
  if (reading && ends_with(path, ".npy")) return Format::npy;
  if (!reading) return Format::jsonl;
  return fail_at(options.where("path"), "the ending of '{}' does not tell its format; add format: csv, jsonl or npy",
                 path);
}

Status read_source(const Options& options, const std::string& directory, Settings& out) {
  out.path = absolute(options.text("path"), directory);
  if (out.path.empty()) return {};
  ALARA_TRY(out.format, format_of(options, "format", out.path, true));
  const std::string delimiter = options.text("delimiter");
  out.delimiter = delimiter == "tab" || delimiter == "\\t" ? '\t' : delimiter.empty() ? '\0' : delimiter.front();
  if ((delimiter.size() != 1 && out.delimiter != '\t') || out.delimiter == '"' || out.delimiter == '\n' ||
      out.delimiter == '\r' || out.delimiter == '\0')
    return fail_at(options.where("delimiter"), "delimiter '{}' is not one character or tab", delimiter);
  out.header = options.boolean("header");
  out.time = options.text("time");
  const std::string format = options.text("time_format");
  out.time_format = format == "iso"  ? TimeFormat::iso
                    : format == "s"  ? TimeFormat::seconds
                    : format == "ms" ? TimeFormat::millis
                    : format == "us" ? TimeFormat::micros
                    : format == "ns" ? TimeFormat::nanos
                                     : TimeFormat::automatic;
  if (options.has("rate")) out.rate_hz = options.frequency("rate");
  const auto start = parse_instant(options.text("start"));
  if (!start) return fail_at(options.where("start"), "{}", start.error().message);
  out.start = *start;
  if (options.has("record_every")) out.record_every = options.duration("record_every");
  if (out.format == Format::csv && out.time.empty() && out.rate_hz == 0)
    return fail_at(options.where("path"),
                   "a CSV needs its time: say the column (time: timestamp) or the rate (rate: 10Hz)");
  return {};
}

}  // namespace

const Schema& schema() {
  static const Schema kSchema = make_schema();
  return kSchema;
}

Result<Settings> read_settings(const Node& node, const std::string& directory) {
  const Options options(node, schema());
  Settings out;
  ALARA_CHECK(read_source(options, directory, out));
  const std::string speed = options.text("speed");
  if (speed != "max") {
    std::string_view number = speed;
    if (number.ends_with('x')) number.remove_suffix(1);
    const auto parsed = parse_number(number);
    if (!parsed || *parsed <= 0 || *parsed > 1e6)
      return fail_at(options.where("speed"), "speed '{}' is neither max nor a positive number up to 1e6", speed);
    out.speed = *parsed;
  }
  out.stamp = options.text("stamp") == "now" ? Stamp::now : Stamp::recorded;
  if (out.stamp == Stamp::now && out.speed == 0)
    return fail_at(options.where("stamp"), "stamp: now needs a speed in multiples of real time, as in speed: 1");
  out.loop = options.boolean("loop");
  out.missing = options.text("missing") == "skip" ? Missing::skip : Missing::bad;
  out.append = absolute(options.text("append"), directory);
  ALARA_TRY(out.append_format, format_of(options, "append_format", out.append, false));
  out.sync = options.boolean("sync");
  if (out.path.empty() && out.append.empty())
    return fail_at(node.where, "a file connector needs path (to read), append (to write), or both");
  return out;
}

std::optional<Nanos> parse_time(std::string_view text, TimeFormat format) {
  text = trim(text);
  std::int64_t whole = 0;
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [whole_end, whole_status] = std::from_chars(text.data(), end, whole);
  const bool integer = whole_status == std::errc{} && whole_end == end;
  const auto [number_end, number_status] = std::from_chars(text.data(), end, number);
  const bool numeric = number_status == std::errc{} && number_end == end && std::isfinite(number);
  if (format == TimeFormat::iso || (format == TimeFormat::automatic && !numeric)) {
    const auto instant = parse_instant(text);
    return instant ? std::optional(*instant) : std::nullopt;
  }
  if (!numeric) return std::nullopt;
  if (format == TimeFormat::automatic) return integer ? wire::instant_of(whole) : wire::instant_of(number);
  const Nanos unit = format == TimeFormat::seconds  ? kSecond
                     : format == TimeFormat::millis ? kMillisecond
                     : format == TimeFormat::micros ? kMicrosecond
                                                    : 1;
  Nanos nanos = 0;
  if (integer) return __builtin_mul_overflow(whole, unit, &nanos) ? std::nullopt : std::optional(nanos);
  const double scaled = number * static_cast<double>(unit);
  return std::abs(scaled) < 9.2e18 ? std::optional(static_cast<Nanos>(std::llround(scaled))) : std::nullopt;
}

}  // namespace alara::file
