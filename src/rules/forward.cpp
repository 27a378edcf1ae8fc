// SPDX-License-Identifier: Apache-2.0
#include "rules/forward.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "expr/expression.hpp"
#include "rules/instants.hpp"
#include "rules/rate_limit.hpp"

namespace alara::rules {
namespace {

constexpr std::size_t kMostPending = 256;  // set-points without an answer; one more replaces the oldest

struct ForwardPlan {
  std::vector<ActuatorId> actuators;   // by slot
  std::optional<expr::Program> value;  // instead of the sample itself
  std::optional<expr::Program> unless;
  double least = -std::numeric_limits<double>::infinity(), most = std::numeric_limits<double>::infinity();
  Rate rate;
  Nanos deadline = kNever;
  bool verify = false;
};

class Forward final : public Operator {
 public:
  Forward(ForwardPlan plan, Decisions* decisions)
      : plan_(std::move(plan)), decisions_(decisions), rate_limit_(plan_.rate, plan_.actuators.size()) {
    pending_.reserve(kMostPending);
    answered_.reserve(kMostPending);
  }

  void process(const Frame& in, FrameBuilder& out) override {
    row_.resize(in.columns.size());
    for (std::size_t row = 0; row < in.size(); ++row) {
      for (std::size_t column = 0; column < row_.size(); ++column) row_[column] = in.columns[column][row];
      SetPoint point{{}, in.slot_at(row), in.time[row], plan_.value ? plan_.value->evaluate(row_) : row_[0]};
      Command command;
      command.id = decisions_->next_command_id();
      command.actuator = plan_.actuators[point.slot];
      command.value = point.value;
      command.deadline = plan_.deadline == kNever ? kNever : later(in.arrival, plan_.deadline);
      command.arrival = in.arrival;
      command.verify = plan_.verify;
      point.command = command.id;
      if (const char* why = refusal(point, in.quality_at(row)); why != nullptr) {
        decisions_->audit("refused", command, why);
      } else if (decisions_->send(command)) {
        ++sent_;
        await(point);
        continue;
      }
      ++refused_;
      emit(point, Outcome::refused_rule, out);
    }
  }

  void acknowledged(const Ack& ack) override {
    const auto found = std::ranges::find(pending_, ack.command, &SetPoint::command);
    if (found == pending_.end()) return;
    if (answered_.size() < kMostPending) answered_.push_back({*found, ack.outcome});
    pending_.erase(found);
    ++(ack.outcome == Outcome::done ? done_ : failed_);
  }
  // What was answered flows on in the turn that took the answer.
  void advance(Nanos, Nanos, FrameBuilder& out) override {
    for (const auto& [point, outcome] : answered_) emit(point, outcome, out);
    answered_.clear();
  }
  [[nodiscard]] Nanos next_due() const override { return answered_.empty() ? kNever : 0; }

  [[nodiscard]] std::size_t memory_bytes() const override {
    return sizeof *this + plan_.actuators.capacity() * sizeof(ActuatorId) + pending_.capacity() * sizeof(SetPoint) +
           answered_.capacity() * sizeof(answered_[0]) + rate_limit_.memory_bytes();
  }
  void counters(std::vector<Counter>& out) const override {
    out.push_back({"sent", sent_});
    out.push_back({"refused", refused_});
    out.push_back({"done", done_});
    out.push_back({"failed", failed_});
    out.push_back({"forgotten", forgotten_});
  }

 private:
  struct SetPoint {
    CommandId command{};
    std::uint32_t slot = 0;
    Nanos time = 0;
    double value = 0;
  };

  // Why the set-point must not go on; nullptr when it may. Also when a value of the interlock is not known.
  const char* refusal(const SetPoint& point, Quality quality) {
    if (quality != Quality::good) return "the set-point or a value of its interlock is not good";
    if (!std::isfinite(point.value)) return "the value is not a finite number";
    if (point.value < plan_.least) return "below the least value allowed";
    if (point.value > plan_.most) return "above the greatest value allowed";
    if (plan_.unless && !(plan_.unless->evaluate(row_) == 0)) return "interlock";
    if (!rate_limit_.take(point.slot, point.time)) return "more often than rate_limit allows";
    return nullptr;
  }

  void await(const SetPoint& point) {
    if (pending_.size() == kMostPending) {
      pending_.erase(pending_.begin());
      ++forgotten_;
    }
    pending_.push_back(point);
  }

  static void emit(const SetPoint& point, Outcome outcome, FrameBuilder& out) {
    const std::array<double, 3> values{outcome == Outcome::done ? 1.0 : 0.0, static_cast<double>(outcome), point.value};
    out.append(point.slot, point.time, Quality::good, values);
  }

  ForwardPlan plan_;            // its programs own scratch memory
  Decisions* const decisions_;  // null at `alara check`: nothing runs then
  RateLimit rate_limit_;
  std::vector<double> row_;
  std::vector<SetPoint> pending_;  // the oldest first
  std::vector<std::pair<SetPoint, Outcome>> answered_;
  std::uint64_t sent_ = 0, refused_ = 0, done_ = 0, failed_ = 0, forgotten_ = 0;
};

const Schema& forward_schema() {
  static const Schema kSchema{
      "forward",
      "Hands each set-point that arrives as a signal on to an actuator, within limits. Gives done, outcome and value "
      "once its fate is known.",
      {{.name = "of",
        .type = PropertyType::text,
        .sentence = "The signal that carries the set-point.",
        .required = true},
       {.name = "to",
        .type = PropertyType::text,
        .sentence = "The actuator's address, as in plc/holding/{n}.",
        .required = true},
       {.name = "value",
        .type = PropertyType::expression,
        .sentence = "What is written instead of the sample itself, as in `of * 10`; without unit."},
       {.name = "least", .type = PropertyType::number, .sentence = "A smaller value is refused."},
       {.name = "most", .type = PropertyType::number, .sentence = "A greater value is refused."},
       {.name = "unless",
        .type = PropertyType::expression,
        .sentence = "Interlock: while it is true, or one of its values unknown, set-points are refused and audited."},
       {.name = "rate_limit",
        .type = PropertyType::text,
        .sentence = "At most so many per asset, as in `5 per 1min`; more are refused."},
       {.name = "deadline",
        .type = PropertyType::duration,
        .sentence = "The device's answer is due this long after the set-point arrived; misses are counted."},
       {.name = "verify",
        .type = PropertyType::boolean,
        .sentence = "Read the value back before calling it done; costs a request.",
        .fallback = "false"}}};
  return kSchema;
}

class ForwardKind final : public OperatorKind {
 public:
  [[nodiscard]] std::string_view key() const override { return "forward"; }
  [[nodiscard]] const Schema& schema() const override { return forward_schema(); }
  [[nodiscard]] bool first_input_drives() const override { return true; }
  [[nodiscard]] bool acts() const override { return true; }

  Result<std::vector<std::string>> inputs(const Node& options) const override {
    std::vector<std::string> names{Options(options, forward_schema()).text("of")};
    for (const std::string_view key : {"value", "unless"}) {
      const Node* formula = options.find(key);
      if (formula == nullptr) continue;
      ALARA_TRY(const auto found, expr::names_in(expr::source_of(*formula)));
      for (const std::string& name : found)
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
    return names;
  }

  Result<Made> make(const Node& options, std::span<const ValueInfo> inputs,
                    const OperatorContext& context) const override {
    const Options read(options, forward_schema());
    std::vector<ValueInfo> values(inputs.begin(), inputs.end());
    ALARA_TRY(const auto names, this->inputs(options));
    ALARA_ASSERT(names.size() == values.size(), "make() gets the values that inputs() asked for");
    for (std::size_t i = 0; i < names.size(); ++i) values[i].name = names[i];
    ALARA_TRY(ForwardPlan plan, plan_of(read, values, context));
    Made made;
    made.outputs.push_back({.name = "done", .unit = {}, .rate_hz = 0, .boolean = true, .type = SignalType::boolean});
    made.outputs.push_back({.name = "outcome", .unit = {}, .rate_hz = 0});
    made.outputs.push_back({.name = "value", .unit = plan.value ? Unit{} : inputs[0].unit, .rate_hz = 0});
    made.code = std::make_unique<Forward>(std::move(plan), context.decisions);
    made.memory_bound = made.code->memory_bytes();
    return made;
  }

 private:
  static Result<ForwardPlan> plan_of(const Options& read, std::span<const ValueInfo> values,
                                     const OperatorContext& context) {
    ForwardPlan plan;
    if (context.actuators == nullptr) return fail_at(read.where("to"), "commands can not be sent from here");
    for (std::size_t slot = 0; slot < context.assets.size(); ++slot) {
      ALARA_TRY(const ActuatorId actuator, context.actuators->actuator(*read.node("to"), slot));
      plan.actuators.push_back(actuator);
    }
    if (const Node* value = read.node("value")) {
      ALARA_TRY(plan.value, expr::compile(expr::source_of(*value), values));
    }
    if (const Node* unless = read.node("unless")) {
      ALARA_TRY(plan.unless, expr::compile_condition(expr::source_of(*unless), values));
    }
    if (read.has("least")) plan.least = read.number("least");
    if (read.has("most")) plan.most = read.number("most");
    if (!(plan.least <= plan.most))
      return fail_at(read.where("least"), "least ({:g}) is above most ({:g}): nothing could pass", plan.least,
                     plan.most);
    if (read.has("deadline")) plan.deadline = read.duration("deadline");
    plan.verify = read.boolean("verify");
    if (!read.has("rate_limit")) return plan;
    auto rate = Rate::parse(read.text("rate_limit"));
    if (!rate) {
      rate.error().where = read.where("rate_limit");
      return fail_with(std::move(rate));
    }
    plan.rate = *rate;
    return plan;
  }
};

}  // namespace

const OperatorKind& forward_kind() {
  static const ForwardKind kKind;
  return kKind;
}

}  // namespace alara::rules
