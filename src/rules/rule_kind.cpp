// SPDX-License-Identifier: Apache-2.0
#include "rules/rule_kind.hpp"

#include "rules/rule.hpp"
#include "rules/rule_plan.hpp"

namespace alara::rules {
namespace {

class RuleKind final : public OperatorKind {
 public:
  [[nodiscard]] std::string_view key() const override { return "rule"; }
  [[nodiscard]] const Schema& schema() const override { return rule_schema(); }

  [[nodiscard]] bool acts() const override { return true; }

  Result<std::vector<std::string>> inputs(const Node& options) const override { return rule_inputs(options); }

  Result<Made> make(const Node& options, std::span<const ValueInfo> inputs,
                    const OperatorContext& context) const override {
    ALARA_TRY(RulePlan plan, plan_rule(options, inputs, context));
    Made made;
    warn(plan, inputs, made.warnings, options.where);
    Rule::Identity identity{context.pipeline, context.pipeline_name, context.step_name, context.assets,
                            context.asset_names};
    made.code = std::make_unique<Rule>(std::move(plan), std::move(identity), context.decisions);
    made.outputs.push_back({.name = "", .unit = {}, .rate_hz = 0, .boolean = true});
    made.memory_bound = made.code->memory_bytes();
    return made;
  }

 private:
  static void warn(const RulePlan& plan, std::span<const ValueInfo> inputs, std::vector<Error>& warnings,
                   const Where& where) {
    double rate = 0;
    for (const std::size_t input : plan.when.program.uses()) rate = std::max(rate, inputs[input].rate_hz);
    const double period = rate > 0 ? static_cast<double>(kSecond) / rate : 0;
    if (plan.safe && period > 0 && static_cast<double>(plan.safe->after) < 2 * period)
      warnings.push_back(
          {ErrorKind::bad_input,
           fmt::format("safe value after {:g} ms, but samples come every {:g} ms: one lost sample commands it",
                       static_cast<double>(plan.safe->after) / 1e6, period / 1e6),
           where,
           {}});
  }
};

}  // namespace

const OperatorKind& rule_kind() {
  static const RuleKind kind;
  return kind;
}

bool reset_latch(Operator& code, std::size_t slot) {
  auto* rule = dynamic_cast<Rule*>(&code);
  return rule != nullptr && rule->reset_latch(slot);
}

}  // namespace alara::rules
