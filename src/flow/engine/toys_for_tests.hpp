// SPDX-License-Identifier: Apache-2.0
// Small operators whose behaviour a test can predict.
#pragma once

#include <functional>
#include <vector>

#include "core/operator.hpp"
#include "flow/engine/plan.hpp"

namespace alara::flow::toys {

// What a recorder saw: one entry per row.
struct Row {
  std::uint32_t slot = 0;
  Nanos time = 0;
  Quality quality = Quality::good;
  std::vector<double> values;
  Nanos arrival = 0;
  bool operator==(const Row&) const = default;
};

// Keeps every row in a place that outlives it; has no outputs.
class Recorder final : public Operator {
 public:
  explicit Recorder(std::vector<Row>& rows) : rows_(rows) {}
  void process(const Frame& in, FrameBuilder&) override {
    for (std::size_t i = 0; i < in.size(); ++i) {
      Row row{in.slot_at(i), in.time[i], in.quality_at(i), {}, in.arrival};
      for (const auto column : in.columns) row.values.push_back(column[i]);
      rows_.push_back(std::move(row));
    }
  }
  [[nodiscard]] std::size_t memory_bytes() const override { return 0; }

 private:
  std::vector<Row>& rows_;
};

// One output row per input row: the sum of the inputs, times a factor.
class Scale final : public Operator {
 public:
  explicit Scale(double factor) : factor_(factor) {}
  void process(const Frame& in, FrameBuilder& out) override {
    const std::size_t first = out.append_like(in);
    const auto result = out.column(0).subspan(first);
    for (std::size_t i = 0; i < in.size(); ++i) {
      double sum = 0;
      for (const auto column : in.columns) sum += column[i];
      result[i] = sum * factor_;
    }
  }
  [[nodiscard]] std::size_t memory_bytes() const override { return sizeof *this; }

 private:
  double factor_;
};

// Counts rows per slot and emits (slot, due time, count so far) every `period` of the engine's time, from its first row
// on.
class Ticker final : public Operator {
 public:
  Ticker(std::size_t slots, Nanos period) : counts_(slots), period_(period) {}
  void process(const Frame& in, FrameBuilder&) override {
    for (std::size_t i = 0; i < in.size(); ++i) ++counts_[in.slot_at(i)];
    if (due_ == kNever) due_ = in.time[0] + period_;
  }
  void advance(Nanos now, Nanos, FrameBuilder& out) override {
    for (; due_ <= now; due_ += period_)
      for (std::uint32_t slot = 0; slot < counts_.size(); ++slot) {
        const double count = static_cast<double>(counts_[slot]);
        out.append(slot, due_, Quality::good, {&count, 1});
      }
  }
  [[nodiscard]] Nanos next_due() const override { return due_; }
  [[nodiscard]] std::size_t memory_bytes() const override { return counts_.size() * sizeof(std::uint64_t); }
  void counters(std::vector<Counter>& out) const override { out.push_back({"seen", counts_[0]}); }

 private:
  std::vector<std::uint64_t> counts_;
  Nanos period_;
  Nanos due_ = kNever;
};

// Sends a command for every value above a limit; remembers the acks.
class Trip final : public Operator {
 public:
  Trip(double limit, Nanos within, Decisions& decisions, std::vector<Ack>* acks)
      : limit_(limit), within_(within), decisions_(decisions), acks_(acks) {}
  void process(const Frame& in, FrameBuilder&) override {
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (!(in.column(0)[i] > limit_)) continue;
      Command command;
      command.id = decisions_.next_command_id();
      command.actuator = ActuatorId{in.slot_at(i)};
      command.value = 1;
      command.arrival = in.arrival;
      command.deadline = within_ == kNever ? kNever : in.arrival + within_;
      decisions_.send(command);
    }
  }
  void acknowledged(const Ack& ack) override {
    if (acks_ != nullptr) acks_->push_back(ack);
  }
  [[nodiscard]] std::size_t memory_bytes() const override { return sizeof *this; }

 private:
  double limit_;
  Nanos within_;
  Decisions& decisions_;
  std::vector<Ack>* acks_;
};

inline StepPlan step(std::string name, std::unique_ptr<Operator> code, std::vector<InputRef> inputs,
                     std::uint32_t outputs) {
  StepPlan plan;
  plan.name = std::move(name);
  plan.code = std::move(code);
  plan.inputs = std::move(inputs);
  plan.outputs = outputs;
  return plan;
}

// A pipeline of `slots` assets whose input k reads signals first + k * slots … in the order of the slots.
inline PipelinePlan pipeline(std::uint32_t id, std::size_t slots, std::size_t inputs, std::uint32_t first = 0) {
  PipelinePlan plan;
  plan.id = PipelineId{id};
  plan.name = "p" + std::to_string(id);
  for (std::uint32_t slot = 0; slot < slots; ++slot) plan.assets.push_back(AssetId{slot});
  for (std::size_t k = 0; k < inputs; ++k) {
    auto& signals = plan.signals.emplace_back();
    for (std::size_t slot = 0; slot < slots; ++slot)
      signals.push_back(SignalId{static_cast<std::uint32_t>(first + k * slots + slot)});
  }
  return plan;
}

// Rows to push: owns its columns.
struct Samples {
  std::vector<SignalId> signal;
  std::vector<double> value;
  std::vector<Nanos> time;
  std::vector<Quality> quality;  // all or none
  Nanos arrival = 0;

  Samples& add(std::uint32_t id, double v, Nanos t) {
    signal.push_back(SignalId{id});
    value.push_back(v);
    time.push_back(t);
    return *this;
  }
  [[nodiscard]] Batch batch() const {
    Batch batch;
    batch.signal = signal;
    batch.value = value;
    batch.time = time;
    batch.quality = quality;
    batch.arrival = arrival;
    return batch;
  }
};

}  // namespace alara::flow::toys
