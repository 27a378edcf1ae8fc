// SPDX-License-Identifier: Apache-2.0
// What a window can say about its samples: the names people write, the units of the results, and the numbers they are
// finished from (Summary). Every window kind fills a Summary; one place turns it into output columns.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "core/operator.hpp"

namespace alara::flow {

class Sketch;

enum class Aggregate : std::uint8_t {
  count,
  mean,
  variance,
  std,
  min,
  max,
  range,
  sum,
  rms,
  slope,
  rate,
  first,
  last,
  duration,
  quantile,
};

struct Wanted {
  Aggregate what = Aggregate::mean;
  double fraction = 0;  // of a quantile
  std::string name;     // of the output: "mean", "p95"
};

// Reads "mean", "quantile(0.95)", "p95" or "median". The error names the nearest known word.
[[nodiscard]] Result<Wanted> parse_aggregate(std::string_view text);
[[nodiscard]] std::vector<std::string_view> aggregate_names();

// The unit and kind of one result over `input`. Spreads of a temperature scale are differences (degC -> K).
[[nodiscard]] ValueInfo describe(const Wanted& wanted, const ValueInfo& input);

// Which parts of the work a list of aggregates asks for.
struct Needs {
  bool trend = false;     // sums over time, for slope
  bool sketch = false;    // quantiles
  bool extremes = false;  // min, max, range
  bool times = false;     // any of slope, rate, duration: the samples' times matter to the result
};
[[nodiscard]] Needs needs_of(const std::vector<Wanted>& use);

// The state of one window when its result is due. Variance is the population's (1/n), so that rms^2 = mean^2 + std^2.
struct Summary {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

  double n = 0;
  double mean = kNone;
  double variance = kNone;
  double low = kNone, high = kNone;
  double first = kNone, last = kNone;  // by event time
  double slope = kNone;                // per second; NaN while all samples have one time
  double increase = kNone;             // of a counter between first and last
  double seconds = 0;                  // from first to last
  const Sketch* sketch = nullptr;
};

[[nodiscard]] double value_of(const Wanted& wanted, const Summary& summary);

}  // namespace alara::flow
