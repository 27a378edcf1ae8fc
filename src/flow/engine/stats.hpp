// SPDX-License-Identifier: Apache-2.0
// What a pipeline tells about itself. Written by its shard, read by any thread; shared because a reader may still hold
// the numbers of a pipeline that a reload has just removed.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <string>
#include <string_view>

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

struct PipelineStats {
  PipelineId id{};
  std::string name;
  Lane lane = Lane::fast;
  std::size_t shard = 0;
  Counter rounds;                           // batches and timer rounds it took part in
  Counter rows_in;                          // samples that reached its inputs
  Counter nan, bad;                         // of rows_in: not a number; of bad quality
  Counter commands_sent, commands_refused;  // refused: the connector's queue or the pending list was full, or no route
  std::array<Counter, kOutcomes> acks;      // by Outcome
  Counter deadline_misses;                  // the ack came late, or not before the deadline passed
  Counter events;
  Histogram arrival_to_decision;        // monotonic arrival of the sample to Decisions::send
  Histogram arrival_to_ack;             // … to the device's answer, of outcome `done`
  std::atomic<Nanos> last_progress{0};  // monotonic instant at which it last took rows
  std::deque<StepStats> steps;
};

}  // namespace alara::flow
