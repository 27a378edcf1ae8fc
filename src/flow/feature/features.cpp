// SPDX-License-Identifier: Apache-2.0
#include "flow/feature/features.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/quantity.hpp"
#include "base/text.hpp"
#include "flow/feature/record_operator.hpp"

namespace alara::flow {
namespace {

const Schema& bearing_schema() {
  static const Schema schema{
      "bearing",
      "The bearing whose damage envelope(…) looks for: its geometry, or the four ratios from its data sheet.",
      {{.name = "balls",
        .type = PropertyType::integer,
        .sentence = "Number of rolling elements in the row.",
        .least = 3,
        .most = 200},
       {.name = "ball_diameter",
        .type = PropertyType::number,
        .sentence = "In the unit of pitch_diameter.",
        .least = 1e-6},
       {.name = "pitch_diameter",
        .type = PropertyType::number,
        .sentence = "Between opposite rolling elements' centres.",
        .least = 1e-6},
       {.name = "angle",
        .type = PropertyType::number,
        .sentence = "Contact angle, degrees.",
        .fallback = "0",
        .least = 0,
        .most = 89},
       {.name = "bpfo", .type = PropertyType::number, .sentence = "Outer race strikes per shaft turn.", .least = 1e-3},
       {.name = "bpfi", .type = PropertyType::number, .sentence = "Inner race strikes per shaft turn.", .least = 1e-3},
       {.name = "bsf", .type = PropertyType::number, .sentence = "Turns of a ball per shaft turn.", .least = 1e-3},
       {.name = "ftf", .type = PropertyType::number, .sentence = "Turns of the cage per shaft turn.", .least = 1e-3}}};
  return schema;
}

const Schema& features_schema() {
  static const Property name{.name = "feature", .type = PropertyType::text, .sentence = "A feature."};
  static const Property edge{.name = "edge", .type = PropertyType::frequency, .sentence = "An edge of the band."};
  static const Schema schema{
      "features",
      "Waveform features: gathers records of one signal per asset and gives one row per record.",
      {{.name = "of", .type = PropertyType::text, .sentence = "The waveform.", .required = true},
       {.name = "use",
        .type = PropertyType::list,
        .sentence = "mean, rms, std, peak, peak_to_peak, crest, skewness, kurtosis, shape_factor, impulse_factor, "
                    "clearance_factor, band(low,high), spectral_centroid, dominant_frequency, velocity_rms(low,high), "
                    "envelope(bpfo|bpfi|bsf|ftf). band(500,1500) is called band_500_1500 in other steps, "
                    "envelope(bpfo) envelope_bpfo.",
        .required = true,
        .element = &name},
       {.name = "samples",
        .type = PropertyType::integer,
        .sentence =
            "Samples per record. Longer records part nearer lines and take more memory. Without it, all of `every`.",
        .least = kLeastRecordSamples,
        .most = kMostRecordSamples},
       {.name = "every",
        .type = PropertyType::duration,
        .sentence = "Time from record to record; what lies between is skipped. Without it, record follows on record.",
        .least = 1e6},
       {.name = "rate",
        .type = PropertyType::frequency,
        .sentence = "Sampling rate, where the signal does not declare its own."},
       {.name = "taper",
        .type = PropertyType::choice,
        .sentence = "Weighting before the transform: hann keeps lines narrow, none is exact for what repeats within "
                    "the record.",
        .fallback = "hann",
        .choices = {"hann", "none"}},
       {.name = "bearing", .type = PropertyType::object, .sentence = "For envelope(…).", .fields = &bearing_schema()},
       {.name = "speed",
        .type = PropertyType::text,
        .sentence = "Shaft speed for envelope(…): 1797rpm, 29.95Hz or a signal."},
       {.name = "envelope_band",
        .type = PropertyType::list,
        .sentence = "The resonance that the envelope is taken of, as [low, high]. Without it, a twelfth to five "
                    "twelfths of the rate.",
        .element = &edge},
       {.name = "harmonics",
        .type = PropertyType::integer,
        .sentence = "How many multiples of the bearing frequency envelope(…) adds up.",
        .fallback = "3",
        .least = 1,
        .most = 10},
       {.name = "slip",
        .type = PropertyType::number,
        .sentence = "How far beside its computed place a bearing line may lie, relative. Wider takes in neighbours: 3 "
                    "bsf lies 1.4 % beside 2 bpfo.",
        .fallback = "0.01",
        .least = 0,
        .most = 0.1},
       {.name = "max_bad",
        .type = PropertyType::number,
        .sentence = "Share of bad samples up to which they are bridged and the record is uncertain; above, it is bad "
                    "and has no values.",
        .fallback = "0.01",
        .least = 0,
        .most = 0.5},
       {.name = "max_gap",
        .type = PropertyType::duration,
        .sentence = "A longer pause between samples begins a new record. Without it, three sample periods or a "
                    "fiftieth of the record."}}};
  return schema;
}

template <typename T>
Result<T> placed(Result<T>&& result, const Where& where) {
  if (!result) result.error().where = where;
  return std::move(result);
}

Result<BearingRatios> read_bearing(const Options& options) {
  const Node* node = options.node("bearing");
  if (node == nullptr || node->is_null())
    return bad_input_at(
        options.where("use"), "envelope(…) needs `bearing`",
        "write bearing: {balls: 9, ball_diameter: 7.94, pitch_diameter: 39.04} or its ratios bpfo, bpfi, bsf, ftf");
  const Options bearing(*node, bearing_schema());
  const bool geometry = bearing.has("balls") && bearing.has("ball_diameter") && bearing.has("pitch_diameter");
  const bool ratios = bearing.has("bpfo") && bearing.has("bpfi") && bearing.has("bsf") && bearing.has("ftf");
  if (geometry == ratios)
    return bad_input_at(
        node->where,
        "a bearing is given by balls, ball_diameter and pitch_diameter, or by all of bpfo, bpfi, bsf and ftf");
  if (ratios)
    return BearingRatios{
        {bearing.number("bpfo"), bearing.number("bpfi"), bearing.number("bsf"), bearing.number("ftf")}};
  const double ball = bearing.number("ball_diameter"), pitch = bearing.number("pitch_diameter");
  if (ball >= pitch)
    return bad_input_at(node->where, fmt::format("a ball of {:g} does not fit a pitch circle of {:g}", ball, pitch));
  return BearingRatios::from_geometry(static_cast<int>(bearing.integer("balls")), ball, pitch, bearing.number("angle"));
}

Status read_record_size(const Options& options, const ValueInfo& signal, FeaturePlan& plan, RecordRules& rules) {
  plan.rate_hz = options.has("rate") ? options.frequency("rate") : signal.rate_hz;
  rules.every = options.duration("every");
  if (options.has("samples")) {
    plan.samples = static_cast<std::size_t>(options.integer("samples"));
  } else if (rules.every > 0 && plan.rate_hz > 0) {
    const double samples = std::floor(plan.rate_hz * static_cast<double>(rules.every) * 1e-9 + 1e-6);
    if (samples < kLeastRecordSamples || samples > kMostRecordSamples)
      return bad_input_at(
          options.where("every"),
          fmt::format("{} at {:g}Hz are {:.0f} samples a record", format_duration(rules.every), plan.rate_hz, samples),
          fmt::format("{} to {} are allowed; give `samples` beside `every`", kLeastRecordSamples, kMostRecordSamples));
    plan.samples = static_cast<std::size_t>(samples);
    rules.every = 0;  // record follows on record
  } else {
    return bad_input_at(options.where("of"),
                        "how long a record is follows from `samples`, or from `every` and the signal's rate",
                        "write samples: 2560, or declare the rate of the signal");
  }
  const double record_s = plan.rate_hz > 0 ? static_cast<double>(plan.samples) / plan.rate_hz : 0;
  if (rules.every > 0 && static_cast<double>(rules.every) * 1e-9 < record_s * (1 - 1e-9))
    return bad_input_at(options.where("every"),
                        fmt::format("a record of {} samples lasts {:g}s, longer than `every`", plan.samples, record_s));
  if (options.has("max_gap"))
    rules.max_gap = options.duration("max_gap");
  else if (plan.rate_hz > 0)
    rules.max_gap = static_cast<Nanos>(std::max(3 / plan.rate_hz, record_s / 50) * 1e9);
  return {};
}

Status read_envelope_band(const Options& options, FeaturePlan& plan) {
  plan.envelope_low_hz = plan.rate_hz / 12;
  plan.envelope_high_hz = plan.rate_hz * 5 / 12;
  if (!options.has("envelope_band")) return {};
  const std::vector<std::string> edges = options.texts("envelope_band");
  if (edges.size() != 2)
    return bad_input_at(options.where("envelope_band"), "envelope_band has two edges, as in [1kHz, 5kHz]");
  plan.envelope_low_hz = parse_frequency(edges[0]).value_or(0);
  plan.envelope_high_hz = parse_frequency(edges[1]).value_or(0);
  if (!(plan.envelope_low_hz < plan.envelope_high_hz) || plan.envelope_high_hz > plan.rate_hz / 2)
    return bad_input_at(options.where("envelope_band"),
                        fmt::format("envelope_band must rise and stay below {:g}Hz, half the rate", plan.rate_hz / 2));
  return {};
}

// What every spectral feature needs, and the unit of its output.
Status check_feature(const Feature& feature, const FeaturePlan& plan, const ValueInfo& signal, const Where& where) {
  const bool spectral = feature.kind >= FeatureKind::band;
  if (spectral && !(plan.rate_hz > 0))
    return bad_input_at(where, fmt::format("{} needs to know the rate of '{}'", feature.name, signal.name),
                        "write rate: 6400Hz, in the step or at the signal");
  if (feature.high_hz > plan.rate_hz / 2)
    return bad_input_at(where, fmt::format("{} reaches above {:g}Hz, half the rate of '{}'", feature.name,
                                           plan.rate_hz / 2, signal.name));
  const Unit acceleration = Unit::parse("m/s2").value_or(Unit{});
  if (feature.kind == FeatureKind::velocity_rms && !signal.unit.same_dimension(acceleration))
    return bad_input_at(
        where,
        fmt::format("velocity_rms integrates an acceleration; '{}' has unit '{}'", signal.name, signal.unit.text()),
        "declare the signal's unit (m/s2, mm/s2, gn), or take band(…) of a velocity");
  const double resolution = plan.rate_hz / static_cast<double>(fast_even_size_below(plan.samples));
  if (feature.high_hz > 0 && feature.high_hz - feature.low_hz < resolution)
    return bad_input_at(where,
                        fmt::format("{} is narrower than one line of the spectrum, {:g}Hz", feature.name, resolution),
                        "use more samples per record");
  return {};
}

Unit unit_of(const Feature& feature, const Unit& signal) {
  switch (feature.kind) {
    case FeatureKind::mean:
    case FeatureKind::rms:
    case FeatureKind::std:
    case FeatureKind::peak:
    case FeatureKind::peak_to_peak:
      return signal;
    case FeatureKind::band:
    case FeatureKind::envelope:
      return signal.power(2);
    case FeatureKind::spectral_centroid:
    case FeatureKind::dominant_frequency:
      return Unit::parse("Hz").value_or(Unit{});
    case FeatureKind::velocity_rms:
      return Unit::parse("mm/s").value_or(Unit{});
    default:
      return Unit{};
  }
}

// The factor from a signal's value to turns per second.
Result<double> speed_factor(const ValueInfo& speed, const Where& where) {
  if (speed.unit.same_dimension(Unit::parse("rpm").value_or(Unit{})))
    return speed.unit.scale() / (2 * std::numbers::pi);
  if (speed.unit.same_dimension(Unit::parse("Hz").value_or(Unit{}))) return speed.unit.scale();
  return bad_input_at(
      where, fmt::format("speed: '{}' has unit '{}', which is none of rotation", speed.name, speed.unit.text()),
      "declare it in rpm, Hz or rad/s");
}

void warn_about_envelope(const FeaturePlan& plan, double shaft_hz, const Where& where, std::vector<Error>& warnings) {
  const double resolution = plan.rate_hz / static_cast<double>(fast_even_size_below(plan.samples));
  for (const Feature& feature : plan.features) {
    if (feature.kind != FeatureKind::envelope) continue;
    const double hz = plan.bearing.of(feature.line) * shaft_hz;
    if (hz < 2 * resolution)
      warnings.push_back(
          {ErrorKind::bad_input,
           fmt::format("{}: {:.4g}Hz is hardly parted from 0 by lines of {:.4g}Hz", feature.name, hz, resolution),
           where, "use more samples per record"});
    if (hz > plan.envelope_high_hz - plan.envelope_low_hz)
      warnings.push_back(
          {ErrorKind::bad_input,
           fmt::format("{}: {:.4g}Hz lies beyond the width of the envelope's band, it is always 0", feature.name, hz),
           where, "widen envelope_band"});
  }
}

class FeaturesKind final : public OperatorKind {
 public:
  [[nodiscard]] std::string_view key() const override { return "features"; }
  [[nodiscard]] const Schema& schema() const override { return features_schema(); }

  Result<std::vector<std::string>> inputs(const Node& node) const override {
    const Options options(node, schema());
    std::vector<std::string> names{options.text("of")};
    if (!options.has("speed")) return names;
    ALARA_TRY(const auto constant, placed(parse_shaft_speed(options.text("speed")), options.where("speed")));
    if (!constant) names.push_back(std::string(trim(options.text("speed"))));
    return names;
  }

  Result<Made> make(const Node& node, std::span<const ValueInfo> inputs,
                    const OperatorContext& context) const override {
    const Options options(node, schema());
    const ValueInfo& signal = inputs[0];
    FeaturePlan plan;
    RecordRules rules;
    ALARA_TRY(plan.features, placed(parse_features(options.texts("use")), options.where("use")));
    if (plan.features.empty()) return bad_input_at(options.where("use"), "use: no feature is asked for");
    ALARA_CHECK(read_record_size(options, signal, plan, rules));
    for (const Feature& feature : plan.features)
      ALARA_CHECK(check_feature(feature, plan, signal, options.where("use")));
    plan.taper = options.text("taper") == "none" ? Taper::none : Taper::hann;
    plan.velocity_scale = signal.unit.scale() * 1e3;
    rules.max_bad = options.number("max_bad");

    Made made;
    const bool envelope = std::any_of(plan.features.begin(), plan.features.end(),
                                      [](const Feature& feature) { return feature.kind == FeatureKind::envelope; });
    if (envelope) ALARA_CHECK(read_envelope(options, inputs, plan, rules, made.warnings));
    if (const std::size_t fast = fast_even_size_below(plan.samples); plan.rate_hz > 0 && fast != plan.samples)
      made.warnings.push_back({ErrorKind::bad_input,
                               fmt::format("spectra use the last {} of {} samples", fast, plan.samples),
                               options.where("samples"), "an even number with no prime factor above 5 uses all"});
    for (const Feature& feature : plan.features)
      made.outputs.push_back({feature.name, unit_of(feature, signal.unit), 0, false});
    auto code = std::make_unique<RecordOperator>(plan, rules, context.assets.size());
    made.memory_bound = code->memory_bytes();
    made.code = std::move(code);
    return made;
  }

 private:
  static Status read_envelope(const Options& options, std::span<const ValueInfo> inputs, FeaturePlan& plan,
                              RecordRules& rules, std::vector<Error>& warnings) {
    ALARA_TRY(plan.bearing, read_bearing(options));
    ALARA_CHECK(read_envelope_band(options, plan));
    plan.harmonics = static_cast<int>(options.integer("harmonics"));
    plan.slip = options.number("slip");
    if (!options.has("speed"))
      return bad_input_at(options.where("use"), "envelope(…) needs the shaft's `speed`",
                          "write speed: 1797rpm, or the name of a signal");
    if (inputs.size() > 1) {
      ALARA_TRY(rules.speed_factor, speed_factor(inputs[1], options.where("speed")));
      rules.speed = RecordRules::Speed::signal;
      return {};
    }
    ALARA_TRY(const auto constant, parse_shaft_speed(options.text("speed")));
    rules.speed = RecordRules::Speed::constant;
    rules.shaft_hz = constant.value_or(0);
    warn_about_envelope(plan, rules.shaft_hz, options.where("use"), warnings);
    return {};
  }
};

}  // namespace

Result<std::optional<double>> parse_shaft_speed(std::string_view text) {
  const std::string_view word = trim(text);
  if (word.empty() || (word.front() != '-' && word.front() != '.' && (word.front() < '0' || word.front() > '9')))
    return std::optional<double>{};
  Result<double> turns = parse_frequency(word);
  if (word.size() > 3 && word.ends_with("rpm"))
    turns = parse_number(trim(word.substr(0, word.size() - 3))).map([](double rpm) { return rpm / 60; });
  if (!turns || !(*turns > 0))
    return tl::unexpected<Error>(Error{ErrorKind::bad_input,
                                       fmt::format("speed: '{}' is not a speed of rotation", word),
                                       {},
                                       "write 1797rpm, 29.95Hz or the name of a signal"});
  return std::optional<double>{*turns};
}

const OperatorKind& features_kind() {
  static const FeaturesKind kind;
  return kind;
}

}  // namespace alara::flow
