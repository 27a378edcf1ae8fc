// SPDX-License-Identifier: Apache-2.0
// A rule as compiled from its options: programs over the rule's inputs, actuators by slot. Internal to rules.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/operator.hpp"
#include "expr/expression.hpp"
#include "rules/message.hpp"
#include "rules/rate_limit.hpp"

namespace alara::rules {

// A condition with the time for which it must hold: "spindle_current > 38 for 20ms".
struct Condition {
  expr::Program program;
  Nanos hold = 0;
  std::string text;  // as written, for audit lines
};

enum class On : std::uint8_t { raise, clear };

struct Write {
  On on = On::raise;
  std::vector<ActuatorId> actuators;  // by slot
  double literal = 0;
  std::optional<expr::Program> computed;  // instead of the literal
  bool verify = false;
};

struct SafeValue {
  double value = 0;
  Nanos after = 0;                                 // without a fresh good sample
  std::vector<std::vector<ActuatorId>> actuators;  // [slot]
};

enum class OnBad : std::uint8_t { hold, safe };

struct RulePlan {
  std::size_t inputs = 0;
  Condition when;
  std::optional<Condition> until, reset, unless;
  bool latch = false;
  std::vector<Write> writes;
  Nanos deadline = kNever;  // of a command, after the arrival of its cause
  Rate rate;
  std::string rate_text;
  std::optional<SafeValue> safe;
  OnBad on_bad = OnBad::hold;
  bool dry_run = false;
  bool raises = false;
  Severity severity = Severity::medium;
  Message message;
  Nanos repeat = 0;
};

[[nodiscard]] const Schema& rule_schema();

// The values a rule reads: those of its conditions, computed values and texts.
[[nodiscard]] Result<std::vector<std::string>> rule_inputs(const Node& options);
// `inputs` are in the order of rule_inputs().
[[nodiscard]] Result<RulePlan> plan_rule(const Node& options, std::span<const ValueInfo> inputs,
                                         const OperatorContext& context);

}  // namespace alara::rules
