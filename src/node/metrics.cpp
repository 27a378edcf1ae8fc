// SPDX-License-Identifier: Apache-2.0
#include "node/metrics.hpp"

#include <fmt/format.h>

namespace alara::node {
namespace {

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
}

}  // namespace

void MetricsText::family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  out_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void MetricsText::line(std::string_view suffix, Labels labels, std::string_view extra, double value) {
  out_ += name_;
  out_ += suffix;
  if (labels.size() > 0 || !extra.empty()) {
    out_ += '{';
    bool first = true;
    for (const auto& [key, text] : labels) {
      if (!first) out_ += ',';
      first = false;
      out_ += fmt::format("{}=\"", key);
      append_escaped(out_, text);
      out_ += '"';
    }
    if (!extra.empty()) out_ += fmt::format("{}{}", first ? "" : ",", extra);
    out_ += '}';
  }
  out_ += fmt::format(" {:.17g}\n", value);
}

void MetricsText::sample(Labels labels, double value) { line("", labels, "", value); }

void MetricsText::summary(std::string_view name, std::string_view help) { family(name, "summary", help); }

void MetricsText::summary_sample(Labels labels, const Histogram& histogram) {
  for (const double quantile : {0.5, 0.99, 0.999, 1.0})
    line("", labels, fmt::format("quantile=\"{}\"", quantile),
         static_cast<double>(quantile == 1.0 ? histogram.max() : histogram.quantile(quantile)) / 1e9);
  line("_count", labels, "", static_cast<double>(histogram.count()));
  line("_sum", labels, "", histogram.mean() * static_cast<double>(histogram.count()) / 1e9);
}

}  // namespace alara::node
