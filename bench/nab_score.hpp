// SPDX-License-Identifier: Apache-2.0
// The scoring of the Numenta Anomaly Benchmark, version 1: A. Lavin and S. Ahmad, "Evaluating real-time anomaly
// detection algorithms: the Numenta Anomaly Benchmark", ICMLA 2015, as the benchmark's published program computes it. A
// detection early in a labelled window earns up to 1, a missed window costs, a detection outside costs more the farther
// it is behind the last window. 0 is a detector that says nothing, 100 one that is always right at once.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace alara::bench {

struct NabWindow {
  std::size_t first = 0, last = 0;  // rows, both inside
};

struct NabSeries {
  std::string name;  // "realKnownCause/machine_temperature_system_failure"
  std::vector<Nanos> time;
  std::vector<double> value;
  std::vector<NabWindow> windows;
};

struct NabProfile {
  std::string_view name;
  double true_positive, false_positive, false_negative;  // weights
};
inline constexpr std::array<NabProfile, 3> kNabProfiles{{
    {"standard", 1.0, 0.11, 1.0},
    {"low_fp", 1.0, 0.22, 1.0},  // reward_low_FP_rate
    {"low_fn", 1.0, 0.11, 2.0},  // reward_low_FN_rate
}};

// One detector's verdict on one series: a score per row, detections are the rows at or above a threshold.
struct NabRun {
  const NabSeries* series = nullptr;
  std::span<const double> scores;
};

struct NabResult {
  double threshold = 0;
  double score = 0;       // before normalising
  double normalised = 0;  // 100 (score - null) / (perfect - null); 0 where there are no windows
};

// Rows at the start that do not count: 15 % of the series, of at most 5,000 rows.
[[nodiscard]] std::size_t nab_probation(std::size_t rows);
// 2 / (1 + exp(5 position)) - 1, and -1 beyond 3: position -1 is a window's left edge, 0 its right edge.
[[nodiscard]] double nab_sigmoid(double position);
// The weight of a detection at `row`.
[[nodiscard]] double nab_row_score(const NabSeries& series, std::size_t row, const NabProfile& profile);

// All series together at a given threshold.
[[nodiscard]] NabResult nab_score(std::span<const NabRun> runs, const NabProfile& profile, double threshold);
// The same at the threshold that is best for all series together, as the benchmark's optimiser chooses it.
[[nodiscard]] NabResult nab_best(std::span<const NabRun> runs, const NabProfile& profile);
// Windows of the series that have at least one detection, and detections outside of windows.
struct NabCount {
  std::size_t windows_found = 0, false_positives = 0;
};
[[nodiscard]] NabCount nab_count(const NabRun& run, double threshold);

// The benchmark's "windowed Gaussian" baseline: how central a value is not, under a normal distribution with the mean
// and standard deviation of the last 1,000 values.
[[nodiscard]] std::vector<double> nab_windowed_gaussian(const NabSeries& series);

// Reads `directory`/windows.json and every series named in it.
[[nodiscard]] Result<std::vector<NabSeries>> load_nab(const std::string& directory);

}  // namespace alara::bench
