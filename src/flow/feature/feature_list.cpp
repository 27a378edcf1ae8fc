// SPDX-License-Identifier: Apache-2.0
#include "flow/feature/feature_list.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/quantity.hpp"
#include "base/text.hpp"

namespace alara::flow {
namespace {

constexpr std::array<std::string_view, 16> kNames{"mean",
                                                  "rms",
                                                  "std",
                                                  "peak",
                                                  "peak_to_peak",
                                                  "crest",
                                                  "skewness",
                                                  "kurtosis",
                                                  "shape_factor",
                                                  "impulse_factor",
                                                  "clearance_factor",
                                                  "band",
                                                  "spectral_centroid",
                                                  "dominant_frequency",
                                                  "velocity_rms",
                                                  "envelope"};
constexpr std::size_t kMaxFeatureText = 80;

bool takes_band(FeatureKind kind) { return kind == FeatureKind::band || kind == FeatureKind::velocity_rms; }

tl::unexpected<Error> refuse(std::string message, std::string hint) {
  return tl::unexpected<Error>(Error{ErrorKind::bad_input, std::move(message), {}, std::move(hint)});
}

// "500", "500Hz" or "0.5kHz".
Result<double> parse_hertz(std::string_view text) {
  if (const Result<double> number = parse_number(text); number && *number >= 0) return *number;
  return parse_frequency(text);
}

std::string name_part(double hertz) {
  std::string out = fmt::format("{:g}", hertz);
  std::replace(out.begin(), out.end(), '.', 'p');
  std::erase(out, '+');
  std::replace(out.begin(), out.end(), '-', 'm');
  return out;
}

Status read_band(Feature& feature, std::string_view written, const std::vector<std::string_view>& arguments) {
  const std::string hint = fmt::format("write {}(10,1000): two frequencies in Hz, the lower first",
                                       kNames[static_cast<std::size_t>(feature.kind)]);
  if (arguments.size() != 2) return refuse(fmt::format("'{}' does not name a band", written), hint);
  const Result<double> low = parse_hertz(arguments[0]), high = parse_hertz(arguments[1]);
  if (!low || !high || !(*low < *high)) return refuse(fmt::format("'{}' does not name a band", written), hint);
  if (feature.kind == FeatureKind::velocity_rms && *low == 0)
    return refuse(fmt::format("'{}' integrates down to 0 Hz, where the velocity is unbounded", written), hint);
  feature.low_hz = *low;
  feature.high_hz = *high;
  feature.name += fmt::format("_{}_{}", name_part(*low), name_part(*high));
  return {};
}

Status read_line(Feature& feature, std::string_view written, const std::vector<std::string_view>& arguments) {
  const std::string_view word = arguments.size() == 1 ? arguments[0] : std::string_view{};
  const auto found = std::find(kBearingLineNames.begin(), kBearingLineNames.end(), word);
  if (found == kBearingLineNames.end())
    return refuse(fmt::format("'{}' does not name a bearing frequency", written),
                  "write envelope(bpfo), envelope(bpfi), envelope(bsf) or envelope(ftf)");
  feature.line = static_cast<BearingLine>(found - kBearingLineNames.begin());
  feature.name += fmt::format("_{}", word);
  return {};
}

}  // namespace

Result<Feature> parse_feature(std::string_view text) {
  const std::string_view written = trim(text);
  if (written.size() > kMaxFeatureText) return refuse("a feature's name is over 80 letters long", "");
  const std::size_t open = written.find('(');
  const std::string_view word = trim(written.substr(0, open));
  std::vector<std::string_view> arguments;
  if (open != std::string_view::npos) {
    if (written.back() != ')') return refuse(fmt::format("'{}' lacks its closing ')'", written), "");
    for (const std::string_view part : split(written.substr(open + 1, written.size() - open - 2), ','))
      arguments.push_back(trim(part));
  }
  const auto found = std::find(kNames.begin(), kNames.end(), word);
  if (found == kNames.end()) {
    const std::string guess = nearest(word, std::span<const std::string_view>(kNames));
    return refuse(
        fmt::format("'{}' is not a waveform feature", written),
        guess.empty() ? fmt::format("allowed are {}", enumerate(kNames)) : fmt::format("did you mean '{}'?", guess));
  }
  Feature feature;
  feature.kind = static_cast<FeatureKind>(found - kNames.begin());
  feature.name = *found;
  if (takes_band(feature.kind)) {
    ALARA_CHECK(read_band(feature, written, arguments));
  } else if (feature.kind == FeatureKind::envelope) {
    ALARA_CHECK(read_line(feature, written, arguments));
  } else if (!arguments.empty()) {
    return refuse(fmt::format("'{}': {} takes nothing in parentheses", written, word), "");
  }
  return feature;
}

Result<std::vector<Feature>> parse_features(std::span<const std::string> texts) {
  std::vector<Feature> out;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string whole = texts[i];
    while (whole.find('(') != std::string::npos && whole.find(')') == std::string::npos && i + 1 < texts.size() &&
           whole.size() <= kMaxFeatureText)
      whole += "," + texts[++i];
    ALARA_TRY(Feature feature, parse_feature(whole));
    for (const Feature& other : out)
      if (other.name == feature.name) return refuse(fmt::format("'{}' is asked for twice", whole), "");
    if (out.size() == kMaxFeatures) return refuse(fmt::format("more than {} features in one step", kMaxFeatures), "");
    out.push_back(std::move(feature));
  }
  return out;
}

BearingRatios BearingRatios::from_geometry(int balls, double ball_diameter, double pitch_diameter,
                                           double angle_degrees) {
  const double z = balls;
  const double r = ball_diameter / pitch_diameter * std::cos(angle_degrees * std::numbers::pi / 180);
  return {{z / 2 * (1 - r), z / 2 * (1 + r), pitch_diameter / (2 * ball_diameter) * (1 - r * r), (1 - r) / 2}};
}

}  // namespace alara::flow
