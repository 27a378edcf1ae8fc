// SPDX-License-Identifier: Apache-2.0
#include "flow/engine/pipeline.hpp"

#include <algorithm>

#include "flow/engine/columns.hpp"
#include "flow/engine/decisions.hpp"

namespace alara::flow {
namespace {

Status check_step(const PipelinePlan& plan, std::size_t at) {
  const StepPlan& step = plan.steps[at];
  if (step.code == nullptr || step.inputs.empty())
    return fail(ErrorKind::internal, "step '{}' of pipeline '{}' has no {}", step.name, plan.name,
                step.code == nullptr ? "code" : "inputs");
  for (const InputRef& input : step.inputs) {
    const bool signal = input.from == InputRef::From::signal;
    const bool exists = signal ? input.source < plan.signals.size() && input.column == 0
                               : input.source < at && input.column < plan.steps[input.source].outputs;
    if (!exists)
      return fail(ErrorKind::internal, "step '{}' of pipeline '{}' reads column {} of {} {}, which is not there",
                  step.name, plan.name, input.column, signal ? "signal input" : "step", input.source);
  }
  if (!step.publish.empty() && step.publish.size() != step.outputs * plan.assets.size())
    return fail(ErrorKind::internal, "step '{}' of pipeline '{}' publishes {} values instead of {}", step.name,
                plan.name, step.publish.size(), step.outputs * plan.assets.size());
  return {};
}

std::vector<Join::Input> join_inputs(const StepPlan& step, std::size_t signal_inputs) {
  std::vector<Join::Input> inputs;
  for (const InputRef& input : step.inputs)
    inputs.push_back(
        {static_cast<std::uint32_t>(input.source + (input.from == InputRef::From::step ? signal_inputs : 0)),
         input.column});
  return inputs;
}

}  // namespace

Status Pipeline::check(const PipelinePlan& plan) {
  for (const auto& slots : plan.signals)
    if (slots.size() != plan.assets.size())
      return fail(ErrorKind::internal, "pipeline '{}' has {} assets, but an input with {} signals", plan.name,
                  plan.assets.size(), slots.size());
  for (std::size_t at = 0; at < plan.steps.size(); ++at) ALARA_CHECK(check_step(plan, at));
  return {};
}

Result<std::unique_ptr<Pipeline>> Pipeline::create(PipelinePlan plan, DecisionDesk& desk, LatestValues& latest) {
  ALARA_CHECK(check(plan));
  return std::unique_ptr<Pipeline>(new Pipeline(std::move(plan), desk, latest));
}

Pipeline::Pipeline(PipelinePlan plan, DecisionDesk& desk, LatestValues& latest)
    : plan_(std::move(plan)),
      desk_(desk),
      latest_(latest),
      stats_(std::make_shared<PipelineStats>()),
      admission_(plan_.admission, plan_.signals.size()) {
  stats_->id = plan_.id;
  stats_->name = plan_.name;
  stats_->lane = plan_.lane;
  stats_->shard = plan_.shard;
  const std::size_t inputs = plan_.signals.size();
  steps_.reserve(plan_.steps.size());
  for (StepPlan& step : plan_.steps) {
    stats_->steps.emplace_back(step.name);
    steps_.push_back(Step{std::move(step.code),
                          Join(join_inputs(step, inputs), plan_.assets.size(), step.first_input_drives),
                          FrameBuilder(step.outputs), std::move(step.publish), &stats_->steps.back()});
  }
  frames_.resize(inputs + steps_.size());
  input_columns_.resize(inputs);
  counters_.reserve(4 * kOperatorCounters);
  find_next_due();
}

void Pipeline::offer(std::size_t input, const Frame& rows) {
  input_columns_[input] = rows.columns[0];
  frames_[input] = rows;
  frames_[input].columns = {&input_columns_[input], 1};
  stats_->accepted.add(rows.size());
  stats_->in_round.add(rows.size());
}

void Pipeline::run_rows(Nanos arrival, Nanos now, Nanos monotonic) {
  if (!plan_.admission.takes_all()) admit(now);
  count_inputs();
  stats_->last_progress.store(monotonic, std::memory_order_relaxed);
  run(arrival, now, monotonic, TimePasses::for_none);
  for (std::size_t input = 0; input < input_columns_.size(); ++input) frames_[input] = Frame{};
}

void Pipeline::admit(Nanos now) {
  speak_as(0);
  for (std::size_t input = 0; input < input_columns_.size(); ++input)
    if (frames_[input].size() != 0)
      frames_[input] = admission_.admit(input, frames_[input], plan_.signals[input], now, desk_, *stats_);
}

void Pipeline::run_time(Nanos now, Nanos monotonic) { run(monotonic, now, monotonic, TimePasses::for_those_due); }
void Pipeline::run_time_anew(Nanos now, Nanos monotonic) { run(monotonic, now, monotonic, TimePasses::for_all); }

void Pipeline::run(Nanos arrival, Nanos now, Nanos monotonic, TimePasses time) {
  stats_->rounds.add();
  const std::size_t inputs = input_columns_.size();
  for (std::size_t at = 0; at < steps_.size(); ++at) {
    Step& step = steps_[at];
    Frame in = step.join.join(frames_, arrival);
    in.now = now;
    const bool due = time == TimePasses::for_all || (time == TimePasses::for_those_due && step.code->next_due() <= now);
    if (in.size() == 0 && !due) {
      frames_[inputs + at] = Frame{};
      continue;
    }
    step.out.clear();
    step.out.reserve(in.size());  // most operators emit at most a row per row: warm once the largest batch has come
    speak_as(at);
    if (in.size() != 0) step.code->process(in, step.out);
    if (due) step.code->advance(now, monotonic, step.out);
    frames_[inputs + at] = step.out.view(arrival);
    step.stats->rows_in.add(in.size());
    step.stats->rows_out.add(step.out.size());
    if (!step.publish.empty()) publish_latest(step, frames_[inputs + at]);
  }
  find_next_due();
}

void Pipeline::speak_as(std::size_t step) {
  desk_.speak_as({this, stats_.get(), plan_.id, static_cast<std::uint16_t>(step)});
}

void Pipeline::publish_latest(const Step& step, const Frame& rows) {
  const std::size_t slots = plan_.assets.size();
  for (std::size_t column = 0; column < rows.columns.size(); ++column)
    for (std::size_t row = 0; row < rows.size(); ++row)
      latest_.write(step.publish[column * slots + rows.slot_at(row)], rows.columns[column][row], rows.time[row],
                    rows.quality_at(row));
}

// From here on the rows count as delivered.
void Pipeline::count_inputs() {
  for (std::size_t input = 0; input < input_columns_.size(); ++input) {
    const Frame& rows = frames_[input];
    if (rows.size() == 0) continue;
    stats_->rows_in.add(rows.size());
    if (const std::uint64_t nan = count_nan(rows.columns[0]); nan != 0) stats_->nan.add(nan);
    if (!rows.quality.empty())
      stats_->bad.add(static_cast<std::uint64_t>(std::count(rows.quality.begin(), rows.quality.end(), Quality::bad)));
  }
  stats_->in_round.set(0);
}

void Pipeline::find_next_due() {
  next_due_ = kNever;
  for (const Step& step : steps_) next_due_ = std::min(next_due_, step.code->next_due());
}

void Pipeline::acknowledged(std::size_t step, const Ack& ack) {
  speak_as(step);
  steps_[step].code->acknowledged(ack);
  find_next_due();
}

void Pipeline::make_safe(Nanos monotonic) {
  for (std::size_t step = 0; step < steps_.size(); ++step) {
    speak_as(step);
    steps_[step].code->make_safe(monotonic);
  }
}

void Pipeline::publish_counters() {
  for (Step& step : steps_) {
    step.stats->memory_bytes.set(step.code->memory_bytes() + step.join.memory_bytes());
    counters_.clear();
    step.code->counters(counters_);
    for (std::size_t i = 0; i < std::min(counters_.size(), kOperatorCounters); ++i) {
      StepStats::Named& shown = step.stats->counters[i];
      shown.length.store(counters_[i].name.size(), std::memory_order_relaxed);
      shown.name.store(counters_[i].name.data(), std::memory_order_release);
      shown.value.set(counters_[i].value);
    }
  }
}

}  // namespace alara::flow
