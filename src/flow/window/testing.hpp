// SPDX-License-Identifier: Apache-2.0
// For the tests of this folder: builds a window step from the text of its options and collects its rows.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/document.hpp"
#include "flow/window/window.hpp"

namespace alara::flow::testing {

struct Row {
  std::uint32_t slot = 0;
  Nanos time = 0;
  Quality quality = Quality::good;
  std::vector<double> values;
};

struct Input {
  Nanos time = 0;
  double value = 0;
  std::uint32_t slot = 0;
  Quality quality = Quality::good;
  double by = 0;
};

inline Result<OperatorKind::Made> make_window(const std::string& options, std::size_t slots = 1, ValueInfo info = {},
                                              std::size_t inputs = 1) {
  const auto document = parse_document(options, "test");
  if (!document) return tl::unexpected<Error>(document.error());
  std::vector<Error> errors;
  window_kind().schema().check(*document, errors);
  if (!errors.empty()) return tl::unexpected<Error>(errors.front());
  std::vector<ValueInfo> infos(inputs, info);
  std::vector<AssetId> assets(slots);
  OperatorContext context;
  context.assets = assets;
  return window_kind().make(*document, infos, context);
}

class Harness {
 public:
  explicit Harness(const std::string& options, std::size_t slots = 1, ValueInfo info = {}, std::size_t inputs = 1)
      : inputs_(inputs) {
    auto made = make_window(options, slots, std::move(info), inputs);
    if (!made) {
      ADD_FAILURE() << made.error().text();
      return;
    }
    made_.emplace(std::move(*made));
    out_.emplace(made_->outputs.size());
  }

  Nanos now = 0;  // the engine's event time at process()

  Operator& code() { return *made_->code; }
  const OperatorKind::Made& made() const { return *made_; }

  // All of `samples` in one frame; a block where they have one slot.
  std::vector<Row> process(const std::vector<Input>& samples) {
    std::vector<std::uint32_t> slot;
    std::vector<Nanos> time;
    std::vector<Quality> quality;
    std::vector<double> value, by;
    bool one = true;
    bool good = true;
    for (const Input& s : samples) {
      slot.push_back(s.slot);
      time.push_back(s.time);
      quality.push_back(s.quality);
      value.push_back(s.value);
      by.push_back(s.by);
      one = one && s.slot == samples[0].slot;
      good = good && s.quality == Quality::good;
    }
    if (one) slot.clear();
    if (good) quality.clear();
    const std::vector<std::span<const double>> columns{value, by};
    Frame frame{slot, samples.empty() ? 0 : samples[0].slot, time, quality, std::span(columns).first(inputs_), 0};
    frame.now = now;
    out_->clear();
    code().process(frame, *out_);
    return take();
  }

  std::vector<Row> one_by_one(const std::vector<Input>& samples) {
    std::vector<Row> rows;
    for (const Input& sample : samples)
      for (Row& row : process({sample})) rows.push_back(std::move(row));
    return rows;
  }

  std::vector<Row> advance(Nanos to) {
    out_->clear();
    code().advance(to, to, *out_);
    return take();
  }

  std::uint64_t counter(std::string_view name) {
    std::vector<Operator::Counter> counters;
    code().counters(counters);
    for (const auto& counter : counters)
      if (counter.name == name) return counter.value;
    return 0;
  }

 private:
  std::vector<Row> take() {
    const Frame frame = out_->view(0);
    std::vector<Row> rows;
    for (std::size_t i = 0; i < frame.size(); ++i) {
      Row row{frame.slot_at(i), frame.time[i], frame.quality_at(i), {}};
      for (const auto& column : frame.columns) row.values.push_back(column[i]);
      rows.push_back(std::move(row));
    }
    return rows;
  }

  std::size_t inputs_;
  std::optional<OperatorKind::Made> made_;
  std::optional<FrameBuilder> out_;
};

// Every aggregate by its definition, over samples in order of time.
inline std::map<std::string, double> plain(const std::vector<Input>& samples) {
  const auto n = static_cast<long double>(samples.size());
  long double sum = 0, squares = 0, times = 0;
  for (const Input& s : samples)
    sum += s.value, squares += static_cast<long double>(s.value) * s.value, times += s.time - samples[0].time;
  const long double mean = sum / n;
  const long double middle = times / n;
  long double m2 = 0, tt = 0, tv = 0;
  std::map<std::string, double> out;
  double low = samples[0].value, high = low, increase = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const long double d = samples[i].value - mean;
    const long double t = (static_cast<long double>(samples[i].time - samples[0].time) - middle) * 1e-9L;
    m2 += d * d, tt += t * t, tv += t * d;
    low = std::min(low, samples[i].value), high = std::max(high, samples[i].value);
    if (i > 0) {
      const double before = samples[i - 1].value;
      increase += samples[i].value >= before ? samples[i].value - before : std::max(0.0, samples[i].value);
    }
  }
  const double seconds = static_cast<double>(samples.back().time - samples.front().time) * 1e-9;
  out["count"] = static_cast<double>(n);
  out["mean"] = static_cast<double>(mean);
  out["variance"] = static_cast<double>(m2 / n);
  out["std"] = static_cast<double>(std::sqrt(m2 / n));
  out["min"] = low;
  out["max"] = high;
  out["range"] = high - low;
  out["sum"] = static_cast<double>(sum);
  out["rms"] = static_cast<double>(std::sqrt(squares / n));
  out["slope"] = tt > 0 ? static_cast<double>(tv / tt) : NAN;
  out["rate"] = seconds > 0 ? increase / seconds : NAN;
  out["first"] = samples.front().value;
  out["last"] = samples.back().value;
  out["duration"] = seconds;
  std::vector<double> sorted;
  for (const Input& s : samples) sorted.push_back(s.value);
  std::sort(sorted.begin(), sorted.end());
  out["p90"] = sorted[static_cast<std::size_t>(0.9 * static_cast<double>(sorted.size() - 1))];
  return out;
}

// `row` against plain(samples): quantiles within their stated error, the rest within `tolerance` of the data's size.
inline void expect_plain(const OperatorKind::Made& made, const Row& row, const std::vector<Input>& samples,
                         double tolerance, const std::string& where) {
  const auto expected = plain(samples);
  double size = 1e-12;
  for (const Input& s : samples) size = std::max(size, std::abs(s.value));
  for (std::size_t k = 0; k < made.outputs.size(); ++k) {
    const std::string& name = made.outputs[k].name;
    const double want = expected.at(name);
    if (std::isnan(want)) {
      EXPECT_TRUE(std::isnan(row.values[k])) << name << " " << where;
      continue;
    }
    double allowed = tolerance * std::max(std::abs(want), size);
    if (name == "variance" || name == "sum")
      allowed = tolerance * std::max(std::abs(want), size * static_cast<double>(samples.size()));
    if (name == "p90") allowed = 0.0101 * std::abs(want) + size / 28'000;
    ASSERT_NEAR(row.values[k], want, allowed) << name << " " << where << " of " << samples.size();
  }
}

inline constexpr const char* kEverything =
    "[count, mean, variance, std, min, max, range, sum, rms, slope, rate, first, last, duration, p90]";
inline constexpr const char* kWithoutTimes = "[count, mean, variance, std, min, max, range, sum, rms, first, last]";

}  // namespace alara::flow::testing
