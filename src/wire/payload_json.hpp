// SPDX-License-Identifier: Apache-2.0
// Points out of JSON text: paths are compiled into a tree when a site file is loaded, then one pass over a payload
// fills all of them. No document is built and nothing is allocated once `JsonRow` has grown to its size.
//
// A path is "" (the whole payload), "temperature", "a.b[2]", "[17]", "a[\"key.with dots\"]"; a trailing "[:]" says that
// all elements of a list are consecutive samples. What a path leads to may be
//   a number, true or false            the value
//   {"v": …, "t": …, "q": …}           value with its own time and quality (also "value", "ts"/"time"/"timestamp",
//   "quality") a list of numbers                  samples of a waveform (null stands for a sample that is not there)
// The payload's own time is the member "t", "ts", "time" or "timestamp" of the outermost object, or the declared path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "core/sample.hpp"
#include "wire/payload.hpp"

namespace alara::wire {

inline constexpr std::size_t kMaxJsonPathSteps = 16;
inline constexpr std::size_t kMaxJsonIndex = 65'535;

// What one payload said. Reuse one object: it keeps its memory.
struct JsonRow {
  struct Point {
    PayloadFault fault = PayloadFault::missing;
    Quality quality = Quality::good;
    bool timed = false;
    bool bad_time = false;  // its time could not be read
    bool list = false;      // samples[first, first + count) hold the values
    double value = 0;
    Nanos time = 0;  // when timed
    std::uint32_t first = 0, count = 0;
  };
  std::vector<Point> points;    // by the number add() gave
  std::vector<double> samples;  // of the lists; NaN for null, NaN and infinities
  bool timed = false;
  Nanos time = 0;  // of the payload, when timed
};

class JsonPlan {
 public:
  JsonPlan();

  // Adds a path; returns its point's number. The same path again gives the same number.
  [[nodiscard]] Result<std::uint32_t> add(std::string_view path);
  // Where the payload's time stands instead of the usual members.
  [[nodiscard]] Status set_time_path(std::string_view path);
  [[nodiscard]] std::size_t size() const { return points_; }

  // Fills `row`. A fault of the whole payload (truncated, malformed, …) is returned, and `row` is then meaningless;
  // faults of single points are in the points. Thread-safe for different rows.
  [[nodiscard]] PayloadFault read(std::string_view text, const PayloadLimits& limits, JsonRow& row) const;

 private:
  friend class JsonReader;
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Branch {
    std::string key;
    std::uint32_t tree = kNone;
  };
  struct Tree {
    std::vector<Branch> keys;            // sorted
    std::vector<std::uint32_t> indexes;  // kNone where nothing is wanted
    std::uint32_t point = kNone;
    bool list_only = false;  // the path ended in [:]
    bool time = false;
  };

  [[nodiscard]] Result<std::uint32_t> grow(std::string_view path, bool& list_only);
  [[nodiscard]] std::uint32_t child_of_key(std::uint32_t tree, std::string_view key) const;
  [[nodiscard]] std::uint32_t child_of_index(std::uint32_t tree, std::size_t index) const;

  std::vector<Tree> trees_;
  std::uint32_t points_ = 0;
  bool has_time_path_ = false;
};

// A finite number as the shortest text that reads back the same ("21.5", "1e+300"). For payloads we send.
void append_number(double value, std::string& out);
// One point as we send it: {"value":21.5,"time":"2026-01-31T12:00:00.25Z","quality":"good","unit":"degC"}; JsonPlan
// reads it back without loss. The value is null when it is not finite; "unit" is left out when there is none.
struct JsonPoint {
  double value = 0;
  bool boolean = false;  // true or false instead of a number
  Nanos time = 0;
  Quality quality = Quality::good;
  std::string_view unit;
};
void append_point(const JsonPoint& point, std::string& out);
// `text` as a JSON string with quotes and escapes.
void append_json_string(std::string_view text, std::string& out);

}  // namespace alara::wire
