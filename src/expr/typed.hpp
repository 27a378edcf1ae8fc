// SPDX-License-Identifier: Apache-2.0
// The checked form of an expression: operations with conversions put in and constants folded. Internal to expr.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "expr/expression.hpp"
#include "expr/tree.hpp"

namespace alara::expr {

struct TypedNode {
  enum class Kind : std::uint8_t { constant, input, operation };
  Kind kind = Kind::constant;
  Opcode op = Opcode::copy;
  double value = 0;       // of a constant
  std::size_t input = 0;  // index into the values
  int a = -1, b = -1, c = -1;
};

struct Typed {
  std::vector<TypedNode> nodes;
  int root = -1;
  Unit unit;
  bool boolean = false;
};

enum class Wanted : std::uint8_t { anything, condition, in_unit };

// Resolves names, checks units, folds constants. `unit` is of Wanted::in_unit.
[[nodiscard]] Result<Typed> check(const Source& source, const Tree& tree, std::span<const ValueInfo> values,
                                  Wanted wanted, const Unit& unit);

// What one operation does to one row. The only definition of it: kernels, the scalar path and folding share it.
[[gnu::always_inline]] inline double apply(Opcode op, double a, double b, double c) {
  const auto truth = [](double x) { return (x < 0) | (x > 0); };
  switch (op) {
    case Opcode::copy:
      return a;
    case Opcode::negate:
      return -a;
    case Opcode::logical_not:
      return truth(a) ? 0.0 : 1.0;
    case Opcode::add:
      return a + b;
    case Opcode::subtract:
      return a - b;
    case Opcode::multiply:
      return a * b;
    case Opcode::divide:
      return a / b;
    case Opcode::modulo:
      return std::fmod(a, b);
    case Opcode::power:
      return std::isnan(a) ? a : std::isnan(b) ? b : std::pow(a, b);  // also NaN^0 and 1^NaN
    case Opcode::less:
      return a < b ? 1.0 : 0.0;
    case Opcode::less_equal:
      return a <= b ? 1.0 : 0.0;
    case Opcode::greater:
      return a > b ? 1.0 : 0.0;
    case Opcode::greater_equal:
      return a >= b ? 1.0 : 0.0;
    case Opcode::equal:
      return a == b ? 1.0 : 0.0;
    case Opcode::not_equal:
      return ((a < b) | (a > b)) ? 1.0 : 0.0;
    case Opcode::logical_and:
      return (truth(a) & truth(b)) ? 1.0 : 0.0;
    case Opcode::logical_or:
      return (truth(a) | truth(b)) ? 1.0 : 0.0;
    case Opcode::select:
      return truth(a) ? b : c;
    case Opcode::square:
      return a * a;
    case Opcode::abs:
      return std::fabs(a);
    case Opcode::sqrt:
      return std::sqrt(a);
    case Opcode::exp:
      return std::exp(a);
    case Opcode::log:
      return std::log(a);
    case Opcode::log10:
      return std::log10(a);
    case Opcode::sin:
      return std::sin(a);
    case Opcode::cos:
      return std::cos(a);
    case Opcode::tan:
      return std::tan(a);
    case Opcode::atan2:
      return std::atan2(a, b);
    case Opcode::min:
      return a != a ? a : ((b < a) | (b != b)) ? b : a;
    case Opcode::max:
      return a != a ? a : ((b > a) | (b != b)) ? b : a;
    case Opcode::floor:
      return std::floor(a);
    case Opcode::ceil:
      return std::ceil(a);
    case Opcode::round:
      return std::round(a);
    case Opcode::sign:
      return a > 0 ? 1.0 : a < 0 ? -1.0 : a;
    case Opcode::isnan:
      return a != a ? 1.0 : 0.0;
    case Opcode::coalesce:
      return a != a ? b : a;
  }
  return 0;
}

}  // namespace alara::expr
