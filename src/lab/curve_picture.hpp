// SPDX-License-Identifier: Apache-2.0
// Line charts as SVG, to stand within an HTML page: colours are the page's variables --line-1, --line-2, …
#pragma once

#include <string>
#include <vector>

namespace alara::lab {

struct Line {
  std::string name;
  std::vector<double> points;  // at 1, 2, 3 …; numbers that are not finite leave a gap
};

// "<svg …>…</svg>"; "" when there is nothing to draw. `unit` is written behind the numbers of the axis.
[[nodiscard]] std::string line_chart(const std::string& title, const std::vector<Line>& lines, const std::string& unit);

// What must not be read as markup, in text and in attributes.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace alara::lab
