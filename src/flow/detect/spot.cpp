// SPDX-License-Identifier: Apache-2.0
#include "flow/detect/spot.hpp"

#include <algorithm>
#include <functional>

namespace alara::flow {
namespace {

constexpr std::uint32_t kLeastPeaks = 4;   // fewer give no fit: they are learned, never alarmed
constexpr std::uint32_t kPeaksPerFit = 8;  // a new fit when an eighth of the peaks kept is new: a fit costs some 20 us
constexpr double kMaxTailScore = 18;       // -log10 of a probability below which numbers mean nothing

}  // namespace

SpotBank::SpotBank(const Options& options, std::size_t slots)
    : options_(options),
      calibration_(std::min(options.peaks, static_cast<std::uint32_t>(options.tail * options.warm_up) + 1)),
      states_(slots),
      peaks_(slots * 2 * options.peaks),
      windows_(slots * options.drift) {}

std::size_t SpotBank::bytes_per_slot() const {
  return sizeof(State) + sizeof(double) * (2 * options_.peaks + options_.drift);
}

// Warm-up: a min-heap of the largest values, whose smallest becomes the peaks' threshold.
void SpotBank::calibrate(Tail& tail, std::span<double> largest, double value) const {
  const auto begin = largest.begin();
  if (tail.kept < calibration_) {
    largest[tail.kept++] = value;
    std::push_heap(begin, begin + tail.kept, std::greater<>());
  } else if (value > largest[0]) {
    std::pop_heap(begin, begin + tail.kept, std::greater<>());
    largest[tail.kept - 1] = value;
    std::push_heap(begin, begin + tail.kept, std::greater<>());
  }
}

void SpotBank::begin(Tail& tail, std::span<double> peaks, std::uint64_t seen) const {
  tail.threshold = peaks[0];
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < tail.kept; ++i) {
    const double excess = peaks[i] - tail.threshold;
    if (excess > 0) peaks[kept++] = excess;
  }
  tail.kept = kept;
  tail.peaks = kept;
  tail.next = kept == options_.peaks ? 0 : kept;
  if (kept >= kLeastPeaks) tail.fit = fit_gpd(peaks.first(kept));
  set_limit(tail, seen);
}

void SpotBank::learn(Tail& tail, std::span<double> peaks, double excess) const {
  peaks[tail.next] = excess;
  tail.next = tail.next + 1 == options_.peaks ? 0 : tail.next + 1;
  tail.kept = std::min(tail.kept + 1, options_.peaks);
  ++tail.peaks;
  if (tail.kept < kLeastPeaks || ++tail.unfitted < tail.kept / kPeaksPerFit) return;
  tail.unfitted = 0;
  tail.fit = fit_gpd(peaks.first(tail.kept));
}

// Eq. (1) of the paper: z_q = t + sigma / gamma ((q n / N_t)^-gamma - 1).
void SpotBank::set_limit(Tail& tail, std::uint64_t seen) const {
  if (tail.fit.scale <= 0) {
    tail.limit = HUGE_VAL;
    return;
  }
  const double probability = options_.q * static_cast<double>(seen) / static_cast<double>(tail.peaks);
  tail.limit = tail.threshold + tail.fit.excess_at(std::min(probability, 1.0));
}

double SpotBank::score_of(const Tail& tail, double value, std::uint64_t seen) const {
  if (value <= tail.threshold || tail.fit.scale <= 0) return 0;
  const double share = static_cast<double>(tail.peaks) / static_cast<double>(seen);
  const double probability = share * tail.fit.tail(value - tail.threshold);
  return probability > 0 ? std::min(-std::log10(probability), kMaxTailScore) : kMaxTailScore;
}

void SpotBank::move_mean(std::size_t slot, double x) {
  State& state = states_[slot];
  double* window = windows_.data() + slot * options_.drift;
  if (state.window < options_.drift)
    ++state.window;
  else
    state.sum -= window[state.window_next];
  window[state.window_next] = x;
  state.sum += x;
  if (++state.window_next == options_.drift) {
    state.window_next = 0;
    state.sum = 0;  // summed anew once a turn, so that rounding errors do not pile up
    for (std::uint32_t i = 0; i < state.window; ++i) state.sum += window[i];
  }
}

double SpotBank::level_near(const State& state, double y, double mean) const {
  const double high = state.tails[0].limit, low = state.tails[1].limit;
  const bool upper = options_.side == Side::high || (options_.side == Side::both && high - y <= low + y);
  const double level = upper ? mean + high : mean - low;
  return std::isfinite(level) ? level : std::numeric_limits<double>::quiet_NaN();
}

Reading SpotBank::step(std::size_t slot, Nanos, const double* x) {
  State& state = states_[slot];
  if (options_.drift > 0 && state.window < options_.drift) {
    move_mean(slot, x[0]);
    return {};
  }
  const double mean = options_.drift > 0 ? state.sum / state.window : 0;
  const double y = x[0] - mean;
  const std::array<double, 2> mirrored{y, -y};
  double* const all = peaks_.data() + slot * 2 * options_.peaks;
  const auto peaks = [&](std::size_t side) { return std::span<double>(all + side * options_.peaks, options_.peaks); };
  ++state.seen;

  Reading reading;
  if (state.seen <= options_.warm_up) {
    for (std::size_t side = 0; side < 2; ++side) {
      calibrate(state.tails[side], peaks(side), mirrored[side]);
      if (state.seen == options_.warm_up) begin(state.tails[side], peaks(side), state.seen);
    }
    if (options_.drift > 0) move_mean(slot, x[0]);
    return reading;
  }
  reading.warm = true;
  reading.level = level_near(state, y, mean);
  for (std::size_t side = 0; side < 2; ++side) {
    Tail& tail = state.tails[side];
    if ((side == 0 && options_.side == Side::low) || (side == 1 && options_.side == Side::high)) continue;
    reading.score = std::max(reading.score, score_of(tail, mirrored[side], state.seen));
    const bool beyond = mirrored[side] > tail.limit;
    const bool first = beyond && !tail.beyond;
    reading.hit = reading.hit || beyond;
    tail.beyond = beyond;
    if (first || (!beyond && mirrored[side] > tail.threshold)) {
      const double limit = tail.limit - tail.threshold;
      learn(tail, peaks(side), first ? limit + tail.fit.mean_beyond(limit) : mirrored[side] - tail.threshold);
      set_limit(tail, state.seen);
    }
  }
  if (!reading.hit && options_.drift > 0) move_mean(slot, x[0]);
  return reading;
}

}  // namespace alara::flow
