// SPDX-License-Identifier: Apache-2.0
// The executor of one pipeline on its shard: gives each step the rows of its inputs, in topological order, once per
// round. A round is the rows of one batch, or the passing of time. Owns the operators and their output frames.
// Confined to the shard's thread, but for stats().
#pragma once

#include <memory>
#include <vector>

#include "base/result.hpp"
#include "core/operator.hpp"
#include "flow/engine/admission.hpp"
#include "flow/engine/join.hpp"
#include "flow/engine/latest.hpp"
#include "flow/engine/plan.hpp"
#include "flow/engine/stats.hpp"

namespace alara::flow {

class DecisionDesk;

class Pipeline {
 public:
  // Whether steps refer to what exists before them, and sizes agree. Not for plans marked `keep`.
  [[nodiscard]] static Status check(const PipelinePlan& plan);
  // Checks and builds. `desk` and `latest` outlive the pipeline.
  [[nodiscard]] static Result<std::unique_ptr<Pipeline>> create(PipelinePlan plan, DecisionDesk& desk,
                                                                LatestValues& latest);

  // Gives signal input `input` its rows for the coming round. `rows` has one column and stays valid until run_rows().
  void offer(std::size_t input, const Frame& rows);
  // Runs the round of the rows offered; `now` is event time.
  void run_rows(Nanos arrival, Nanos now, Nanos monotonic);
  // Lets time pass: calls advance() of the steps that are due; their rows flow on. `now` is event time.
  void run_time(Nanos now, Nanos monotonic);
  // The wall clock has been set: what steps expected of it no longer holds, so all of them look at the time anew.
  void run_time_anew(Nanos now, Nanos monotonic);
  // The earliest `now` at which run_time() has work.
  [[nodiscard]] Nanos next_due() const { return next_due_; }

  void acknowledged(std::size_t step, const Ack& ack);
  // Lets every operator command its safe values.
  void make_safe(Nanos monotonic);
  // Copies the operators' own counters to where other threads may read them.
  void publish_counters();

  [[nodiscard]] PipelineId id() const { return plan_.id; }
  [[nodiscard]] const std::vector<std::vector<SignalId>>& signals() const { return plan_.signals; }
  [[nodiscard]] std::size_t slots() const { return plan_.assets.size(); }
  [[nodiscard]] const std::shared_ptr<PipelineStats>& stats() const { return stats_; }

 private:
  struct Step {
    std::unique_ptr<Operator> code;
    Join join;
    FrameBuilder out;
    std::vector<SignalId> publish;
    StepStats* stats;
  };

  Pipeline(PipelinePlan plan, DecisionDesk& desk, LatestValues& latest);
  // For which steps time passes in a round, besides those that have rows.
  enum class TimePasses : std::uint8_t { for_none, for_those_due, for_all };
  // One pass over the steps.
  void run(Nanos arrival, Nanos now, Nanos monotonic, TimePasses time);
  void speak_as(std::size_t step);
  void publish_latest(const Step& step, const Frame& rows);
  void admit(Nanos now);
  void count_inputs();
  void find_next_due();

  PipelinePlan plan_;  // its steps' code has moved to steps_
  DecisionDesk& desk_;
  LatestValues& latest_;
  std::shared_ptr<PipelineStats> stats_;
  std::vector<Step> steps_;
  std::vector<Frame> frames_;  // [input], then [inputs + step]: what each producer has made in this round
  std::vector<std::span<const double>> input_columns_;
  std::vector<Operator::Counter> counters_;
  Admission admission_;
  Nanos next_due_ = kNever;
};

}  // namespace alara::flow
