// SPDX-License-Identifier: Apache-2.0
// The detector for people who do not want to choose one: "this machine has not behaved like this before". It looks at
// five things, each against the range (Envelope) it is known to take, and reports the largest excess:
//   level     the value, and its moving average over about 12 and 144 samples: peaks, slow slides, long stays
//   activity  the moving average of |x(i) - x(i-1)| over about 72 samples: restlessness, denser spikes
//   season    how far the value is outside what earlier days showed at that time of day (96 phases, one to either side)
// A score of 0.2 means: beyond everything known by a fifth of the known range. About 1.2 KB per slot.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "flow/detect/envelope.hpp"

namespace alara::flow {

class AnomalyBank {
 public:
  struct Options {
    std::uint32_t memory = 8640;  // samples after which a known range has shrunk to about 1/e, unless used again
    std::uint32_t warm_up = 600;  // samples before the first verdict (two days of 5-minute values); at least 144
    Nanos season = 24 * kHour;    // length of the cycle; 0 = none
    double threshold = 0.2;       // of the score
    bool level = true, activity = true;
  };
  AnomalyBank(const Options& options, std::size_t slots);

  Reading step(std::size_t slot, Nanos time, const double* x);
  [[nodiscard]] std::size_t bytes_per_slot() const {
    return sizeof(State) + sizeof(Season) * (seasons_.empty() ? 0 : 1);
  }

 private:
  static constexpr std::size_t kPhases = 96;
  static constexpr std::array<std::uint32_t, 3> kLevelSpans{1, 12, 144};

  struct State {
    double origin = 0;  // the first value; all others are kept relative to it, so that float32 is enough for phases
    double previous = 0;
    std::array<double, kLevelSpans.size()> level{};
    double activity = 0;
    double smooth = 0;  // over about 3 samples, for the season
    std::array<Envelope, kLevelSpans.size()> level_range;
    Envelope activity_range;
    Envelope season_range;
    std::uint32_t seen = 0;
    std::uint32_t in_block = 0;
  };
  struct Range {
    float high = -1, low = 1;  // high < low: nothing known
    [[nodiscard]] bool known() const { return high >= low; }
  };
  struct Season {
    std::array<Range, kPhases> phases;
    struct Visit {
      std::uint16_t phase = 0;
      Range range;
    };
    // The newest phases are kept aside until the clock is well past them, for the reason given in envelope.hpp.
    std::array<Visit, 4> visits;
    std::uint32_t visit_count = 0;
  };
  double level_score(State& state, double x) const;
  double activity_score(State& state, double step) const;
  double season_score(State& state, Season& season, Nanos time) const;
  [[nodiscard]] std::uint16_t phase_of(Nanos time) const;
  static void visit(Season& season, std::uint16_t phase, float value);
  static void commit(Season& season, const Season::Visit& visit);

  Options options_;
  double fade_;  // of an envelope, per block
  std::vector<State> states_;
  std::vector<Season> seasons_;  // empty without a season
};

}  // namespace alara::flow
