// SPDX-License-Identifier: Apache-2.0
// One rule on virtual time with decisions that are recorded. For the tests of rules.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "rules/rule_kind.hpp"

namespace alara::rules {

class Recorder final : public Decisions {
 public:
  bool send(const Command& command) override {
    if (full) return false;
    sent.push_back(command);
    return true;
  }
  CommandId next_command_id() override { return static_cast<CommandId>(++last_id_); }
  void publish(Event&& event) override { events.push_back(std::move(event)); }
  bool hand_out(const OutletSample&) override { return false; }
  void audit(std::string_view what, const Command& command, std::string_view why) override {
    audits.push_back(fmt::format("{} {}={} {}", what, index_of(command.actuator), command.value, why));
  }

  std::vector<Command> sent;
  std::vector<Event> events;
  std::vector<std::string> audits;
  bool full = false;

 private:
  std::uint64_t last_id_ = 0;
};

// "a/{n}" becomes actuator 10 * (count of distinct addresses before) + slot.
class Book final : public ActuatorBook {
 public:
  Result<ActuatorId> actuator(const Node& address, std::size_t slot) override {
    if (!address.is_scalar() || address.scalar.find('/') == std::string::npos)
      return fail_at(address.where, "'{}' is no address", address.scalar);
    const auto base = bases_.try_emplace(address.scalar, bases_.size()).first->second;
    return static_cast<ActuatorId>(10 * base + slot);
  }

 private:
  std::map<std::string, std::size_t> bases_;
};

// The values of every harness: x [A], y, open (boolean), t [degC].
class Harness {
 public:
  static constexpr Nanos kStart = 1'000'000 * kSecond;  // event time at monotonic 0
  static constexpr std::size_t kSlots = 3;

  explicit Harness(const std::string& options) : node_(parse_document(options, "site.yaml").value()) {
    std::vector<Error> errors;
    rule_kind().schema().check(node_, errors);
    auto names = rule_kind().inputs(node_);
    if (names) names_ = *names;
    for (const std::string& name : names_) {
      Unit unit = *Unit::parse(name == "x" ? "A" : name == "t" ? "degC" : "");
      inputs_.push_back({.name = name, .unit = unit, .rate_hz = 100, .boolean = name == "open"});
    }
    context_.pipeline = static_cast<PipelineId>(4);
    context_.pipeline_name = "guard";
    context_.step_name = "stop";
    context_.assets = assets_;
    context_.asset_names = asset_names_;
    context_.decisions = &decisions;
    context_.actuators = &book_;
    if (!errors.empty()) {
      error = errors.front().text();
    } else if (!names) {
      error = names.error().text();
    } else if (auto made = rule_kind().make(node_, inputs_, context_); !made) {
      error = made.error().text();
    } else {
      warnings = std::move(made->warnings);
      code = std::move(made->code);
    }
  }

  // A row at `at_ms`, arriving then, with the event time `time_ms` when that differs. Values not given are 0.
  void row(double at_ms, std::map<std::string, double> values, std::uint32_t slot = 0,
           Quality quality = Quality::good) {
    late_row(at_ms, at_ms, std::move(values), slot, quality);
  }
  void late_row(double at_ms, double time_ms, std::map<std::string, double> values, std::uint32_t slot = 0,
                Quality quality = Quality::good) {
    std::vector<double> row;
    for (const std::string& name : names_) row.push_back(values.contains(name) ? values[name] : 0);
    std::vector<std::span<const double>> columns;
    for (const double& value : row) columns.emplace_back(&value, 1);
    const Nanos time = kStart + nanos(time_ms);
    pass_until(at_ms - 0.001);
    now_ = nanos(at_ms);
    Frame frame;
    frame.only_slot = slot;
    frame.time = {&time, 1};
    if (quality != Quality::good) frame.quality = {&quality, 1};
    frame.columns = columns;
    frame.arrival = nanos(at_ms);
    code->process(frame, out);
    pass_until(at_ms);  // as the engine does after each batch
  }

  // Lets the clock run to `at_ms`, calling advance() whenever the rule is due.
  void pass_until(double at_ms) {
    const Nanos end = nanos(at_ms);
    while (true) {
      const Nanos due = code->next_due();
      if (due > kStart + end) break;
      now_ = std::max(now_, due == INT64_MIN ? now_ : due - kStart);
      code->advance(kStart + now_, now_, out);
      if (++turns_ > 100'000) FAIL() << "the rule stays due";
    }
    now_ = std::max(now_, end);
  }

  std::string events() const {
    std::string all;
    for (const Event& event : decisions.events)
      all += fmt::format("{}{} {}: {}\n", event.raised ? "+" : "-", (event.time - kStart) / 1'000'000,
                         name_of(event.severity), event.text);
    return all;
  }
  std::string commands() const {
    std::string all;
    for (const Command& command : decisions.sent)
      all += fmt::format("{}ms {}={}\n", command.arrival / 1'000'000, index_of(command.actuator), command.value);
    return all;
  }
  std::string audits() const {
    std::string all;
    for (const std::string& line : decisions.audits) all += line + "\n";
    return all;
  }
  std::uint64_t counter(std::string_view name) const {
    std::vector<Operator::Counter> all;
    code->counters(all);
    for (const auto& counter : all)
      if (counter.name == name) return counter.value;
    ADD_FAILURE() << name;
    return 0;
  }

  Recorder decisions;
  std::unique_ptr<Operator> code;
  FrameBuilder out{1};
  std::string error;
  std::vector<Error> warnings;

 private:
  static Nanos nanos(double ms) { return static_cast<Nanos>(ms * 1e6); }

  const std::vector<AssetId> assets_ = {AssetId{7}, AssetId{8}, AssetId{9}};
  const std::vector<std::string> asset_names_ = {"cnc-01", "cnc-02", "cnc-03"};
  Node node_;
  std::vector<std::string> names_;
  std::vector<ValueInfo> inputs_;
  OperatorContext context_;
  Book book_;
  Nanos now_ = 0;
  int turns_ = 0;
};

}  // namespace alara::rules
