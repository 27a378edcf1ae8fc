// SPDX-License-Identifier: Apache-2.0
#include "node/fixtures.hpp"

#include <algorithm>
#include <limits>

#include "base/quantity.hpp"
#include "base/text.hpp"

namespace alara::node {
namespace {

constexpr std::size_t kMaxTraceSteps = 10'000'000;

const Schema& given_schema() {
  static const Schema kSchema{
      "given",
      "Samples that arrive, once or repeated.",
      {
          {.name = "at",
           .type = PropertyType::duration,
           .sentence = "When it arrives, since the start of the test.",
           .fallback = "0s"},
          {.name = "every", .type = PropertyType::duration, .sentence = "Repeats it with this period."},
          {.name = "until", .type = PropertyType::duration, .sentence = "Time of the last repetition."},
          {.name = "shift",
           .type = PropertyType::text,
           .sentence =
               "How far the sample's own time is from its arrival, as in -10h or 3650d: late, or a clock that is off."},
          {.name = "set",
           .type = PropertyType::any,
           .sentence = "Values by `asset.signal`: a number, true, false, nan, bad (a sample of bad quality), or a list "
                       "that the repetitions step through.",
           .required = true},
      }};
  return kSchema;
}

const Schema& expect_schema() {
  static const Schema kSchema{
      "expect",
      "Exactly one of command, event and cleared, and when.",
      {
          {.name = "at", .type = PropertyType::duration, .sentence = "Not before this time."},
          {.name = "within",
           .type = PropertyType::duration,
           .sentence = "At most this long after `at`.",
           .fallback = "10ms"},
          {.name = "by", .type = PropertyType::duration, .sentence = "Not after this time."},
          {.name = "command", .type = PropertyType::text, .sentence = "Actuator address, as in plc/coil/1."},
          {.name = "value", .type = PropertyType::number, .sentence = "The commanded value."},
          {.name = "event", .type = PropertyType::text, .sentence = "Pipeline that must raise an event."},
          {.name = "cleared", .type = PropertyType::text, .sentence = "Pipeline whose event must be cleared."},
          {.name = "asset", .type = PropertyType::text, .sentence = "The event's asset."},
          {.name = "text", .type = PropertyType::text, .sentence = "A part of the event's text."},
      }};
  return kSchema;
}

class FixtureReader {
 public:
  FixtureReader(const Site& site, std::vector<Error>& errors) : site_(site), errors_(errors) {}

  void read(const Node::Entry& entry, std::vector<Fixture>& fixtures) {
    const std::size_t before = errors_.size();
    fixture_schema().check(entry.value, errors_);
    if (errors_.size() != before) return;
    const Options options(entry.value, fixture_schema());
    Fixture fixture;
    fixture.name = entry.key;
    fixture.where = entry.key_where;
    for (const Node& item : items(*options.node("given"))) read_given(item, fixture);
    if (const Node* expect = options.node("expect"))
      for (const Node& item : items(*expect)) read_expectation(item, fixture.expect);
    if (const Node* never = options.node("never"))
      for (const Node& item : items(*never)) read_expectation(item, fixture.never);
    if (fixture.expect.empty() && fixture.never.empty() && errors_.size() == before)
      errors_.push_back({ErrorKind::bad_input,
                         fmt::format("test '{}' expects nothing, so it can not fail", entry.key),
                         entry.key_where,
                         {}});
    std::ranges::stable_sort(fixture.trace, {}, &TraceStep::at);
    fixture.lasts = options.has("lasts") ? options.duration("lasts")
                                         : (fixture.trace.empty() ? 0 : fixture.trace.back().at) + kSecond;
    fixtures.push_back(std::move(fixture));
  }

 private:
  static const std::vector<Node>& items(const Node& list) { return list.items; }

  void error(const Where& where, std::string message, std::string hint = {}) {
    errors_.push_back({ErrorKind::bad_input, std::move(message), where, std::move(hint)});
  }

  void read_given(const Node& item, Fixture& fixture) {
    const Options options(item, given_schema());
    const Nanos at = options.duration("at");
    const Nanos every = options.has("every") ? options.duration("every") : 0;
    const Nanos until = options.has("until") ? options.duration("until") : at;
    if (until > at && every <= 0) {
      error(item.where, "given: 'until' needs 'every'");
      return;
    }
    Nanos shift = 0;
    if (options.has("shift") && !read_shift(options, shift)) return;
    const Node* set = options.node("set");
    if (!set->is_map()) {
      error(set->where, "given: set is a map, as in {cnc-01.spindle_current: 41}");
      return;
    }
    for (const Node::Entry& target : set->entries) {
      TraceStep step;
      if (!resolve(target, step)) continue;
      step.shift = shift;
      const std::size_t count = every > 0 && until > at ? static_cast<std::size_t>((until - at) / every) + 1 : 1;
      if (count > kMaxTraceSteps - fixture.trace.size()) {
        error(item.where, fmt::format("given: more than {} samples", kMaxTraceSteps));
        return;
      }
      std::size_t index = 0;
      for (Nanos t = at; t <= until; t += every > 0 ? every : 1) {
        step.at = t;
        if (!read_value(target.value, index++, step)) return;
        fixture.trace.push_back(step);
        if (every <= 0) break;
      }
    }
  }

  bool read_shift(const Options& options, Nanos& shift) {
    const std::string text = options.text("shift");
    const bool back = text.starts_with('-');
    const auto amount =
        parse_duration(back || text.starts_with('+') ? std::string_view(text).substr(1) : std::string_view(text));
    if (!amount) {
      error(options.where("shift"), fmt::format("given: shift: {}", amount.error().message), "as in -10h, 2s or 3650d");
      return false;
    }
    shift = back ? -*amount : *amount;
    return true;
  }

  bool resolve(const Node::Entry& target, TraceStep& step) {
    std::vector<std::string> names;
    for (std::size_t a = 0; a < site_.assets.size(); ++a) {
      const AssetSpec& asset = site_.assets[a];
      if (!target.key.starts_with(asset.name + ".")) continue;
      const auto& signals = site_.asset_types[asset.type].signals;
      for (std::size_t s = 0; s < signals.size(); ++s) {
        if (target.key == asset.name + "." + signals[s].name) {
          step.asset = a;
          step.signal = s;
          return true;
        }
        names.push_back(asset.name + "." + signals[s].name);
      }
    }
    const std::string guess = nearest(target.key, std::span<const std::string>(names));
    error(target.key_where, fmt::format("given: there is no signal '{}'", target.key),
          guess.empty() ? "write <asset>.<signal>" : fmt::format("did you mean '{}'?", guess));
    return false;
  }

  bool read_value(const Node& value, std::size_t index, TraceStep& step) {
    const Node& scalar = value.is_list() && !value.items.empty() ? value.items[index % value.items.size()] : value;
    step.missing = scalar.scalar == "bad";
    if (step.missing) {
      step.value = 0;
      return true;
    }
    if (scalar.scalar == "true" || scalar.scalar == "false") {
      step.value = scalar.scalar == "true" ? 1 : 0;
      return true;
    }
    if (scalar.scalar == "nan") {
      step.value = std::numeric_limits<double>::quiet_NaN();
      return true;
    }
    const auto number = parse_number(scalar.scalar);
    if (!number) {
      error(scalar.where, "given: " + number.error().message, "a number, true, false, nan or bad");
      return false;
    }
    step.value = *number;
    return true;
  }

  void read_expectation(const Node& item, std::vector<Expectation>& list) {
    const Options options(item, expect_schema());
    Expectation expectation;
    expectation.where = item.where;
    const int named = int(options.has("command")) + int(options.has("event")) + int(options.has("cleared"));
    if (named != 1) {
      error(item.where, "expect: exactly one of command, event and cleared is needed");
      return;
    }
    if (options.has("command")) {
      expectation.name = options.text("command");
      if (const auto endpoint = resolve_endpoint(site_, expectation.name, options.where("command")); !endpoint) {
        errors_.push_back(endpoint.error());
        return;
      }
    } else {
      expectation.kind = options.has("event") ? Expectation::Kind::event_raised : Expectation::Kind::event_cleared;
      expectation.name = options.text(options.has("event") ? "event" : "cleared");
      if (std::ranges::find(site_.pipelines, expectation.name, &PipelineSpec::name) == site_.pipelines.end())
        error(item.where, fmt::format("expect: there is no pipeline '{}'", expectation.name));
    }
    expectation.asset = options.text("asset");
    expectation.text = options.text("text");
    expectation.any_value = !options.has("value");
    if (!expectation.any_value) expectation.value = options.number("value");
    if (options.has("at")) {
      expectation.earliest = options.duration("at");
      expectation.latest = expectation.earliest + options.duration("within");
    }
    if (options.has("by")) expectation.latest = options.duration("by");
    list.push_back(std::move(expectation));
  }

  const Site& site_;
  std::vector<Error>& errors_;
};

}  // namespace

const Schema& fixture_schema() {
  static const Property kGiven{
      .name = "given", .type = PropertyType::object, .sentence = {}, .fields = &given_schema()};
  static const Property kExpect{
      .name = "expect", .type = PropertyType::object, .sentence = {}, .fields = &expect_schema()};
  static const Schema kSchema{
      "test",
      "One fixture: samples that arrive, and what must and must never come of them.",
      {
          {.name = "given",
           .type = PropertyType::list,
           .sentence = "The input trace.",
           .required = true,
           .element = &kGiven},
          {.name = "expect", .type = PropertyType::list, .sentence = "What must come out.", .element = &kExpect},
          {.name = "never",
           .type = PropertyType::list,
           .sentence = "What must not come out, each entry as in `expect`.",
           .element = &kExpect},
          {.name = "lasts",
           .type = PropertyType::duration,
           .sentence = "Virtual time to run. Default: until 1s after the trace."},
      }};
  return kSchema;
}

std::vector<Fixture> read_fixtures(const Site& site, std::vector<Error>& errors) {
  std::vector<Fixture> fixtures;
  if (site.tests.is_null()) return fixtures;
  if (!site.tests.is_map()) {
    errors.push_back({ErrorKind::bad_input, "tests: a map of named fixtures is expected", site.tests.where, {}});
    return fixtures;
  }
  FixtureReader reader(site, errors);
  for (const Node::Entry& entry : site.tests.entries) reader.read(entry, fixtures);
  return fixtures;
}

}  // namespace alara::node
