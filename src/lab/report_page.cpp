// SPDX-License-Identifier: Apache-2.0
#include "lab/report_page.hpp"

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "lab/curve_picture.hpp"
#include "lab/text_table.hpp"

namespace alara::lab {
namespace {

constexpr double kIdenticalDb = 199.9;

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--ink:#1a2230;--soft:#5b6677;--paper:#fbfbfa;--card:#fff;--rule:#dfe3e8;
--good:#12794a;--bad:#b3261e;--warn:#fff4dc;--warn-ink:#6b4a00;--bar:#9db9e0;--line-1:#2463b8;
--line-2:#d2691e;--line-3:#12794a;--line-4:#8a3ffc;--line-5:#b3261e;--line-6:#5b6677}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#9aa5b4;--paper:#14181f;--card:#1b2129;
--rule:#2e3744;--good:#58c78f;--bad:#ff8a80;--warn:#3a2f12;--warn-ink:#ffdf9e;--bar:#35598f;--line-1:#7fb0f5;
--line-2:#ffae70;--line-3:#58c78f;--line-4:#c9a4ff;--line-5:#ff8a80;--line-6:#9aa5b4}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}main{max-width:1120px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:26px;margin:0 0 2px}h2{font-size:18px;margin:34px 0 10px}
p{margin:6px 0}.soft{color:var(--soft)}.scroll{overflow-x:auto;background:var(--card);
border:1px solid var(--rule);border-radius:8px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:7px 12px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule)}
tr:last-child td{border-bottom:0}th{font-weight:600;color:var(--soft);font-size:13px;vertical-align:bottom}
th:first-child,td:first-child,td.text,th.text{text-align:left}
td.name{font-weight:600}td.name small{font-weight:400}
.meter{display:block;height:3px;margin-top:4px;background:var(--rule);border-radius:2px}
.meter i{display:block;height:3px;background:var(--line-1);border-radius:2px}
td small{display:block;color:var(--soft);font-size:12px;line-height:1.25}
.good{color:var(--good)}.bad{color:var(--bad)}
.warning{background:var(--warn);color:var(--warn-ink);border-radius:8px;padding:10px 14px;margin:10px 0}
.bar{position:relative;min-width:130px;text-align:right}
.bar i{position:absolute;left:0;top:5px;bottom:5px;background:var(--bar);border-radius:3px;opacity:.55}
.bar span{position:relative}details{margin:12px 0}
summary{cursor:pointer;padding:4px 0;font-weight:600}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(340px,1fr));gap:14px}
.chart{width:100%;background:var(--card);border:1px solid var(--rule);border-radius:8px}
.chart text{font:12px system-ui,sans-serif;fill:var(--soft)}
.chart .title{font-weight:600;fill:var(--ink)}
.chart .grid{stroke:var(--rule)}.chart path{fill:none;stroke-width:2;stroke-linejoin:round}
td.wrap{white-space:normal;min-width:180px}td.value{max-width:420px;overflow:hidden;text-overflow:ellipsis}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;margin:0}
dt{color:var(--soft)}dd{margin:0}
)";

std::string cell(const std::string& main, const std::string& below = {}, std::string_view style = {}) {
  const std::string small = below.empty() ? "" : "<small>" + below + "</small>";
  return fmt::format("<td{}>{}{}</td>", style.empty() ? "" : fmt::format(" class=\"{}\"", style), main, small);
}

std::string percent(const std::optional<double>& value) { return value ? fmt::format("{:.2f} %", *value) : "–"; }

bool is_more(double now, double before) { return now > before * 1.02; }
bool is_less(double now, double before) { return now * 1.02 < before; }

// A thin line under a number: how long it is beside the longest of its column.
std::string meter(double part, double whole) {
  const double share = whole > 0 ? std::clamp(part / whole, 0.0, 1.0) : 0;
  return fmt::format("<i class=\"meter\"><i style=\"width:{:.0f}%\"></i></i>", 100 * share);
}

std::string accuracy_cell(const VariantReport& variant, const VariantReport& original) {
  if (!variant.accuracy) return cell("–");
  if (&variant == &original || !original.accuracy) return cell(percent(variant.accuracy));
  const double change = *variant.accuracy - *original.accuracy;
  return cell(percent(variant.accuracy), fmt::format("<span class=\"{}\">{:+.2f} points</span>",
                                                     change < -0.5   ? "bad"
                                                     : change > -0.1 ? "good"
                                                                     : "",
                                                     change));
}

std::string bytes_cell(std::uint64_t bytes, std::uint64_t original, std::uint64_t largest, bool is_original) {
  const auto now = static_cast<double>(bytes);
  const auto before = static_cast<double>(original);
  std::string below = is_original || (!is_more(now, before) && !is_less(now, before)) ? "&nbsp;"
                      : now < before ? fmt::format("{:.2f}× smaller", before / now)
                                     : fmt::format("<span class=\"bad\">{:.2f}× larger</span>", now / before);
  return cell(short_bytes(static_cast<std::int64_t>(bytes)), below + meter(now, static_cast<double>(largest)));
}

std::string speed_cell(const VariantReport& variant, const VariantReport& original, double slowest) {
  const double now = variant.measured.p50_ms;
  const double before = original.measured.p50_ms;
  std::string below = "&nbsp;";
  if (&variant != &original && now > 0 && before > 0)
    below = is_more(now, before)   ? fmt::format("<span class=\"bad\">{:.2f}× slower</span>", now / before)
            : is_less(now, before) ? fmt::format("<span class=\"good\">{:.2f}× faster</span>", before / now)
                                   : "as fast";
  return cell(fmt::format("{:.3g} ms", now), below + meter(now, slowest));
}

std::string closeness_cell(const VariantReport& variant) {
  if (!variant.sqnr_db) return cell("–");
  if (*variant.sqnr_db >= kIdenticalDb) return cell("identical");
  return cell(fmt::format("{:.1f} dB", *variant.sqnr_db), fmt::format("cosine {:.5f}", variant.cosine.value_or(1)));
}

// The largest of a figure over all variants.
template <typename Figure>
auto largest_of(const Report& report, Figure figure) {
  auto largest = figure(report.variants.front());
  for (const VariantReport& variant : report.variants) largest = std::max(largest, figure(variant));
  return largest;
}

std::string name_cell(const VariantReport& variant) {
  return cell(escape_html(variant.name), escape_html(variant.file), "name");
}

std::string table(const std::string& head, const std::string& rows) {
  return "<div class=\"scroll\"><table><tr>" + head + "</tr>\n" + rows + "</table></div>\n";
}

std::string result_table(const Report& report) {
  const VariantReport& original = report.variants.front();
  const auto bytes = largest_of(report, [](const VariantReport& v) { return v.bytes; });
  const auto packed = largest_of(report, [](const VariantReport& v) { return v.packed_bytes; });
  const auto slowest = largest_of(report, [](const VariantReport& v) { return v.measured.p50_ms; });
  std::string rows;
  for (const VariantReport& variant : report.variants) {
    const bool first = &variant == &original;
    rows += "<tr>" + name_cell(variant) + accuracy_cell(variant, original) +
            (first ? cell("–") : cell(percent(variant.same_answer))) + (first ? cell("–") : closeness_cell(variant)) +
            bytes_cell(variant.bytes, original.bytes, bytes, first) +
            bytes_cell(variant.packed_bytes, original.packed_bytes, packed, first) +
            speed_cell(variant, original, slowest) + cell(fmt::format("{:.3g} ms", variant.measured.p95_ms)) +
            "</tr>\n";
  }
  return table(
      "<th>variant</th><th>accuracy</th><th>same answer<br>as float</th><th>output<br>against float</th><th>size</th>"
      "<th>packed</th><th>latency p50</th><th>p95</th>",
      rows);
}

// By type, largest first; what is less than a hundredth of them is left out.
std::string weights_text(const VariantReport& variant) {
  std::vector<std::pair<std::int64_t, std::string>> types;
  std::int64_t all = 0;
  for (const auto& [type, bytes] : variant.weight_bytes) {
    types.emplace_back(bytes, type);
    all += bytes;
  }
  std::sort(types.rbegin(), types.rend());
  std::string out;
  for (const auto& [bytes, type] : types)
    if (bytes * 100 >= all)
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", short_bytes(bytes), escape_html(type));
  return out;
}

std::string make_table(const Report& report) {
  std::string rows;
  for (const VariantReport& variant : report.variants) {
    const auto mb = variant.measured.resident_mb;
    rows += "<tr>" + name_cell(variant) + cell(std::to_string(variant.nodes)) + cell(short_count(variant.macs)) +
            cell(short_count(variant.parameters)) + cell(fmt::format("{:.0f} %", 100 * variant.zero_share)) +
            cell(short_bytes(variant.peak_activation_bytes)) + cell(mb ? fmt::format("{:.1f} MB", *mb) : "–") +
            cell(weights_text(variant), "", "text wrap") + "</tr>\n";
  }
  return table(
      "<th>variant</th><th>nodes</th><th>MACs</th><th>parameters</th><th>zeros among<br>weights</th><th>activations<br>"
      "at once</th><th>resident<br>while running</th><th class=\"text\">constants</th>",
      rows);
}

// Worst first would lose the thread of the network: in its order, with a bar that shows where it drops.
std::string value_table(const VariantReport& variant) {
  std::string rows;
  for (const ValueError& value : variant.values) {
    const double share = std::clamp(value.sqnr_db / 60, 0.0, 1.0);
    const std::string name = escape_html(value.value);
    rows += fmt::format("<tr><td class=\"text value\" title=\"{0}\">{0}</td>", name) +
            cell(escape_html(value.op), "", "text") +
            fmt::format(
                "<td class=\"bar\"><i style=\"width:{:.0f}%\"></i><span{}>{}</span></td>", 100 * share,
                value.sqnr_db < 15 ? " class=\"bad\"" : "",
                value.sqnr_db >= kIdenticalDb ? std::string("identical") : fmt::format("{:.1f} dB", value.sqnr_db)) +
            cell(fmt::format("{:.5f}", value.cosine)) + cell(fmt::format("{:.3g}", value.largest_error)) + "</tr>\n";
  }
  return table(
      "<th class=\"text\">value</th><th class=\"text\">made by</th><th>signal to error</th><th>cosine</th><th>largest "
      "error</th>",
      rows);
}

std::string worst_text(const VariantReport& variant) {
  const auto worst = std::min_element(variant.values.begin(), variant.values.end(),
                                      [](const ValueError& a, const ValueError& b) { return a.sqnr_db < b.sqnr_db; });
  return worst == variant.values.end()
             ? ""
             : fmt::format(" – {} value{}, the worst {} with {:.1f} dB", variant.values.size(),
                           variant.values.size() == 1 ? "" : "s", escape_html(worst->value), worst->sqnr_db);
}

std::string value_sections(const Report& report) {
  std::string out;
  for (const VariantReport& variant : report.variants)
    if (!variant.values.empty())
      out += fmt::format("<details{}><summary>{}<span class=\"soft\">{}</span></summary>{}</details>\n",
                         report.variants.size() == 2 ? " open" : "", escape_html(variant.name), worst_text(variant),
                         value_table(variant));
  return out.empty() ? ""
                     : "<h2>Where it differs from the float model</h2>\n<p class=\"soft\">Every value that both models "
                       "make, in the order "
                       "of the network: how large it is beside its error. Errors add up along the way.</p>\n" +
                           out;
}

// The series whose names end alike, on one chart.
std::string curve_chart(const Curve& curve, const std::string& ending, const std::string& unit) {
  std::vector<Line> lines;
  for (const auto& [name, points] : curve.series)
    if (name.ends_with(ending) && std::any_of(points.begin(), points.end(), [](double p) { return p != 0; }))
      lines.push_back({name.starts_with("validation") ? "validation" : "training", points});
  return line_chart(curve.name + ": " + ending, lines, unit);
}

std::string curve_section(const Report& report) {
  std::string charts;
  for (const Curve& curve : report.curves)
    charts += curve_chart(curve, "loss", "") + curve_chart(curve, "accuracy", " %");
  return charts.empty() ? ""
                        : "<h2>Learning curves</h2>\n<div class=\"charts\">" + charts +
                              "</div>\n<p class=\"soft\">By epoch.</p>\n";
}

std::string features_text(const Report& report) {
  std::string out;
  for (const std::string& feature : report.cpu_features) out += (out.empty() ? "" : ", ") + feature;
  return out.empty() ? "none that matter here" : out;
}

std::string method_section(const Report& report) {
  const auto entry = [](const std::string& name, const std::string& text) {
    return "<dt>" + name + "</dt><dd>" + escape_html(text) + "</dd>\n";
  };
  return "<h2>How this was measured</h2>\n<dl>" +
         entry("data", fmt::format("{} ({} samples)", report.data, report.samples)) +
         entry("processor", fmt::format("{}; {}", report.cpu, features_text(report))) +
         entry("runtime", report.runtime + ", one thread, one sample at a time") +
         entry("latency", fmt::format("{} runs of each variant, in turns, after warming up", report.runs)) +
         entry("packed", "the file through zlib, level 9") +
         entry("MACs", "products with weights for one sample: convolutions, matrix products, recurrent layers") +
         entry("memory",
               "the most that activations need at once, in the order of the nodes; resident: the most that a process "
               "of its own "
               "holds beyond the loaded runtime") +
         entry("output", "10 log10(signal / error) over all samples, of the worst output") + "</dl>\n";
}

}  // namespace

std::string report_page(const Report& report) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><title>{}</title><style>{}</style></head><body><main>\n",
      escape_html(report.title), kStyle);
  out += fmt::format("<h1>{}</h1>\n<p class=\"soft\">{} on {} samples of {}, on {}</p>\n", escape_html(report.title),
                     report.variants.size() == 1 ? "One model" : fmt::format("{} models", report.variants.size()),
                     report.samples, escape_html(report.data), escape_html(report.cpu));
  for (const std::string& warning : report.warnings())
    out += "<p class=\"warning\">⚠ " + escape_html(warning) + "</p>\n";
  out += "<h2>Variants</h2>\n" + result_table(report) + "<h2>What they are made of</h2>\n" + make_table(report) +
         curve_section(report) + value_sections(report) + method_section(report);
  return out + "</main></body></html>\n";
}

}  // namespace alara::lab
