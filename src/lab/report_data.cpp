// SPDX-License-Identifier: Apache-2.0
#include "lab/report_data.hpp"

#include <algorithm>
#include <cmath>

namespace alara::lab {
namespace {

using nlohmann::ordered_json;

constexpr double kSlower = 1.02;         // measured times are not exact
constexpr double kPointsToWarnOf = 1.0;  // of accuracy
constexpr std::size_t kMaxEpochs = 100'000;

template <typename T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

bool adds_bytes_fast(const std::vector<std::string>& features) {
  return std::any_of(features.begin(), features.end(), [](const std::string& feature) {
    return feature.find("vnni") != std::string::npos || feature.find("dotprod") != std::string::npos;
  });
}

ordered_json variant_json(const VariantReport& variant) {
  ordered_json values = ordered_json::array();
  for (const ValueError& value : variant.values)
    values.push_back({{"value", value.value},
                      {"operator", value.op},
                      {"sqnr_db", value.sqnr_db},
                      {"cosine", value.cosine},
                      {"largest_error", value.largest_error}});
  return {{"name", variant.name},
          {"file", variant.file},
          {"bytes", variant.bytes},
          {"packed_bytes", variant.packed_bytes},
          {"packed_with", "zlib, level 9"},
          {"nodes", variant.nodes},
          {"macs", variant.macs},
          {"parameters", variant.parameters},
          {"peak_activation_bytes", variant.peak_activation_bytes},
          {"weight_bytes", variant.weight_bytes},
          {"zero_share", variant.zero_share},
          {"accuracy", or_null(variant.accuracy)},
          {"same_answer", or_null(variant.same_answer)},
          {"sqnr_db", or_null(variant.sqnr_db)},
          {"cosine", or_null(variant.cosine)},
          {"not_finite", variant.not_finite},
          {"values", values}};
}

}  // namespace

std::vector<std::string> Report::warnings() const {
  std::vector<std::string> out;
  if (variants.empty()) return out;
  const VariantReport& original = variants.front();
  for (std::size_t i = 1; i < variants.size(); ++i) {
    const VariantReport& variant = variants[i];
    if (variant.measured.p50_ms > original.measured.p50_ms * kSlower && original.measured.p50_ms > 0) {
      const bool lacks = variant.integer && !adds_bytes_fast(cpu_features);
      out.push_back(fmt::format("{} is slower here than {}: {:.3g} ms against {:.3g} ms (p50). {}", variant.name,
                                original.name, variant.measured.p50_ms, original.measured.p50_ms,
                                lacks
                                    ? "This processor has no instruction that adds 8-bit products (VNNI), so integers "
                                      "save memory but little time; run the float model here."
                                    : "Run the float model here if time is what counts."));
    }
    for (const std::string& output : variant.not_finite)
      out.push_back(
          fmt::format("output '{}' of {} can not be compared: it has NaN or infinite numbers that {} has not, "
                      "or the other way round.",
                      output, variant.name, original.name));
    if (variant.accuracy && original.accuracy && *original.accuracy - *variant.accuracy > kPointsToWarnOf)
      out.push_back(fmt::format("{} loses {:.2f} points of accuracy: {:.2f} % against {:.2f} %.", variant.name,
                                *original.accuracy - *variant.accuracy, *variant.accuracy, *original.accuracy));
  }
  return out;
}

ordered_json Report::json() const {
  ordered_json lasting{{"title", title}, {"data", data}, {"samples", samples}};
  lasting["variants"] = ordered_json::array();
  ordered_json times = ordered_json::array();
  for (const VariantReport& variant : variants) {
    lasting["variants"].push_back(variant_json(variant));
    times.push_back({{"name", variant.name},
                     {"p50_ms", variant.measured.p50_ms},
                     {"p95_ms", variant.measured.p95_ms},
                     {"resident_mb", or_null(variant.measured.resident_mb)}});
  }
  lasting["curves"] = ordered_json::array();
  for (const Curve& curve : curves) lasting["curves"].push_back({{"name", curve.name}, {"series", curve.series}});
  return {{"report", lasting},
          {"measured",
           {{"cpu", cpu},
            {"cpu_features", cpu_features},
            {"runtime", runtime},
            {"threads", 1},
            {"runs", runs},
            {"variants", times},
            {"warnings", warnings()}}}};
}

Result<Curve> parse_curve(std::string name, std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  const auto wrong = [&](std::string_view what) {
    return fail(ErrorKind::bad_input, "learning curve '{}' {}", name, what);
  };
  if (json.is_discarded()) return wrong("is no JSON");
  const auto& epochs = json.is_object() && json.contains("curve") ? json["curve"] : json;
  if (!epochs.is_array() || epochs.empty()) return wrong("has no list of epochs");
  if (epochs.size() > kMaxEpochs) return wrong("is too long");
  Curve out{std::move(name), {}};
  for (const auto& epoch : epochs) {
    if (!epoch.is_object()) return fail(ErrorKind::bad_input, "an epoch of learning curve '{}' is no object", out.name);
    for (const auto& [key, value] : epoch.items())
      if (value.is_number() && key != "epoch") out.series[key].push_back(value.get<double>());
  }
  // Series that some epochs lack can not be drawn over the same axis.
  std::erase_if(out.series, [&](const auto& entry) { return entry.second.size() != epochs.size(); });
  return out;
}

}  // namespace alara::lab
