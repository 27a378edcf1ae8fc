// SPDX-License-Identifier: Apache-2.0
// The syntax tree of an expression: what was written, before names, units and types are known. Internal to expr.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "expr/expression.hpp"

namespace alara::expr {

enum class Op : std::uint8_t {
  number,
  boolean,
  value,
  as_unit,
  negate,
  logical_not,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  power,
  less,
  less_equal,
  greater,
  greater_equal,
  equal,
  not_equal,
  logical_and,
  logical_or,
  select,
  abs,
  sqrt,
  exp,
  log,
  log10,
  sin,
  cos,
  tan,
  atan2,
  min,
  max,
  clamp,
  floor,
  ceil,
  round,
  sign,
  isnan,
  coalesce,
};

struct TreeNode {
  Op op = Op::number;
  std::size_t begin = 0, end = 0;  // offsets in the text
  double number = 0;               // of a number or boolean
  std::string name;                // of a value; the unit's text of as_unit
  std::vector<int> arguments;      // indices into Tree::nodes
};

struct Tree {
  std::vector<TreeNode> nodes;
  int root = -1;
};

[[nodiscard]] Result<Tree> parse(const Source& source);

// An error at `offset` of the source's text.
[[nodiscard]] Error error_at(const Source& source, std::size_t offset, std::string message, std::string hint = {});

}  // namespace alara::expr
