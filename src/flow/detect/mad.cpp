// SPDX-License-Identifier: Apache-2.0
#include "flow/detect/mad.hpp"

#include <algorithm>

namespace alara::flow {
namespace {

constexpr double kMadToSigma = 0.6744897501960817;   // third quartile of the standard normal distribution
constexpr double kMeanToSigma = 1.2533141373155001;  // sqrt(pi / 2)

// More than half of the window is one value (a coarse sensor): the median distance is 0, the mean one still says what a
// usual distance is.
double mean_distance(std::span<const double> sorted, double centre) {
  double sum = 0;
  for (const double value : sorted) sum += std::fabs(value - centre);
  return sum / static_cast<double>(sorted.size());
}

// The k-th smallest (from 0) distance to `centre`. Left and right of `centre` the distances are two sorted sequences;
// a binary search finds how many of the k + 1 smallest lie on the left.
double kth_distance(std::span<const double> sorted, std::size_t split, double centre, std::size_t k) {
  const auto left = [&](std::size_t i) { return centre - sorted[split - 1 - i]; };
  const auto right = [&](std::size_t i) { return sorted[split + i] - centre; };
  const std::size_t on_right = sorted.size() - split;
  const std::size_t wanted = k + 1;
  std::size_t low = wanted > on_right ? wanted - on_right : 0;
  std::size_t high = std::min(wanted, split);
  while (low < high) {
    const std::size_t from_left = (low + high) / 2;
    if (left(from_left) < right(wanted - from_left - 1))
      low = from_left + 1;
    else
      high = from_left;
  }
  double largest = 0;
  if (low > 0) largest = left(low - 1);
  if (wanted > low) largest = std::max(largest, right(wanted - low - 1));
  return largest;
}

}  // namespace

double median_of_sorted(std::span<const double> sorted) {
  const std::size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

double median_distance(std::span<const double> sorted, double centre) {
  const auto split = static_cast<std::size_t>(std::lower_bound(sorted.begin(), sorted.end(), centre) - sorted.begin());
  const std::size_t half = sorted.size() / 2;
  const double upper = kth_distance(sorted, split, centre, half);
  return sorted.size() % 2 == 1 ? upper : (kth_distance(sorted, split, centre, half - 1) + upper) / 2;
}

MadBank::MadBank(const Options& options, std::size_t slots)
    : options_(options), states_(slots), ring_(slots * options.window), sorted_(slots * options.window) {}

Reading MadBank::step(std::size_t slot, Nanos, const double* x) {
  const State& state = states_[slot];
  Reading reading;
  if (state.count >= options_.warm_up) {
    const std::span<const double> sorted(sorted_.data() + slot * options_.window, state.count);
    const double median = median_of_sorted(sorted);
    const double typical = median_distance(sorted, median);
    const double spread = typical > 0 ? typical / kMadToSigma : kMeanToSigma * mean_distance(sorted, median);
    const double deviation = x[0] - median;
    reading.warm = true;
    reading.score = capped_ratio(deviation_on(options_.side, deviation), spread);
    reading.hit = reading.score > options_.threshold;
    const double reach = options_.threshold * spread;
    reading.level = upper_limit(options_.side, deviation) ? median + reach : median - reach;
  }
  insert(slot, x[0]);
  return reading;
}

void MadBank::insert(std::size_t slot, double value) {
  State& state = states_[slot];
  double* ring = ring_.data() + slot * options_.window;
  double* sorted = sorted_.data() + slot * options_.window;
  double* end = sorted + state.count;
  if (state.count < options_.window) {
    double* at = std::upper_bound(sorted, end, value);
    std::move_backward(at, end, end + 1);
    *at = value;
    ++state.count;
  } else {  // the oldest leaves its place, what lies between the two places moves by one
    double* from = std::lower_bound(sorted, end, ring[state.next]);
    double* to = std::upper_bound(sorted, end, value);
    if (to > from) {
      std::move(from + 1, to, from);
      *(to - 1) = value;
    } else {
      std::move_backward(to, from, from + 1);
      *to = value;
    }
  }
  ring[state.next] = value;
  state.next = state.next + 1 == options_.window ? 0 : state.next + 1;
}

}  // namespace alara::flow
