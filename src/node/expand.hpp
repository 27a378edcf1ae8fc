// SPDX-License-Identifier: Apache-2.0
// Names with ranges ("cnc-{01..40}") and texts with placeholders ("holding/{100+2*n}"): how one line of a site file
// stands for a fleet.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "core/document.hpp"

namespace alara::node {

// Values of placeholders: n is the number a range produced; `asset` and others are texts.
struct Placeholders {
  std::map<std::string, std::int64_t, std::less<>> numbers;
  std::map<std::string, std::string, std::less<>> texts;
};

inline constexpr std::int64_t kMaxRange = 1'000'000;  // names one pattern may stand for

struct ExpandedName {
  std::string name;
  Placeholders placeholders;  // n of the first range, m of the second
};

// "cnc-{01..40}" gives cnc-01 … cnc-40 (as wide as the first bound); a name without a range gives itself.
[[nodiscard]] Result<std::vector<ExpandedName>> expand_name(std::string_view pattern, const Where& where);

// Replaces {n}, {asset} and whole-number formulas over them with + - * / % and parentheses. "{{" stands for "{".
[[nodiscard]] Result<std::string> fill(std::string_view text, const Placeholders& placeholders, const Where& where);

// A copy of the tree with every scalar filled.
[[nodiscard]] Result<Node> fill_tree(const Node& tree, const Placeholders& placeholders);

// Replaces ${NAME} and ${NAME:-otherwise} in every scalar by the environment. A variable that is neither set nor given
// an alternative is an error with its place.
[[nodiscard]] Status fill_environment(Node& tree);

}  // namespace alara::node
