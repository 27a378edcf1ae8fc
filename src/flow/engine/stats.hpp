// SPDX-License-Identifier: Apache-2.0
// What a pipeline tells about itself. Written by its shard, read by any thread; shared because a reader may still hold
// the numbers of a pipeline that a reload has just removed.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/histogram.hpp"
#include "core/command.hpp"
#include "core/sample.hpp"
#include "flow/engine/counter.hpp"
#include "flow/engine/plan.hpp"

namespace alara::flow {

inline constexpr std::size_t kOutcomes = 6;
inline constexpr std::size_t kOperatorCounters = 16;  // shown per step; more are left out

struct StepStats {
  explicit StepStats(std::string step_name) : name(std::move(step_name)) {}
  const std::string name;
  Counter rows_in, rows_out;
  Counter memory_bytes;
  // The operator's own counters, refreshed about once a second. Names are literals; unused places have no name.
  struct Named {
    std::atomic<const char*> name{nullptr};
    std::atomic<std::size_t> length{0};
    Counter value;
    [[nodiscard]] std::string_view text() const {
      const char* characters = name.load(std::memory_order_acquire);
      return characters == nullptr ? std::string_view() : std::string_view(characters, length.load());
    }
  };
  std::array<Named, kOperatorCounters> counters;
};

// Why a pipeline did not take a sample (admission.hpp).
enum class TurnedAway : std::uint8_t { bad_quality, too_old };
inline constexpr std::size_t kTurnedAway = 2;
[[nodiscard]] std::string_view name_of(TurnedAway reason);

// What became of the samples that were routed to a pipeline. Exact whenever its shard is quiet:
//     accepted = delivered + buffered + dead_lettered + dropped{reason}
struct PipelineAccount {
  std::uint64_t accepted = 0, delivered = 0, buffered = 0, dead_lettered = 0;
  std::vector<std::pair<std::string, std::uint64_t>> dropped;
  [[nodiscard]] std::uint64_t unaccounted() const;  // 0 when the law holds
};

struct PipelineStats {
  PipelineId id{};
  std::string name;
  Lane lane = Lane::fast;
  std::size_t shard = 0;
  Counter rounds;                                // batches and timer rounds it took part in
  Counter accepted;                              // samples that were routed to its inputs
  Counter in_round;                              // of accepted: in the round at hand; 0 between rounds
  Counter rows_in;                               // of accepted: delivered to its steps
  Counter dead_lettered;                         // of accepted: turned away and kept
  std::array<Counter, kTurnedAway> turned_away;  // of accepted: turned away and dropped, by reason
  Counter dead_letters_full;                     // of accepted: to be kept, but nobody took the letters in time
  Counter nan, bad;                              // of rows_in: not a number; of bad quality
  Counter commands_sent, commands_refused;  // refused: the connector's queue or the pending list was full, or no route
  std::array<Counter, kOutcomes> acks;      // by Outcome
  Counter deadline_misses;                  // the ack came late, or not before the deadline passed
  Counter events;
  Histogram arrival_to_decision;        // monotonic arrival of the sample to Decisions::send
  Histogram arrival_to_ack;             // … to the device's answer, of outcome `done`
  std::atomic<Nanos> last_progress{0};  // monotonic instant at which it last took rows
  std::deque<StepStats> steps;

  [[nodiscard]] PipelineAccount account() const;
};

}  // namespace alara::flow
