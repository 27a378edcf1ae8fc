// SPDX-License-Identifier: Apache-2.0
#include "flow/feature/filter.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/quantity.hpp"
#include "base/text.hpp"
#include "flow/feature/compress.hpp"
#include "flow/feature/filter_operators.hpp"

namespace alara::flow {
namespace {

constexpr std::array<std::string_view, 8> kFilters{"lowpass",  "highpass", "bandpass", "notch",
                                                   "decimate", "median",   "deadband", "swinging_door"};

const Schema& filter_schema() {
  static const Property edge{.name = "edge", .type = PropertyType::frequency, .sentence = "An edge of the band."};
  static const Schema schema{
      "filter",
      "One filter over one signal: exactly one of lowpass, highpass, bandpass, notch, decimate, median, deadband and "
      "swinging_door.",
      {{.name = "of", .type = PropertyType::text, .sentence = "The signal.", .required = true},
       {.name = "lowpass",
        .type = PropertyType::frequency,
        .sentence = "Butterworth; half the power is left at this frequency."},
       {.name = "highpass",
        .type = PropertyType::frequency,
        .sentence = "Butterworth; half the power is left at this frequency."},
       {.name = "bandpass",
        .type = PropertyType::list,
        .sentence = "[low, high]: a Butterworth high-pass at low and a low-pass at high, each of `order`.",
        .element = &edge},
       {.name = "notch",
        .type = PropertyType::frequency,
        .sentence = "Takes one frequency out, of a width of frequency / q."},
       {.name = "order",
        .type = PropertyType::integer,
        .sentence = "Steepness of lowpass, highpass and bandpass: 6 dB per octave each. Higher delays more.",
        .fallback = "2",
        .least = 1,
        .most = 8},
       {.name = "q",
        .type = PropertyType::number,
        .sentence = "Sharpness of a notch. Sharper rings longer.",
        .fallback = "30",
        .least = 0.5,
        .most = 1000},
       {.name = "decimate",
        .type = PropertyType::integer,
        .sentence = "Keeps every n-th sample, after a linear-phase low-pass that stops by 80 dB what would fold back "
                    "below 0.8 of the new half "
                    "rate. Delays by about 12.6 new samples.",
        .least = 2,
        .most = 256},
       {.name = "median",
        .type = PropertyType::integer,
        .sentence = "Median of this many last samples, odd: takes out spikes, keeps edges.",
        .least = 3,
        .most = static_cast<double>(MedianOperator::kMostSamples)},
       {.name = "deadband",
        .type = PropertyType::text,
        .sentence = "Passes a sample only when it differs from the last one passed by more than this: an amount in the "
                    "signal's unit, or 1% "
                    "of the last one. Holding the last row is never further off."},
       {.name = "swinging_door",
        .type = PropertyType::number,
        .sentence =
            "Keeps the corners of a polyline that passes every good sample within this amount, in the signal's unit.",
        .least = 0},
       {.name = "max_interval",
        .type = PropertyType::duration,
        .sentence = "With deadband and swinging_door: a row at least this often while samples come. Without it, only "
                    "when something changes.",
        .least = 1e6},
       {.name = "rate",
        .type = PropertyType::frequency,
        .sentence = "Sampling rate, where the signal does not declare its own."},
       {.name = "max_gap",
        .type = PropertyType::duration,
        .sentence = "After a longer pause a filter begins anew on its first sample. Without it, 20 sample periods."}}};
  return schema;
}

Result<std::string_view> chosen_filter(const Options& options) {
  std::vector<std::string_view> chosen;
  for (const std::string_view name : kFilters)
    if (options.has(name)) chosen.push_back(name);
  if (chosen.size() == 1) return chosen[0];
  const Where where = chosen.empty() ? options.where("of") : options.where(chosen[1]);
  return bad_input_at(
      where, chosen.empty() ? "no filter is asked for" : fmt::format("{} are asked for in one step", enumerate(chosen)),
      fmt::format("give one of {}; several are several steps", enumerate(kFilters)));
}

// Options that the chosen filter does not look at are mistakes.
Status check_companions(const Options& options, std::string_view filter) {
  struct Companion {
    std::string_view option;
    std::vector<std::string_view> filters;
  };
  const std::array<Companion, 5> companions{{{"order", {"lowpass", "highpass", "bandpass"}},
                                             {"q", {"notch"}},
                                             {"max_interval", {"deadband", "swinging_door"}},
                                             {"rate", {"lowpass", "highpass", "bandpass", "notch", "decimate"}},
                                             {"max_gap", {"lowpass", "highpass", "bandpass", "notch", "decimate"}}}};
  for (const Companion& companion : companions)
    if (options.has(companion.option) &&
        std::find(companion.filters.begin(), companion.filters.end(), filter) == companion.filters.end())
      return bad_input_at(options.where(companion.option),
                          fmt::format("`{}` has no meaning for {}", companion.option, filter),
                          fmt::format("it goes with {}", enumerate(companion.filters)));
  return {};
}

struct Sampling {
  double rate_hz = 0;
  Nanos max_gap = 0;
};

Result<Sampling> sampling_of(const Options& options, const ValueInfo& signal, std::string_view filter) {
  const double rate_hz = options.has("rate") ? options.frequency("rate") : signal.rate_hz;
  if (!(rate_hz > 0))
    return bad_input_at(options.where(filter), fmt::format("{} needs to know the rate of '{}'", filter, signal.name),
                        "write rate: 100Hz, in the step or at the signal");
  const Nanos max_gap =
      options.has("max_gap") ? options.duration("max_gap") : static_cast<Nanos>(std::min(20e9 / rate_hz, 9e18));
  return Sampling{rate_hz, max_gap};
}

Status check_corner(double hz, const Sampling& sampling, const Where& where) {
  // Below a millionth of the rate the coefficients run out of digits.
  if (hz >= sampling.rate_hz / 2 || hz < sampling.rate_hz * 1e-6)
    return bad_input_at(where, fmt::format("{:g}Hz can not be filtered at a rate of {:g}Hz", hz, sampling.rate_hz),
                        fmt::format("{:g}Hz up to below {:g}Hz can", sampling.rate_hz * 1e-6, sampling.rate_hz / 2));
  return {};
}

Result<std::vector<Section>> bandpass_sections(const Options& options, const Sampling& sampling,
                                               std::vector<Error>& warnings) {
  const std::vector<std::string> edges = options.texts("bandpass");
  const Where where = options.where("bandpass");
  if (edges.size() != 2) return bad_input_at(where, "bandpass has two edges, as in [10Hz, 1kHz]");
  const double low = parse_frequency(edges[0]).value_or(0), high = parse_frequency(edges[1]).value_or(0);
  ALARA_CHECK(check_corner(low, sampling, where));
  ALARA_CHECK(check_corner(high, sampling, where));
  if (!(low < high)) return bad_input_at(where, "bandpass: the lower edge comes first");
  const int order = static_cast<int>(options.integer("order"));
  std::vector<Section> sections = butterworth_highpass(order, low, sampling.rate_hz);
  for (const Section& section : butterworth_lowpass(order, high, sampling.rate_hz)) sections.push_back(section);
  if (const double gain = std::abs(response(sections, std::sqrt(low * high), sampling.rate_hz)); gain < 0.9)
    warnings.push_back(
        {ErrorKind::bad_input,
         fmt::format("bandpass: the edges are so close that only {:.2f} of the amplitude passes in the middle", gain),
         where, "put them further apart or raise `order`"});
  return sections;
}

Result<std::vector<Section>> sections_of(const Options& options, std::string_view filter, const Sampling& sampling,
                                         std::vector<Error>& warnings) {
  if (filter == "bandpass") return bandpass_sections(options, sampling, warnings);
  const double hz = options.frequency(filter);
  ALARA_CHECK(check_corner(hz, sampling, options.where(filter)));
  if (filter == "notch") return std::vector<Section>{notch(hz, options.number("q"), sampling.rate_hz)};
  const int order = static_cast<int>(options.integer("order"));
  return filter == "lowpass" ? butterworth_lowpass(order, hz, sampling.rate_hz)
                             : butterworth_highpass(order, hz, sampling.rate_hz);
}

Result<DeadbandRules> deadband_of(const Options& options) {
  DeadbandRules rules;
  const std::string text = options.text("deadband");
  std::string_view number = trim(text);
  const bool percent = number.ends_with('%');
  if (percent) number = trim(number.substr(0, number.size() - 1));
  const Result<double> amount = parse_number(number);
  if (!amount || *amount < 0)
    return bad_input_at(options.where("deadband"), fmt::format("deadband: '{}' is not an amount", text),
                        "write 0.5 (in the signal's unit) or 1%");
  (percent ? rules.relative : rules.absolute) = percent ? *amount / 100 : *amount;
  if (options.has("max_interval")) rules.max_interval = options.duration("max_interval");
  return rules;
}

class FilterKind final : public OperatorKind {
 public:
  [[nodiscard]] std::string_view key() const override { return "filter"; }
  [[nodiscard]] const Schema& schema() const override { return filter_schema(); }

  Result<std::vector<std::string>> inputs(const Node& node) const override {
    return std::vector<std::string>{Options(node, schema()).text("of")};
  }

  Result<Made> make(const Node& node, std::span<const ValueInfo> inputs,
                    const OperatorContext& context) const override {
    const Options options(node, schema());
    ALARA_TRY(const std::string_view filter, chosen_filter(options));
    ALARA_CHECK(check_companions(options, filter));
    Made made;
    double rate_hz = inputs[0].rate_hz;
    ALARA_TRY(made.code, build(options, filter, inputs[0], context.assets.size(), rate_hz, made.warnings));
    made.outputs.push_back({"", inputs[0].unit, rate_hz, false});
    made.memory_bound = made.code->memory_bytes();
    return made;
  }

 private:
  static Result<std::unique_ptr<Operator>> build(const Options& options, std::string_view filter,
                                                 const ValueInfo& signal, std::size_t slots, double& rate_hz,
                                                 std::vector<Error>& warnings) {
    if (filter == "median") {
      const auto size = static_cast<std::size_t>(options.integer("median"));
      if (size % 2 == 0)
        return bad_input_at(options.where("median"), fmt::format("median: {} is even", size),
                            "3, 5, 7 … have a middle");
      return std::make_unique<MedianOperator>(size, slots);
    }
    if (filter == "deadband" || filter == "swinging_door") rate_hz = 0;  // rows come when something happens
    if (filter == "deadband") {
      ALARA_TRY(const DeadbandRules rules, deadband_of(options));
      return std::make_unique<DeadbandOperator>(rules, slots);
    }
    if (filter == "swinging_door")
      return std::make_unique<SwingingDoorOperator>(
          options.number("swinging_door"), options.has("max_interval") ? options.duration("max_interval") : kNever,
          slots);
    ALARA_TRY(const Sampling sampling, sampling_of(options, signal, filter));
    rate_hz = sampling.rate_hz;
    if (filter == "decimate") {
      const auto factor = static_cast<int>(options.integer("decimate"));
      rate_hz /= factor;
      return std::make_unique<DecimateOperator>(factor, sampling.max_gap, slots);
    }
    ALARA_TRY(std::vector<Section> sections, sections_of(options, filter, sampling, warnings));
    return std::make_unique<CascadeOperator>(std::move(sections), sampling.max_gap, slots);
  }
};

}  // namespace

const OperatorKind& filter_kind() {
  static const FilterKind kind;
  return kind;
}

}  // namespace alara::flow
