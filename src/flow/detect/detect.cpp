// SPDX-License-Identifier: Apache-2.0
#include "flow/detect/detect.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "flow/detect/anomaly.hpp"
#include "flow/detect/change.hpp"
#include "flow/detect/detect_operator.hpp"
#include "flow/detect/ewma.hpp"
#include "flow/detect/forest.hpp"
#include "flow/detect/mad.hpp"
#include "flow/detect/spot.hpp"

namespace alara::flow {
namespace {

// Which options a detector reads besides `of`, `with` and `hold`; anything else in the file is a mistake and refused.
struct Uses {
  std::string_view detector;
  std::vector<std::string_view> options;
  bool level = false;
};

const std::vector<Uses>& uses() {
  static const std::vector<Uses> kUses{
      {"ewma", {"threshold", "warm_up", "side", "memory"}, true},
      {"mad", {"threshold", "warm_up", "side", "window"}, true},
      {"cusum", {"threshold", "warm_up", "side", "slack", "mean", "sigma", "after"}},
      {"page_hinkley", {"threshold", "warm_up", "side", "slack", "sigma", "after"}},
      {"spot", {"q", "tail", "peaks", "drift", "warm_up", "side"}, true},
      {"hs_trees", {"threshold", "trees", "depth", "window"}},
      {"anomaly", {"threshold", "warm_up", "memory", "season"}},
  };
  return kUses;
}

const Schema& detect_schema() {
  static const Property kName{.name = "name", .sentence = "A signal or an earlier step's output."};
  static const Schema kSchema{
      "detect",
      "Learns what is normal for a value and scores what is not.",
      {
          {.name = "of",
           .type = PropertyType::list,
           .sentence = "The value to watch; several, [a, b, c], for hs_trees.",
           .required = true,
           .element = &kName},
          {.name = "with",
           .type = PropertyType::choice,
           .sentence =
               "ewma: distance from a moving mean. mad: the same, unmoved by outliers. cusum: small lasting shifts. "
               "page_hinkley: the same, without a fixed mean. spot: extreme values with a chosen false-alarm "
               "probability. hs_trees: unusual combinations of several values. anomaly: behaviour never seen "
               "before, for values every few minutes.",
           .fallback = "anomaly",
           .choices = {"ewma", "mad", "cusum", "page_hinkley", "spot", "hs_trees", "anomaly"}},
          {.name = "threshold",
           .type = PropertyType::number,
           .sentence =
               "Alarm above this score. Default: ewma 5 and mad 6 standard deviations, cusum 5, page_hinkley 20, "
               "hs_trees 0.2, anomaly 0.2 (of the known range).",
           .least = 0,
           .most = 1e6},
          {.name = "hold",
           .type = PropertyType::duration,
           .sentence =
               "An alarm lasts at least this long after the last hit, so that one event is one alarm. Default: 1d for "
               "anomaly, else 0s.",
           .least = 0},
          {.name = "warm_up",
           .type = PropertyType::integer,
           .sentence =
               "Samples to learn from before the first verdict. Default: ewma 64, mad half the window, cusum and "
               "page_hinkley 100, spot 1000, anomaly 600.",
           .least = 2,
           .most = 1e9},
          {.name = "side",
           .type = PropertyType::choice,
           .sentence = "Whether only high or low values alarm.",
           .fallback = "both",
           .choices = {"both", "high", "low"}},
          {.name = "memory",
           .type = PropertyType::integer,
           .sentence = "Samples after which the past counts little. Default: ewma 256, anomaly 8640 (30 days of "
                       "5-minute values).",
           .least = 2,
           .most = 1e9},
          {.name = "window",
           .type = PropertyType::integer,
           .sentence = "Samples compared with. Default: mad 64 (16 bytes each and asset), hs_trees 250.",
           .least = 4,
           .most = 60000},
          {.name = "slack",
           .type = PropertyType::number,
           .sentence = "cusum, page_hinkley: deviations below this many standard deviations are ignored; half the "
                       "shift to find.",
           .fallback = "0.5",
           .least = 0,
           .most = 100},
          {.name = "mean",
           .type = PropertyType::number,
           .sentence = "cusum: the known normal mean; learned when absent."},
          {.name = "sigma",
           .type = PropertyType::number,
           .sentence = "cusum, page_hinkley: the known normal standard deviation; learned when absent.",
           .least = 1e-150},
          {.name = "after",
           .type = PropertyType::choice,
           .sentence = "cusum, page_hinkley: after an alarm restart the sums, relearn the normal state, or carry on.",
           .fallback = "restart",
           .choices = {"restart", "relearn", "carry"}},
          {.name = "q",
           .type = PropertyType::number,
           .sentence = "spot: probability of a false alarm per sample and side.",
           .fallback = "0.0001",
           .least = 1e-12,
           .most = 0.01},
          {.name = "tail",
           .type = PropertyType::number,
           .sentence = "spot: share of the samples treated as peaks, from which the tail is fitted.",
           .fallback = "0.02",
           .least = 0.001,
           .most = 0.2},
          {.name = "peaks",
           .type = PropertyType::integer,
           .sentence = "spot: peaks kept per side, 8 bytes each; more give a steadier threshold.",
           .fallback = "64",
           .least = 16,
           .most = static_cast<double>(kMaxExcesses)},
          {.name = "drift",
           .type = PropertyType::integer,
           .sentence = "spot: samples of a moving mean that is taken off first (DSPOT), 8 bytes each; 0 = none.",
           .fallback = "0",
           .least = 0,
           .most = 4096},
          {.name = "trees",
           .type = PropertyType::integer,
           .sentence = "hs_trees: number of trees.",
           .fallback = "25",
           .least = 1,
           .most = 200},
          {.name = "depth",
           .type = PropertyType::integer,
           .sentence = "hs_trees: depth of the trees; each level doubles the memory, trees x 2^(depth + 1) x 4 bytes "
                       "per asset.",
           .fallback = "8",
           .least = 1,
           .most = 12},
          {.name = "season",
           .type = PropertyType::duration,
           .sentence = "anomaly: length of the daily or other cycle, by event time; 0s = none.",
           .fallback = "1d",
           .least = 0,
           .most = static_cast<double>(366 * 24 * kHour)},
      }};
  return kSchema;
}

std::uint32_t whole(const Options& options, std::string_view name, std::uint32_t otherwise) {
  return options.has(name) ? static_cast<std::uint32_t>(options.integer(name)) : otherwise;
}

double number(const Options& options, std::string_view name, double otherwise) {
  return options.has(name) ? options.number(name) : otherwise;
}

Side side_of(const Options& options) {
  const std::string side = options.text("side");
  return side == "high" ? Side::high : side == "low" ? Side::low : Side::both;
}

ChangeOptions change_options(const Options& options, double threshold) {
  ChangeOptions out;
  out.slack = options.number("slack");
  out.threshold = number(options, "threshold", threshold);
  out.warm_up = whole(options, "warm_up", out.warm_up);
  if (options.has("mean")) out.mean = options.number("mean");
  if (options.has("sigma")) out.sigma = options.number("sigma");
  out.side = side_of(options);
  const std::string after = options.text("after");
  out.after = after == "relearn" ? AfterAlarm::relearn : after == "carry" ? AfterAlarm::carry : AfterAlarm::restart;
  return out;
}

class DetectKind final : public OperatorKind {
 public:
  [[nodiscard]] std::string_view key() const override { return "detect"; }
  [[nodiscard]] const Schema& schema() const override { return detect_schema(); }

  Result<std::vector<std::string>> inputs(const Node& node) const override {
    const Options options(node, schema());
    std::vector<std::string> names = options.texts("of");
    const std::string with = options.text("with");
    if (names.empty()) return fail_at(options.where("of"), "detect: 'of' names no value");
    if (names.size() > 1 && with != "hs_trees")
      return fail_at(options.where("of"),
                     "detect: {} watches one value, {} are given (use a step for each, or hs_trees)", with,
                     names.size());
    if (names.size() > kMaxInputs)
      return fail_at(options.where("of"), "detect: {} values are given, at most {} are allowed", names.size(),
                     kMaxInputs);
    return names;
  }

  Result<Made> make(const Node& node, std::span<const ValueInfo> inputs,
                    const OperatorContext& context) const override {
    const Options options(node, schema());
    const std::string with = options.text("with");
    const auto found =
        std::find_if(uses().begin(), uses().end(), [&](const Uses& each) { return each.detector == with; });
    ALARA_ASSERT(found != uses().end(), "a detector is offered that has no entry in uses()");
    for (const Node::Entry& entry : node.entries) {
      if (entry.key == "of" || entry.key == "with" || entry.key == "hold") continue;
      if (std::find(found->options.begin(), found->options.end(), entry.key) == found->options.end())
        return fail_at(entry.key_where, "detect: {} has no option '{}'; it has {} and hold", with, entry.key,
                       enumerate(found->options));
    }
    Made made;
    for (const ValueInfo& input : inputs)
      if (input.boolean)
        return fail_at(options.where("of"), "detect: '{}' is true or false; a detector needs a number", input.name);
    made.outputs = {ValueInfo{.name = "score", .unit = {}}, ValueInfo{.name = "alarm", .unit = {}, .boolean = true}};
    if (found->level) made.outputs.push_back({.name = "level", .unit = inputs[0].unit});
    for (ValueInfo& output : made.outputs) output.rate_hz = inputs[0].rate_hz;
    ALARA_TRY(made.code, build(with, options, context));
    made.memory_bound = made.code->memory_bytes();
    return made;
  }

 private:
  template <typename Bank>
  static std::unique_ptr<Operator> wrap(Bank bank, const Options& options, std::size_t slots, Nanos hold, bool level) {
    if (options.has("hold")) hold = options.duration("hold");
    const std::size_t inputs = options.texts("of").size();
    return std::make_unique<DetectOperator<Bank>>(std::move(bank), slots, inputs, hold, level);
  }

  static Result<std::unique_ptr<Operator>> build(const std::string& with, const Options& options,
                                                 const OperatorContext& context) {
    const std::size_t slots = context.assets.size();
    if (with == "ewma") return wrap(EwmaBank(ewma_options(options), slots), options, slots, 0, true);
    if (with == "mad") return build_mad(options, slots);
    if (with == "cusum")
      return wrap(ChangeBank(ChangeBank::Method::cusum, change_options(options, 5), slots), options, slots, 0, false);
    if (with == "page_hinkley")
      return wrap(ChangeBank(ChangeBank::Method::page_hinkley, change_options(options, 20), slots), options, slots, 0,
                  false);
    if (with == "spot") return build_spot(options, slots);
    if (with == "hs_trees") {
      ForestBank::Options forest;
      forest.trees = static_cast<std::uint32_t>(options.integer("trees"));
      forest.depth = static_cast<std::uint32_t>(options.integer("depth"));
      forest.window = whole(options, "window", forest.window);
      forest.threshold = number(options, "threshold", forest.threshold);
      forest.seed = context.seed;
      return wrap(ForestBank(forest, options.texts("of").size(), slots), options, slots, 0, false);
    }
    AnomalyBank::Options anomaly;
    anomaly.memory = whole(options, "memory", anomaly.memory);
    anomaly.warm_up = whole(options, "warm_up", anomaly.warm_up);
    anomaly.season = options.duration("season");
    anomaly.threshold = number(options, "threshold", anomaly.threshold);
    return wrap(AnomalyBank(anomaly, slots), options, slots, 24 * kHour, false);
  }

  static EwmaBank::Options ewma_options(const Options& options) {
    EwmaBank::Options ewma;
    ewma.memory = whole(options, "memory", static_cast<std::uint32_t>(ewma.memory));
    ewma.warm_up = whole(options, "warm_up", ewma.warm_up);
    ewma.threshold = number(options, "threshold", ewma.threshold);
    ewma.side = side_of(options);
    return ewma;
  }

  static Result<std::unique_ptr<Operator>> build_mad(const Options& options, std::size_t slots) {
    MadBank::Options mad;
    mad.window = whole(options, "window", mad.window);
    mad.warm_up = whole(options, "warm_up", mad.window / 2);
    mad.threshold = number(options, "threshold", mad.threshold);
    mad.side = side_of(options);
    if (mad.window > 4096)
      return fail_at(options.where("window"), "detect: mad keeps its window; {} samples are more than 4096",
                     mad.window);
    if (mad.warm_up > mad.window)
      return fail_at(options.where("warm_up"), "detect: mad can not learn from {} samples with a window of {}",
                     mad.warm_up, mad.window);
    return wrap(MadBank(mad, slots), options, slots, 0, true);
  }

  static Result<std::unique_ptr<Operator>> build_spot(const Options& options, std::size_t slots) {
    SpotBank::Options spot;
    spot.q = options.number("q");
    spot.tail = options.number("tail");
    spot.peaks = static_cast<std::uint32_t>(options.integer("peaks"));
    spot.warm_up = whole(options, "warm_up", spot.warm_up);
    spot.drift = static_cast<std::uint32_t>(options.integer("drift"));
    spot.side = side_of(options);
    const double initial = spot.tail * spot.warm_up;
    if (initial < 8)
      return fail_at(options.where("warm_up"),
                     "detect: spot finds only {:.0f} peaks in a warm-up of {} samples with tail {}; 8 are needed",
                     initial, spot.warm_up, spot.tail);
    if (initial >= spot.peaks)
      return fail_at(options.where("peaks"),
                     "detect: spot finds {:.0f} peaks in a warm-up of {} samples with tail {}, but keeps only {}",
                     initial, spot.warm_up, spot.tail, spot.peaks);
    if (spot.q >= spot.tail)
      return fail_at(options.where("q"), "detect: spot needs q ({}) below tail ({})", spot.q, spot.tail);
    return wrap(SpotBank(spot, slots), options, slots, 0, true);
  }
};

}  // namespace

const OperatorKind& detect_kind() {
  static const DetectKind kKind;
  return kKind;
}

}  // namespace alara::flow
