// SPDX-License-Identifier: Apache-2.0
#include "rules/rule_plan.hpp"

#include <algorithm>

#include "base/quantity.hpp"
#include "base/text.hpp"

namespace alara::rules {
namespace {

constexpr std::size_t kMaxWrites = 32;

const Schema& write_schema() {
  static const Schema schema{
      "write",
      "One value to write to an actuator.",
      {{.name = "write",
        .type = PropertyType::any,
        .sentence = "The actuator's address, e.g. plc/coil/{n}.",
        .required = true},
       {.name = "value",
        .type = PropertyType::expression,
        .sentence = "A number, true, false, or an expression over the rule's values; written as it is, without unit.",
        .required = true},
       {.name = "verify",
        .type = PropertyType::boolean,
        .sentence = "Read the value back before calling the command done; costs a request.",
        .fallback = "false"},
       {.name = "on",
        .type = PropertyType::choice,
        .sentence = "When to write: as the rule becomes active (raise) or as it ends (clear).",
        .fallback = "raise",
        .choices = {"raise", "clear"}}}};
  return schema;
}

const Schema& safe_schema() {
  static const Schema schema{
      "safe",
      "What is commanded when the rule can no longer see.",
      {{.name = "value", .type = PropertyType::number, .sentence = "The value to write.", .required = true},
       {.name = "after",
        .type = PropertyType::duration,
        .sentence = "How long without a fresh good sample, by the monotonic clock.",
        .required = true,
        .least = 1e6},
       {.name = "write",
        .type = PropertyType::any,
        .sentence = "The actuator's address; default: every actuator the rule writes to."}}};
  return schema;
}

const Schema& raise_schema() {
  static const Schema schema{
      "raise",
      "An event for people and systems: raised when the rule becomes active, cleared when it ends.",
      {{.name = "severity",
        .type = PropertyType::choice,
        .sentence = "How urgent it is.",
        .fallback = "medium",
        .choices = {"info", "low", "medium", "high", "critical"}},
       {.name = "text",
        .type = PropertyType::text,
        .sentence = "May name {asset}, {pipeline}, {rule} and values, as {days:.0f}.",
        .fallback = "{asset}: {rule}"}}};
  return schema;
}

// Where `for 20ms` begins at the end of a condition, npos when it does not end so.
std::size_t hold_begins(std::string_view text) {
  const std::size_t at = text.rfind("for");
  if (at == std::string_view::npos || at == 0 || at + 3 >= text.size()) return std::string_view::npos;
  const char before = text[at - 1], after = text[at + 3];
  const bool parted = before == ' ' || before == '\t' || before == '\n' || before == ')' || before == ']';
  return parted && (after == ' ' || after == '\t' || after == '\n') ? at : std::string_view::npos;
}

struct Written {
  expr::Source source;
  Nanos hold = 0;
};

// Splits a condition from its `for` duration.
Result<Written> read_condition(const Node& node) {
  if (!node.is_scalar()) return fail_at(node.where, "a condition is expected here");
  Written written{expr::source_of(node), 0};
  const std::size_t at = hold_begins(written.source.text);
  if (at == std::string_view::npos) return written;
  auto hold = parse_duration(trim(std::string_view(written.source.text).substr(at + 3)));
  if (!hold) {
    hold.error().where = written.source.where;
    hold.error().where.column += static_cast<int>(at);
    return fail_with(std::move(hold));
  }
  written.hold = *hold;
  written.source.text = std::string(trim(std::string_view(written.source.text).substr(0, at)));
  return written;
}

std::vector<const Node*> write_nodes(const Node& options) {
  std::vector<const Node*> nodes;
  const Node* writes = options.find("do");
  if (writes == nullptr || writes->is_null()) return nodes;
  if (!writes->is_list()) return {writes};
  for (const Node& item : writes->items) nodes.push_back(&item);
  return nodes;
}

// Everything in a rule that may name values, in a fixed order.
Status each_name(const Node& options, std::vector<std::string>& names) {
  const auto take = [&](const std::vector<std::string>& more) {
    for (const std::string& name : more)
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (const std::string_view key : {"when", "until", "reset", "unless"}) {
    const Node* node = options.find(key);
    if (node == nullptr || node->is_null()) continue;
    ALARA_TRY(const Written written, read_condition(*node));
    ALARA_TRY(const auto found, expr::names_in(written.source));
    take(found);
  }
  for (const Node* write : write_nodes(options)) {
    const Node* value = write->find("value");
    if (value == nullptr || !value->is_scalar()) continue;
    ALARA_TRY(const auto found, expr::names_in(expr::source_of(*value)));
    take(found);
  }
  if (const Node* raise = options.find("raise"); raise != nullptr)
    if (const Node* text = raise->find("text"); text != nullptr) {
      ALARA_TRY(const Message message, Message::parse(*text));
      take(message.names());
    }
  return {};
}

class Planner {
 public:
  Planner(const Node& options, std::span<const ValueInfo> inputs, const OperatorContext& context)
      : node_(options), options_(options, rule_schema()), values_(inputs.begin(), inputs.end()), context_(context) {}

  Result<RulePlan> run() {
    ALARA_CHECK(each_name(node_, names_));
    ALARA_ASSERT(names_.size() == values_.size(), "make() gets the values that inputs() asked for");
    for (std::size_t i = 0; i < names_.size(); ++i) values_[i].name = names_[i];
    plan_.inputs = values_.size();
    ALARA_CHECK(conditions());
    for (const Node* write : write_nodes(node_)) ALARA_CHECK(add_write(*write));
    if (plan_.writes.size() > kMaxWrites)
      return fail_at(options_.where("do"), "a rule writes at most {} values", kMaxWrites);
    ALARA_CHECK(limits());
    ALARA_CHECK(safe_value());
    ALARA_CHECK(event());
    if (plan_.writes.empty() && !plan_.raises && !plan_.safe)
      return fail_at(node_.where, "the rule does nothing: give it do, raise or safe");
    return std::move(plan_);
  }

 private:
  Result<std::optional<Condition>> condition(std::string_view key) {
    const Node* node = options_.node(key);
    if (node == nullptr || node->is_null()) return std::optional<Condition>{};
    ALARA_TRY(const Written written, read_condition(*node));
    ALARA_TRY(expr::Program program, expr::compile_condition(written.source, values_));
    return std::optional<Condition>(Condition{std::move(program), written.hold, written.source.text});
  }

  // A duration given as an option and in the condition's text must be given once.
  Status add_hold(std::string_view key, Condition& condition) {
    if (!options_.has(key)) return {};
    if (condition.hold != 0)
      return fail_at(options_.where(key), "'{}' and 'for' in the condition say the same twice", key);
    condition.hold = options_.duration(key);
    return {};
  }

  Status conditions() {
    ALARA_TRY(auto when, condition("when"));
    ALARA_ASSERT(when.has_value(), "the schema requires `when`");
    plan_.when = std::move(*when);
    ALARA_TRY(plan_.until, condition("until"));
    ALARA_TRY(plan_.reset, condition("reset"));
    ALARA_TRY(plan_.unless, condition("unless"));
    ALARA_CHECK(add_hold("for", plan_.when));
    if (options_.has("clear_for") && !plan_.until)
      clear_hold_ = options_.duration("clear_for");
    else if (plan_.until)
      ALARA_CHECK(add_hold("clear_for", *plan_.until));
    if (plan_.when.program.constant())
      return fail_at(options_.where("when"), "the condition '{}' reads no value", plan_.when.text);
    if (plan_.unless && plan_.unless->hold != 0)
      return fail_at(options_.where("unless"), "an interlock acts at once: leave 'for' out");
    if (plan_.reset && plan_.reset->hold != 0)
      return fail_at(options_.where("reset"), "a reset acts at once: leave 'for' out");
    plan_.latch = options_.boolean("latch");
    if (plan_.latch && (plan_.until || options_.has("clear_for")))
      return fail_at(options_.where("latch"), "a latched rule ends by its reset: leave until and clear_for out");
    if (!plan_.latch && plan_.reset) return fail_at(options_.where("reset"), "reset needs latch: true");
    if (!plan_.until && clear_hold_ != 0) {  // default: not when
      plan_.until = Condition{};
      expr::Source source = expr::Source{"not (" + plan_.when.text + ")", options_.where("when")};
      ALARA_TRY(plan_.until->program, expr::compile_condition(source, values_));
      plan_.until->hold = clear_hold_;
      plan_.until->text = std::move(source.text);
    }
    return {};
  }

  Result<std::vector<ActuatorId>> actuators(const Node& address) {
    std::vector<ActuatorId> ids;
    if (context_.actuators == nullptr) return fail_at(address.where, "commands can not be sent from here");
    for (std::size_t slot = 0; slot < context_.assets.size(); ++slot) {
      ALARA_TRY(const ActuatorId id, context_.actuators->actuator(address, slot));
      ids.push_back(id);
    }
    return ids;
  }

  Status add_write(const Node& node) {
    std::vector<Error> errors;
    write_schema().check(node, errors);
    if (!errors.empty()) return tl::unexpected<Error>(std::move(errors.front()));
    const Options options(node, write_schema());
    Write write;
    write.on = options.text("on") == "clear" ? On::clear : On::raise;
    write.verify = options.boolean("verify");
    ALARA_TRY(write.actuators, actuators(*options.node("write")));
    ALARA_TRY(expr::Program value, expr::compile(expr::source_of(*options.node("value")), values_));
    if (value.constant()) {
      const std::vector<double> nothing(values_.size());
      write.literal = value.evaluate(nothing);
      if (write.literal - write.literal != 0)
        return fail_at(options.where("value"), "'{}' is not a number", options.text("value"));
    } else {
      write.computed = std::move(value);
    }
    plan_.writes.push_back(std::move(write));
    return {};
  }

  Status limits() {
    if (options_.has("deadline")) plan_.deadline = options_.duration("deadline");
    plan_.dry_run = options_.boolean("dry_run");
    plan_.repeat = options_.has("repeat") ? options_.duration("repeat") : 0;
    plan_.rate_text = options_.text("rate_limit");
    if (plan_.rate_text.empty()) return {};
    auto rate = Rate::parse(plan_.rate_text);
    if (!rate) {
      rate.error().where = options_.where("rate_limit");
      return fail_with(std::move(rate));
    }
    plan_.rate = *rate;
    return {};
  }

  Status safe_value() {
    plan_.on_bad = options_.text("on_bad") == "safe" ? OnBad::safe : OnBad::hold;
    const Node* node = options_.node("safe");
    if (node == nullptr || node->is_null()) {
      if (plan_.on_bad == OnBad::safe) return fail_at(options_.where("on_bad"), "on_bad: safe needs a safe value");
      return {};
    }
    const Options options(*node, safe_schema());
    SafeValue safe;
    safe.value = options.number("value");
    safe.after = options.duration("after");
    safe.actuators.resize(context_.assets.size());
    std::vector<std::vector<ActuatorId>> columns;
    if (options.has("write")) {
      ALARA_TRY(auto ids, actuators(*options.node("write")));
      columns.push_back(std::move(ids));
    }
    if (columns.empty())
      for (const Write& write : plan_.writes) columns.push_back(write.actuators);
    if (columns.empty()) return fail_at(node->where, "safe has nothing to write to: give it write, or the rule do");
    for (std::size_t slot = 0; slot < safe.actuators.size(); ++slot)
      for (const auto& column : columns)
        if (auto& ids = safe.actuators[slot]; std::find(ids.begin(), ids.end(), column[slot]) == ids.end())
          ids.push_back(column[slot]);
    plan_.safe = std::move(safe);
    return {};
  }

  Status event() {
    const Node* node = options_.node("raise");
    if (node == nullptr || node->is_null()) {
      if (plan_.repeat != 0 && plan_.writes.empty())
        return fail_at(options_.where("repeat"), "repeat needs raise or do");
      return {};
    }
    const Options options(*node, raise_schema());
    constexpr std::array kSeverities{Severity::info, Severity::low, Severity::medium, Severity::high,
                                     Severity::critical};
    for (const Severity severity : kSeverities)
      if (name_of(severity) == options.text("severity")) plan_.severity = severity;
    Node text;
    text.kind = Node::Kind::scalar;
    text.scalar = options.text("text");
    text.where = options.where("text");
    ALARA_TRY(plan_.message, Message::parse(text));
    plan_.message.bind(names_);
    plan_.raises = true;
    return {};
  }

  const Node& node_;
  Options options_;
  std::vector<std::string> names_;
  std::vector<ValueInfo> values_;
  const OperatorContext& context_;
  Nanos clear_hold_ = 0;
  RulePlan plan_;
};

}  // namespace

const Schema& rule_schema() {
  static const Schema schema{
      "rule",
      "A condition that commands actuators and raises events.",
      {{.name = "when",
        .type = PropertyType::expression,
        .sentence = "The condition; may end in `for 20ms`: it must hold that long.",
        .required = true},
       {.name = "until",
        .type = PropertyType::expression,
        .sentence = "Ends the rule (hysteresis), and only while `when` is false; may end in `for 1s`. Default: as soon "
                    "as `when` is false."},
       {.name = "for",
        .type = PropertyType::duration,
        .sentence = "How long `when` must hold, by event time or by the clock when no sample comes."},
       {.name = "clear_for", .type = PropertyType::duration, .sentence = "How long the end condition must hold."},
       {.name = "latch", .type = PropertyType::boolean, .sentence = "Stay active until reset.", .fallback = "false"},
       {.name = "reset", .type = PropertyType::expression, .sentence = "Resets a latched rule, while `when` is false."},
       {.name = "unless",
        .type = PropertyType::expression,
        .sentence = "Interlock: while it is true, or one of its values unknown, commands are refused and audited. Safe "
                    "values are not subject to it."},
       {.name = "do",
        .type = PropertyType::any,
        .sentence =
            "One command or a list: {write: address, value: number or expression, verify: true, on: raise or clear}."},
       {.name = "deadline",
        .type = PropertyType::duration,
        .sentence =
            "A command's ack is due this long after the arrival of the sample that caused it; misses are counted."},
       {.name = "rate_limit",
        .type = PropertyType::text,
        .sentence = "At most so many firings per asset, as in `5 per 1min`; more are suppressed, counted and audited."},
       {.name = "safe",
        .type = PropertyType::object,
        .sentence =
            "Dead man: the value commanded when no fresh good sample has come for a time, and when the node stops.",
        .fields = &safe_schema()},
       {.name = "on_bad",
        .type = PropertyType::choice,
        .sentence = "A row of bad quality or with unknown values never fires the rule; it holds the state, or commands "
                    "the safe value at once.",
        .fallback = "hold",
        .choices = {"hold", "safe"}},
       {.name = "dry_run",
        .type = PropertyType::boolean,
        .sentence = "Write commands to the audit log instead of sending them.",
        .fallback = "false"},
       {.name = "raise", .type = PropertyType::object, .sentence = "The event of the rule.", .fields = &raise_schema()},
       {.name = "repeat",
        .type = PropertyType::duration,
        .sentence = "While active, send commands and event again this often. Default: never.",
        .least = 1e6}}};
  return schema;
}

Result<std::vector<std::string>> rule_inputs(const Node& options) {
  std::vector<std::string> names;
  ALARA_CHECK(each_name(options, names));
  return names;
}

Result<RulePlan> plan_rule(const Node& options, std::span<const ValueInfo> inputs, const OperatorContext& context) {
  return Planner(options, inputs, context).run();
}

}  // namespace alara::rules
