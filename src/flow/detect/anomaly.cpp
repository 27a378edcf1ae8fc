// SPDX-License-Identifier: Apache-2.0
#include "flow/detect/anomaly.hpp"

namespace alara::flow {
namespace {

constexpr std::uint32_t kBlock = 72;         // samples per block of an envelope
constexpr std::uint32_t kActivitySpan = 72;  // samples
constexpr std::uint32_t kSmoothSpan = 3;     // samples: a spike of one sample is no seasonal deviation
constexpr double kSeasonFade = 1.0 / 30;     // of a phase's range per cycle: a month of days
constexpr double kSeasonFloor = 0.1;  // of the level's range: deviations below it are small whatever the season says

// A moving average that counts all samples alike until `span` have come.
void average(double& mean, double x, std::uint32_t span, std::uint32_t seen) {
  mean += (x - mean) / std::min(span, seen);
}

}  // namespace

AnomalyBank::AnomalyBank(const Options& options, std::size_t slots)
    : options_(options),
      fade_(std::min(1.0, static_cast<double>(kBlock) / options.memory)),
      states_(slots),
      seasons_(options.season > 0 ? slots : 0) {}

double AnomalyBank::level_score(State& state, double x) const {
  double score = 0;
  for (std::size_t i = 0; i < kLevelSpans.size(); ++i) {
    average(state.level[i], x, kLevelSpans[i], state.seen);
    score = std::max(score, state.level_range[i].excess(state.level[i], 0));
    state.level_range[i].add(state.level[i]);
  }
  return score;
}

double AnomalyBank::activity_score(State& state, double step) const {
  average(state.activity, step, kActivitySpan, state.seen);
  const double score = state.activity_range.excess(state.activity, 0);
  state.activity_range.add(state.activity);
  return score;
}

std::uint16_t AnomalyBank::phase_of(Nanos time) const {
  const Nanos in_cycle = ((time % options_.season) + options_.season) % options_.season;
  const double share = static_cast<double>(in_cycle) / static_cast<double>(options_.season);
  return static_cast<std::uint16_t>(std::min<std::size_t>(static_cast<std::size_t>(share * kPhases), kPhases - 1));
}

void AnomalyBank::commit(Season& season, const Season::Visit& visit) {
  Range& range = season.phases[visit.phase];
  if (!range.known()) {
    range = visit.range;
    return;
  }
  const float shrink = static_cast<float>(kSeasonFade) * (range.high - range.low) / 2;
  range.high = std::max(range.high - shrink, visit.range.high);
  range.low = std::min(range.low + shrink, visit.range.low);
}

void AnomalyBank::visit(Season& season, std::uint16_t phase, float value) {
  if (season.visit_count > 0) {
    Season::Visit& current = season.visits[season.visit_count - 1];
    if (current.phase == phase) {
      current.range.high = std::max(current.range.high, value);
      current.range.low = std::min(current.range.low, value);
      return;
    }
  }
  if (season.visit_count == season.visits.size()) {
    commit(season, season.visits[0]);
    std::move(season.visits.begin() + 1, season.visits.end(), season.visits.begin());
    --season.visit_count;
  }
  season.visits[season.visit_count++] = {phase, {value, value}};
}

// The distance to what this phase and its neighbours showed in earlier cycles is itself a quantity with a known range:
// on a signal without a season it is often large, and only a larger one is news.
double AnomalyBank::season_score(State& state, Season& season, Nanos time) const {
  average(state.smooth, state.level[0], kSmoothSpan, state.seen);
  const std::uint16_t phase = phase_of(time);
  double score = 0;
  if (season.phases[phase].known()) {
    Range around = season.phases[phase];
    for (const std::size_t step : {std::size_t{1}, kPhases - 1}) {
      const Range& neighbour = season.phases[(phase + step) % kPhases];
      if (!neighbour.known()) continue;
      around.high = std::max(around.high, neighbour.high);
      around.low = std::min(around.low, neighbour.low);
    }
    const double outside = std::max(
        {state.smooth - static_cast<double>(around.high), static_cast<double>(around.low) - state.smooth, 0.0});
    score = state.season_range.excess(outside, kSeasonFloor * state.level_range[0].width());
    state.season_range.add(outside);
  }
  visit(season, phase, static_cast<float>(state.smooth));
  return score;
}

Reading AnomalyBank::step(std::size_t slot, Nanos time, const double* x) {
  State& state = states_[slot];
  if (state.seen == 0) {
    state.origin = x[0];
    state.previous = x[0];
  }
  if (state.seen < UINT32_MAX) ++state.seen;
  Reading reading;
  const double level = level_score(state, x[0] - state.origin);
  const double activity = activity_score(state, std::fabs(x[0] - state.previous));
  const double season = seasons_.empty() ? 0 : season_score(state, seasons_[slot], time);
  state.previous = x[0];
  if (++state.in_block == kBlock) {
    state.in_block = 0;
    for (Envelope& range : state.level_range) range.end_block(fade_);
    state.activity_range.end_block(fade_);
    state.season_range.end_block(fade_);
  }
  reading.warm = state.level_range[0].known() && state.seen > options_.warm_up;
  if (!reading.warm) return reading;
  reading.score = std::max({options_.level ? level : 0, options_.activity ? activity : 0, season});
  reading.hit = reading.score > options_.threshold;
  return reading;
}

}  // namespace alara::flow
