// SPDX-License-Identifier: Apache-2.0
#include "flow/window/options.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/quantity.hpp"

namespace alara::flow {
namespace {

constexpr double kMaxCount = 10'000'000;
constexpr std::int64_t kMaxPanes = 4096;
constexpr double kRateHeadroom = 1.25;  // clocks of devices differ and deliver in bursts
constexpr std::size_t kSpareSamples = 8;

const Property kAggregate{.name = "aggregate", .type = PropertyType::text, .sentence = "the name of an aggregate"};

struct ShapeName {
  const char* name;
  WindowShape shape;
};
constexpr std::array<ShapeName, 6> kShapes{{{"tumbling", WindowShape::tumbling},
                                            {"hopping", WindowShape::hopping},
                                            {"sliding", WindowShape::sliding},
                                            {"session", WindowShape::session},
                                            {"count", WindowShape::count},
                                            {"state", WindowShape::state}}};

Schema make_schema() {
  using enum PropertyType;
  std::vector<std::string> shapes;
  for (const ShapeName& each : kShapes) shapes.emplace_back(each.name);
  Schema schema;
  schema.name = "window";
  schema.sentence = "Aggregates of one value over windows of event time or of samples, for each asset by itself.";
  schema.properties = {
      {.name = "of",
       .type = text,
       .sentence = "The value to aggregate: a signal or another step's output.",
       .required = true},
      {.name = "kind",
       .type = choice,
       .sentence = "tumbling: side by side; hopping: of `size`, a new one at each `every`; sliding: a result at each "
                   "sample over "
                   "the last `size` or `count`; session: until `gap` without a sample; count: every `count` samples; "
                   "state: while "
                   "`by` (or the value) is past `open`, or keeps its value.",
       .required = true,
       .choices = shapes},
      {.name = "use",
       .type = list,
       .sentence = "Aggregates: count, mean, variance, std, min, max, range, sum, rms, slope and rate (per second), "
                   "first, last, "
                   "duration, median, p95, quantile(0.95).",
       .required = true,
       .element = &kAggregate},
      {.name = "size",
       .type = duration,
       .sentence = "Length of tumbling, hopping and sliding windows; aligned to the epoch.",
       .least = 1'000},
      {.name = "every",
       .type = duration,
       .sentence = "Distance between hopping windows; at most `size`.",
       .least = 1'000},
      {.name = "count",
       .type = integer,
       .sentence = "Samples in a count window, or in a sliding one in place of `size`.",
       .least = 1,
       .most = kMaxCount},
      {.name = "gap", .type = duration, .sentence = "Silence that ends a session.", .least = 1'000},
      {.name = "max",
       .type = duration,
       .sentence = "Longest session or state window; a longer one is cut.",
       .least = 1'000},
      {.name = "by",
       .type = text,
       .sentence = "The value that opens and closes state windows; the aggregated one when absent."},
      {.name = "open",
       .type = number,
       .sentence =
           "A state window opens at this value of `by` or beyond. Without it, each change of value begins a new one."},
      {.name = "close",
       .type = number,
       .sentence = "It closes when `by` is back past this value: below it where close <= open, above it otherwise. "
                   "Default: open."},
      {.name = "lateness",
       .type = duration,
       .sentence = "How much older than the newest a sample may be and still count. Costs delay: results wait for it. "
                   "Sliding by "
                   "count and count windows take samples as they arrive unless it is given.",
       .fallback = "0s"},
      {.name = "idle",
       .type = duration,
       .sentence = "Silence of an asset after which its windows close by the engine's clock.",
       .fallback = "10s",
       .least = 1'000'000},
      {.name = "late",
       .type = choice,
       .sentence = "Samples older than `lateness`: drop (and count) them, or emit them as the extra output `late`.",
       .fallback = "drop",
       .choices = {"drop", "emit"}},
      {.name = "max_jump",
       .type = duration,
       .sentence = "A time stamp further than this from the newest is left out and counted until 3 later samples agree "
                   "with it.",
       .fallback = "1d",
       .least = 1'000'000},
      {.name = "capacity",
       .type = integer,
       .sentence =
           "Most samples held for one asset by sliding windows of a duration and by `lateness`; needed where the "
           "signal's rate is unknown. Beyond it the oldest leave early, counted as overflow.",
       .least = 2,
       .most = kMaxCount},
      {.name = "storage",
       .type = choice,
       .sentence = "How samples of sliding windows are kept: auto takes float where the signal's type fits it, float "
                   "halves the "
                   "memory at 7 digits.",
       .fallback = "auto",
       .choices = {"auto", "float", "double"}},
  };
  return schema;
}

tl::unexpected<Error> fault(const Options& options, std::string_view at, std::string message, std::string hint = {}) {
  return tl::unexpected<Error>(Error{ErrorKind::bad_input, std::move(message), options.where(at), std::move(hint)});
}

// Options that mean nothing for this shape would be silently ignored: refuse them.
Status check_foreign(const Options& options, std::string_view kind, std::initializer_list<std::string_view> taken) {
  for (const std::string_view name : {"size", "every", "count", "gap", "max", "by", "open", "close"})
    if (options.has(name) && std::find(taken.begin(), taken.end(), name) == taken.end())
      return fault(options, name, fmt::format("a {} window has no '{}'", kind, name));
  return {};
}

Status need(const Options& options, std::string_view kind, std::string_view name) {
  if (options.has(name)) return {};
  return fault(options, "kind", fmt::format("a {} window needs '{}'", kind, name));
}

Status read_panes(const Options& options, WindowOptions& out) {
  const bool hopping = out.shape == WindowShape::hopping;
  if (hopping) {
    ALARA_CHECK(check_foreign(options, "hopping", {"size", "every"}));
    ALARA_CHECK(need(options, "hopping", "every"));
  } else {
    ALARA_CHECK(check_foreign(options, "tumbling", {"size"}));
  }
  ALARA_CHECK(need(options, hopping ? "hopping" : "tumbling", "size"));
  out.size = options.duration("size");
  out.every = hopping ? options.duration("every") : out.size;
  if (out.every > out.size)
    return fault(options, "every",
                 fmt::format("every {} leaves out samples between windows of {}", format_duration(out.every),
                             format_duration(out.size)),
                 "make every at most size");
  const Nanos pane = std::gcd(out.size, out.every);
  if (out.size / pane + out.time.lateness / pane > kMaxPanes)
    return fault(options, "size",
                 fmt::format("the window falls into more than {} panes of {}", kMaxPanes, format_duration(pane)),
                 "make size a smaller multiple of every, or lateness shorter");
  return {};
}

Status read_sliding(const Options& options, WindowOptions& out) {
  ALARA_CHECK(check_foreign(options, "sliding", {"size", "count"}));
  if (options.has("size") == options.has("count"))
    return fault(options, "kind", "a sliding window needs either 'size' or 'count'");
  if (options.has("size")) out.size = options.duration("size");
  if (options.has("count")) out.count = static_cast<std::uint64_t>(options.integer("count"));
  return {};
}

Status read_state(const Options& options, WindowOptions& out) {
  ALARA_CHECK(check_foreign(options, "state", {"by", "open", "close", "max"}));
  if (options.has("by")) out.by = options.text("by");
  if (options.has("close") && !options.has("open"))
    return fault(options, "close", "'close' has no meaning without 'open'");
  out.has_thresholds = options.has("open");
  if (out.has_thresholds) out.open = options.number("open");
  out.close = options.has("close") ? options.number("close") : out.open;
  if (options.has("max")) out.max = options.duration("max");
  return {};
}

Status read_shape(const Options& options, WindowOptions& out) {
  const std::string kind = options.text("kind");
  for (const ShapeName& each : kShapes)
    if (kind == each.name) out.shape = each.shape;
  switch (out.shape) {
    case WindowShape::tumbling:
    case WindowShape::hopping:
      return read_panes(options, out);
    case WindowShape::sliding:
      return read_sliding(options, out);
    case WindowShape::state:
      return read_state(options, out);
    case WindowShape::session:
      ALARA_CHECK(check_foreign(options, "session", {"gap", "max"}));
      ALARA_CHECK(need(options, "session", "gap"));
      out.gap = options.duration("gap");
      if (options.has("max")) out.max = options.duration("max");
      return {};
    case WindowShape::count:
      ALARA_CHECK(check_foreign(options, "count", {"count"}));
      ALARA_CHECK(need(options, "count", "count"));
      out.count = static_cast<std::uint64_t>(options.integer("count"));
      return {};
  }
  return {};
}

Status read_use(const Options& options, WindowOptions& out) {
  for (const std::string& text : options.texts("use")) {
    auto wanted = parse_aggregate(text);
    if (!wanted) {
      Error error = std::move(wanted).error();
      error.where = options.where("use");
      return tl::unexpected<Error>(std::move(error));
    }
    const auto same = [&](const Wanted& other) { return other.name == wanted->name; };
    if (std::any_of(out.use.begin(), out.use.end(), same))
      return fault(options, "use", fmt::format("'{}' is asked for twice", text));
    out.use.push_back(std::move(*wanted));
  }
  if (out.use.empty()) return fault(options, "use", "'use' names no aggregate", "write use: [mean, max]");
  out.needs = needs_of(out.use);
  return {};
}

bool fits_float(SignalType type) {
  return type == SignalType::float32 || type == SignalType::int16 || type == SignalType::uint16 ||
         type == SignalType::boolean;
}

std::size_t samples_in(Nanos duration, double rate_hz) {
  const double expected = static_cast<double>(duration) * 1e-9 * rate_hz * kRateHeadroom;
  return static_cast<std::size_t>(std::min(expected, kMaxCount)) + kSpareSamples;
}

}  // namespace

const Schema& window_schema() {
  static const Schema schema = make_schema();
  return schema;
}

Result<WindowOptions> read_window(const Node& map) {
  const Options options(map, window_schema());
  WindowOptions out;
  out.of = options.text("of");
  out.time.lateness = options.duration("lateness");
  out.time.idle = options.duration("idle");
  out.time.max_jump = options.duration("max_jump");
  out.emit_late = options.text("late") == "emit";
  ALARA_CHECK(read_shape(options, out));
  ALARA_CHECK(read_use(options, out));
  out.ordered = options.has("lateness") || out.count == 0 || out.needs.times;
  return out;
}

Status complete(WindowOptions& out, const ValueInfo& input, const Node& map) {
  const Options options(map, window_schema());
  const std::string storage = options.text("storage");
  out.narrow = storage == "float" || (storage == "auto" && (fits_float(input.type) || input.boolean));
  const bool by_time = out.shape == WindowShape::sliding && out.size > 0;
  const bool panes = out.shape == WindowShape::tumbling || out.shape == WindowShape::hopping;
  const bool held_back = !panes && out.time.lateness > 0;
  if (options.has("capacity")) {
    out.capacity = out.pending = static_cast<std::size_t>(options.integer("capacity"));
  } else if (input.rate_hz > 0) {
    out.capacity = samples_in(out.size, input.rate_hz);
    out.pending = samples_in(out.time.lateness, input.rate_hz);
  } else if (by_time || held_back) {
    return fault(options, by_time ? "size" : "lateness",
                 fmt::format("the rate of {} is not known, so neither is how many samples {} holds", out.of,
                             format_duration(by_time ? out.size : out.time.lateness)),
                 "declare the signal's rate, or give the window a capacity");
  }
  if (!by_time) out.capacity = 0;
  if (!held_back) out.pending = 0;
  return {};
}

}  // namespace alara::flow
