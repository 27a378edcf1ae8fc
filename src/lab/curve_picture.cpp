// SPDX-License-Identifier: Apache-2.0
#include "lab/curve_picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace alara::lab {
namespace {

constexpr double kWidth = 560, kHeight = 260;
constexpr double kLeft = 58, kRight = 14, kTop = 34, kBottom = 34;
constexpr std::size_t kMostPoints = 400;  // more than the eye can tell apart
constexpr std::size_t kColours = 6;

struct Axis {
  double low = 0, high = 1, step = 1;
};

// Steps of 1, 2 or 5 times a power of ten, about `wanted` of them over the range.
Axis nice_axis(double low, double high, int wanted) {
  if (high <= low) {
    low -= 0.5;
    high += 0.5;
  }
  const double raw = (high - low) / wanted;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  double step = power;
  for (const double factor : {2.0, 5.0, 10.0})
    if (step < raw) step = power * factor;
  return {std::floor(low / step) * step, std::ceil(high / step) * step, step};
}

class Chart {
 public:
  Chart(const std::vector<Line>& lines, std::string unit) : unit_(std::move(unit)) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const Line& line : lines) {
      longest_ = std::max(longest_, line.points.size());
      for (const double point : line.points) {
        if (!std::isfinite(point)) continue;
        low = std::min(low, point);
        high = std::max(high, point);
      }
    }
    empty_ = low > high;
    if (!empty_) y_ = nice_axis(low, high, 5);
  }

  [[nodiscard]] bool empty() const { return empty_; }

  [[nodiscard]] std::string grid() const {
    std::string out;
    const auto count = static_cast<int>(std::lround((y_.high - y_.low) / y_.step));
    for (int i = 0; i <= count; ++i) {
      const double value = y_.low + i * y_.step;
      const double y = y_at(value);
      out += fmt::format("<line class=\"grid\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>", kLeft, y,
                         kWidth - kRight, y);
      out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{:.6g}{}</text>", kLeft - 6, y + 4,
                         std::fabs(value) < y_.step / 1000 ? 0.0 : value, unit_);
    }
    const Axis x = nice_axis(1, static_cast<double>(longest_), 6);
    for (double epoch = std::max(1.0, std::round(x.step)); epoch <= static_cast<double>(longest_);
         epoch += std::max(1.0, x.step))
      out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:.0f}</text>", x_at(epoch - 1),
                         kHeight - kBottom + 18, epoch);
    return out;
  }

  [[nodiscard]] std::string path(const Line& line, std::size_t colour) const {
    std::string points;
    const std::size_t stride = std::max<std::size_t>(1, line.points.size() / kMostPoints);
    bool pen_down = false;
    for (std::size_t i = 0; i < line.points.size(); i += stride) {
      if (!std::isfinite(line.points[i])) {
        pen_down = false;
        continue;
      }
      points +=
          fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", x_at(static_cast<double>(i)), y_at(line.points[i]));
      pen_down = true;
    }
    return fmt::format("<path d=\"{}\" style=\"stroke:var(--line-{})\"/>", points, colour % kColours + 1);
  }

 private:
  [[nodiscard]] double x_at(double i) const {
    return kLeft + (longest_ < 2 ? 0.5 : i / static_cast<double>(longest_ - 1)) * (kWidth - kLeft - kRight);
  }
  [[nodiscard]] double y_at(double value) const {
    return kTop + (y_.high - value) / (y_.high - y_.low) * (kHeight - kTop - kBottom);
  }

  std::string unit_;
  std::size_t longest_ = 0;
  bool empty_ = true;
  Axis y_;
};

}  // namespace

std::string line_chart(const std::string& title, const std::vector<Line>& lines, const std::string& unit) {
  const Chart chart(lines, unit);
  if (chart.empty()) return {};
  std::string out = fmt::format(
      "<svg class=\"chart\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\"><text class=\"title\" "
      "x=\"{:.0f}\" "
      "y=\"18\">{}</text>",
      kWidth, kHeight, escape_html(title), kLeft, escape_html(title));
  out += chart.grid();
  for (std::size_t i = 0; i < lines.size(); ++i) out += chart.path(lines[i], i);
  double right = kWidth - kRight;
  for (std::size_t i = lines.size(); i-- > 0;) {  // the legend, from the right
    out += fmt::format("<text x=\"{:.1f}\" y=\"18\" text-anchor=\"end\" style=\"fill:var(--line-{})\">{}</text>", right,
                       i % kColours + 1, escape_html(lines[i].name));
    right -= 7.2 * static_cast<double>(lines[i].name.size()) + 16;
  }
  return out + "</svg>";
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace alara::lab
