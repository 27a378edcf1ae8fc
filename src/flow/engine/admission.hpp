// SPDX-License-Identifier: Apache-2.0
// The door of a pipeline: samples of too bad a quality or of too great an age are turned away before any step sees
// them. What is turned away becomes a dead letter, kept for people to look at and to play again, or is dropped; either
// way it is counted under its reason. Confined to the shard's thread.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "core/frame.hpp"
#include "flow/engine/plan.hpp"
#include "flow/engine/stats.hpp"

namespace alara::flow {

class DecisionDesk;

// A sample that a pipeline did not take. Plain data: travels through a queue to whoever keeps it.
struct DeadLetter {
  PipelineId pipeline{};
  SignalId signal{};
  double value = 0;
  Nanos time = 0;  // event time, as it came
  Quality quality = Quality::good;
  TurnedAway reason = TurnedAway::bad_quality;
  Nanos wall = 0;  // when it was turned away
};

class Admission {
 public:
  Admission(const AdmissionPlan& plan, std::size_t inputs) : plan_(plan), kept_(inputs) {}

  // The rows of `rows` that may go on; `rows` itself when that is all of them. `signals` are the input's, by slot;
  // `now` is event time. The result is valid until the next call for the same input.
  [[nodiscard]] Frame admit(std::size_t input, const Frame& rows, std::span<const SignalId> signals, Nanos now,
                            DecisionDesk& desk, PipelineStats& stats);

 private:
  struct Kept {  // scratch; grows while warming up
    std::vector<std::uint32_t> slot;
    std::vector<Nanos> time;
    std::vector<Quality> quality;
    std::vector<double> value;
    std::span<const double> column;
  };
  [[nodiscard]] bool refuses(const Frame& rows, std::size_t row, Nanos now, TurnedAway& reason) const;

  const AdmissionPlan plan_;
  std::vector<Kept> kept_;  // [input]
};

}  // namespace alara::flow
