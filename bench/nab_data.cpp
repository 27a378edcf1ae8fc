// SPDX-License-Identifier: Apache-2.0
// Reads the benchmark's files: CSV "timestamp,value" and windows.json.
#include <algorithm>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "base/quantity.hpp"
#include "base/text.hpp"
#include "bench/nab_score.hpp"

namespace alara::bench {
namespace {

Result<std::string> read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::not_found, "'{}' can not be read", path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Status read_rows(const std::string& path, NabSeries& series) {
  ALARA_TRY(const std::string text, read_all(path));
  int line_number = 0;
  for (const std::string_view raw : split(text, '\n')) {
    const std::string_view line = trim(raw);
    if (++line_number == 1 || line.empty()) continue;
    const std::size_t comma = line.find(',');
    if (comma == std::string_view::npos) return fail_at({path, line_number, 1}, "'{}' is not 'timestamp,value'", line);
    ALARA_TRY(const Nanos time, parse_instant(line.substr(0, comma)));
    ALARA_TRY(const double value, parse_number(trim(line.substr(comma + 1))));
    series.time.push_back(time);
    series.value.push_back(value);
  }
  return {};
}

// The row of a label's instant; the first one where a clock was put back.
Result<std::size_t> row_at(const NabSeries& series, const nlohmann::json& label) {
  if (!label.is_string()) return fail(ErrorKind::corrupt, "a window of '{}' is no timestamp", series.name);
  ALARA_TRY(const Nanos instant, parse_instant(label.get<std::string>()));
  const auto found = std::find(series.time.begin(), series.time.end(), instant);
  if (found == series.time.end())
    return fail(ErrorKind::corrupt, "'{}' has no row at {}", series.name, label.get<std::string>());
  return static_cast<std::size_t>(found - series.time.begin());
}

Status read_windows(const nlohmann::json& labels, NabSeries& series) {
  if (!labels.is_array()) return fail(ErrorKind::corrupt, "the windows of '{}' are no list", series.name);
  for (const nlohmann::json& pair : labels) {
    if (!pair.is_array() || pair.size() != 2)
      return fail(ErrorKind::corrupt, "a window of '{}' is no pair", series.name);
    ALARA_TRY(const std::size_t first, row_at(series, pair[0]));
    ALARA_TRY(const std::size_t last, row_at(series, pair[1]));
    if (first >= last) return fail(ErrorKind::corrupt, "a window of '{}' ends before it begins", series.name);
    series.windows.push_back({first, last});
  }
  return {};
}

}  // namespace

Result<std::vector<NabSeries>> load_nab(const std::string& directory) {
  ALARA_TRY(const std::string text, read_all(directory + "/windows.json"));
  const nlohmann::json labels = nlohmann::json::parse(text, nullptr, false);
  if (!labels.is_object()) return fail(ErrorKind::corrupt, "'{}/windows.json' is no JSON object", directory);
  std::vector<NabSeries> out;
  for (const auto& [file, windows] : labels.items()) {
    NabSeries series;
    series.name = file.substr(0, file.rfind(".csv"));
    ALARA_CHECK(read_rows(directory + "/" + file, series));
    ALARA_CHECK(read_windows(windows, series));
    out.push_back(std::move(series));
  }
  return out;
}

}  // namespace alara::bench
