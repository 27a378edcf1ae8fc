// SPDX-License-Identifier: Apache-2.0
#include "bench/nab_score.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace alara::bench {
namespace {

constexpr std::size_t kOutside = std::numeric_limits<std::size_t>::max();

std::size_t window_of(const NabSeries& series, std::size_t row) {
  for (std::size_t w = 0; w < series.windows.size(); ++w)
    if (row >= series.windows[w].first && row <= series.windows[w].last) return w;
  return kOutside;
}

// Windows that end within the probation can be neither found nor missed.
bool counts(const NabSeries& series, const NabWindow& window) {
  return window.last >= nab_probation(series.time.size());
}

double null_score(std::span<const NabRun> runs, const NabProfile& profile) {
  double score = 0;
  for (const NabRun& run : runs)
    for (const NabWindow& window : run.series->windows)
      if (counts(*run.series, window)) score -= profile.false_negative;
  return score;
}

NabResult normalise(double threshold, double score, std::span<const NabRun> runs, const NabProfile& profile) {
  double perfect = 0;
  for (const NabRun& run : runs) perfect += static_cast<double>(run.series->windows.size()) * profile.true_positive;
  const double null = null_score(runs, profile);
  return {threshold, score, perfect > null ? 100 * (score - null) / (perfect - null) : 0};
}

}  // namespace

std::size_t nab_probation(std::size_t rows) {
  // The published min(floor(0.15 rows), 0.15 x 5000); rows from this index on count.
  return std::min<std::size_t>(static_cast<std::size_t>(std::floor(0.15 * static_cast<double>(rows))), 750);
}

double nab_sigmoid(double position) { return position > 3 ? -1 : 2 / (1 + std::exp(5 * position)) - 1; }

double nab_row_score(const NabSeries& series, std::size_t row, const NabProfile& profile) {
  if (const std::size_t w = window_of(series, row); w != kOutside) {
    const NabWindow& window = series.windows[w];
    const double width = static_cast<double>(window.last - window.first + 1);
    const double position = -static_cast<double>(window.last - row + 1) / width;
    return nab_sigmoid(position) * profile.true_positive / nab_sigmoid(-1);
  }
  const NabWindow* before = nullptr;
  for (const NabWindow& window : series.windows)
    if (window.last < row) before = &window;
  if (before == nullptr) return -profile.false_positive;
  const double past = static_cast<double>(row - before->last) / static_cast<double>(before->last - before->first);
  return nab_sigmoid(past) * profile.false_positive;
}

NabResult nab_score(std::span<const NabRun> runs, const NabProfile& profile, double threshold) {
  double score = 0;
  for (const NabRun& run : runs) {
    std::vector<double> found(run.series->windows.size(), -profile.false_negative);
    for (std::size_t row = nab_probation(run.scores.size()); row < run.scores.size(); ++row) {
      if (run.scores[row] < threshold) continue;
      const std::size_t w = window_of(*run.series, row);
      const double gain = nab_row_score(*run.series, row, profile);
      if (w == kOutside)
        score += gain;
      else
        found[w] = std::max(found[w], gain);
    }
    for (std::size_t w = 0; w < found.size(); ++w)
      if (counts(*run.series, run.series->windows[w])) score += found[w];
  }
  return normalise(threshold, score, runs, profile);
}

NabResult nab_best(std::span<const NabRun> runs, const NabProfile& profile) {
  struct Point {
    double score, gain;
    std::size_t window;  // numbered over all series
  };
  std::vector<Point> points;
  std::size_t windows = 0;
  for (const NabRun& run : runs) {
    for (std::size_t row = nab_probation(run.scores.size()); row < run.scores.size(); ++row) {
      const std::size_t w = window_of(*run.series, row);
      points.push_back(
          {run.scores[row], nab_row_score(*run.series, row, profile), w == kOutside ? kOutside : windows + w});
    }
    windows += run.series->windows.size();
  }
  std::stable_sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.score > b.score; });

  // From the strictest threshold, which detects nothing, down through every score that occurs.
  std::vector<double> found(windows, -profile.false_negative);
  double score = null_score(runs, profile);
  double best = score;
  double threshold = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < points.size();) {
    const double at = points[i].score;
    for (; i < points.size() && points[i].score == at; ++i) {
      const Point& point = points[i];
      if (point.window == kOutside) {
        score += point.gain;
      } else if (point.gain > found[point.window]) {
        score += point.gain - found[point.window];
        found[point.window] = point.gain;
      }
    }
    if (score > best) {
      best = score;
      threshold = at;
    }
  }
  return normalise(threshold, best, runs, profile);
}

NabCount nab_count(const NabRun& run, double threshold) {
  NabCount count;
  std::vector<bool> found(run.series->windows.size());
  for (std::size_t row = nab_probation(run.scores.size()); row < run.scores.size(); ++row) {
    if (run.scores[row] < threshold) continue;
    const std::size_t w = window_of(*run.series, row);
    if (w == kOutside)
      ++count.false_positives;
    else
      found[w] = true;
  }
  count.windows_found = static_cast<std::size_t>(std::count(found.begin(), found.end(), true));
  return count;
}

std::vector<double> nab_windowed_gaussian(const NabSeries& series) {
  constexpr std::size_t kWindow = 1000;
  std::vector<double> scores(series.value.size());
  for (std::size_t row = 1; row < scores.size(); ++row) {
    const std::size_t first = row > kWindow ? row - kWindow : 0;
    const double count = static_cast<double>(row - first);
    double mean = 0, variance = 0;
    for (std::size_t i = first; i < row; ++i) mean += series.value[i] / count;
    for (std::size_t i = first; i < row; ++i) variance += (series.value[i] - mean) * (series.value[i] - mean) / count;
    const double deviation = variance > 0 ? std::sqrt(variance) : 1e-6;
    scores[row] = 1 - 0.5 * std::erfc(std::fabs(series.value[row] - mean) / deviation / std::sqrt(2.0));
  }
  return scores;
}

}  // namespace alara::bench
