// SPDX-License-Identifier: Apache-2.0
// Syntax tree to typed operations: names, units, conversions, constants.
#include <algorithm>
#include <optional>
#include <string>

#include "base/text.hpp"
#include "expr/typed.hpp"

namespace alara::expr {
namespace {

constexpr double kSameScale = 1e-14;  // relative; scales of equal units may differ by the rounding of their powers

// The type of a part. `bare` parts are made of literals without unit and take the unit of what they meet.
// `difference`: in K, from subtracting two temperatures; it must not meet a temperature scale with its own zero.
struct Part {
  int node = -1;
  Unit unit;
  bool boolean = false;
  bool bare = false;
  bool difference = false;
};

std::string unit_text(const Part& part) { return part.unit.text().empty() ? "no unit" : part.unit.text(); }

class Checker {
 public:
  Checker(const Source& source, const Tree& tree, std::span<const ValueInfo> values)
      : source_(source), tree_(tree), values_(values) {}

  Result<Typed> run(Wanted wanted, const Unit& unit) {
    ALARA_TRY(Part part, visit(tree_.root));
    if (wanted == Wanted::condition) ALARA_CHECK(is_condition(tree_.root, part));
    if (wanted == Wanted::in_unit) ALARA_CHECK(express_in(tree_.root, part, unit));
    typed_.root = part.node;
    typed_.unit = part.unit;
    typed_.boolean = part.boolean;
    return std::move(typed_);
  }

 private:
  using Kind = TypedNode::Kind;

  const TreeNode& at(int index) const { return tree_.nodes[static_cast<std::size_t>(index)]; }
  std::string written(int index) const { return source_.text.substr(at(index).begin, at(index).end - at(index).begin); }
  tl::unexpected<Error> stop(int index, std::string message, std::string hint = {}) const {
    return tl::unexpected<Error>(error_at(source_, at(index).begin, std::move(message), std::move(hint)));
  }

  int constant(double value) {
    typed_.nodes.push_back({Kind::constant, Opcode::copy, value, 0, -1, -1, -1});
    return static_cast<int>(typed_.nodes.size() - 1);
  }
  bool is_constant(int node) const {
    return node < 0 || typed_.nodes[static_cast<std::size_t>(node)].kind == Kind::constant;
  }
  double value_of(int node) const { return node < 0 ? 0 : typed_.nodes[static_cast<std::size_t>(node)].value; }

  int operation(Opcode op, int a, int b = -1, int c = -1) {
    if (is_constant(a) && is_constant(b) && is_constant(c))
      return constant(apply(op, value_of(a), value_of(b), value_of(c)));
    typed_.nodes.push_back({Kind::operation, op, 0, 0, a, b, c});
    return static_cast<int>(typed_.nodes.size() - 1);
  }

  // `part` as a number in `unit`, whose dimension is the same.
  void convert(Part& part, const Unit& unit, bool keep_offset = true) {
    const double offset = keep_offset ? part.unit.offset() - unit.offset() : 0;
    const double from = part.unit.scale(), to = unit.scale();
    const bool same = std::abs(from - to) <= kSameScale * to;
    if (offset != 0) {
      part.node = operation(Opcode::multiply, part.node, constant(from));
      part.node = operation(Opcode::add, part.node, constant(offset));
      part.node = operation(Opcode::divide, part.node, constant(to));
    } else if (from > to && !same) {
      part.node = operation(Opcode::multiply, part.node, constant(from / to));
    } else if (from < to && !same) {
      part.node = operation(Opcode::divide, part.node, constant(to / from));
    }
    part.unit = unit;
    part.bare = false;
  }

  // A dimensionless part as a plain number: % and ppm become fractions.
  void make_plain(Part& part) {
    if (part.unit.dimensionless() && part.unit.scale() != 1) convert(part, Unit{});
    if (part.unit.dimensionless()) part.unit = Unit{};
  }

  Status in_range(int index, const Part& part) const {
    if (part.unit.overflowed()) return stop(index, fmt::format("the unit of '{}' is out of range", written(index)));
    return {};
  }

  tl::unexpected<Error> mismatch(int index, std::string_view what, int left, const Part& a, int right,
                                 const Part& b) const {
    std::string hint;
    const Unit radian = *Unit::parse("rad");
    if (a.unit.times(radian).same_dimension(b.unit) || a.unit.over(radian).same_dimension(b.unit))
      hint = "angles count as a unit here: multiply or divide by 1[rad]";
    return stop(index,
                fmt::format("can not {} '{}' ({}) and '{}' ({})", what, written(left), unit_text(a), written(right),
                            unit_text(b)),
                std::move(hint));
  }

  // Gives all parts one unit: the first one's that varies, else the first one's that is not bare.
  Status unify(int index, std::string_view what, std::span<const int> operands, std::span<Part> parts) {
    const Part* leader = nullptr;
    std::size_t lead = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i].bare) continue;
      if (leader == nullptr || (is_constant(leader->node) && !is_constant(parts[i].node))) {
        leader = &parts[i];
        lead = i;
      }
    }
    if (leader == nullptr) return {};
    const Part model = *leader;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      Part& part = parts[i];
      if (part.bare) {
        part.unit = model.unit;
        part.bare = false;
        part.difference = model.difference;
        continue;
      }
      if (!part.unit.same_dimension(model.unit)) return mismatch(index, what, operands[lead], model, operands[i], part);
      ALARA_CHECK(no_mixed_zero(operands[i], part, model));
      ALARA_CHECK(no_mixed_zero(operands[lead], model, part));
      convert(part, model.unit);
    }
    return {};
  }

  Status no_mixed_zero(int operand, const Part& difference, const Part& scale) const {
    if (difference.difference && scale.unit.affine())
      return stop(
          operand,
          fmt::format("'{}' is a difference of temperatures and meets one in {}", written(operand), scale.unit.text()),
          "give the other side in K, as in 5[K]");
    return {};
  }

  Status no_own_zero(int operand, const Part& part, std::string_view what) const {
    if (part.unit.affine())
      return stop(operand,
                  fmt::format("'{}' is in {}, which has its own zero: {} has no meaning", written(operand),
                              part.unit.text(), what),
                  fmt::format("convert it first, as in {}[K], or subtract a temperature", written(operand)));
    return {};
  }

  Status is_condition(int operand, const Part& part) const {
    if (part.boolean || part.unit.text().empty()) return {};
    return stop(operand, fmt::format("'{}' is a number in {}, not a condition", written(operand), part.unit.text()),
                fmt::format("compare it, as in {} > 1", written(operand)));
  }

  Result<Part> visit(int index) {
    const TreeNode& node = at(index);
    switch (node.op) {
      case Op::number:
        return Part{constant(node.number), {}, false, true, false};
      case Op::boolean:
        return Part{constant(node.number), {}, true, true, false};
      case Op::value:
        return value(index);
      case Op::as_unit:
        return as_unit(index);
      default:
        break;
    }
    std::vector<Part> parts;
    for (const int argument : node.arguments) {
      ALARA_TRY(Part part, visit(argument));
      parts.push_back(std::move(part));
    }
    auto part = combine(index, node.op, node.arguments, parts);
    if (part) ALARA_CHECK(in_range(index, *part));
    return part;
  }

  Result<Part> combine(int index, Op op, const std::vector<int>& operands, std::vector<Part>& parts) {
    switch (op) {
      case Op::add:
      case Op::subtract:
        return sum(index, operands, parts, op == Op::add ? Opcode::add : Opcode::subtract);
      case Op::multiply:
      case Op::divide:
        return product(index, operands, parts, op == Op::multiply ? Opcode::multiply : Opcode::divide);
      case Op::power:
        return power(index, operands, parts);
      case Op::less:
        return compare(index, operands, parts, Opcode::less);
      case Op::less_equal:
        return compare(index, operands, parts, Opcode::less_equal);
      case Op::greater:
        return compare(index, operands, parts, Opcode::greater);
      case Op::greater_equal:
        return compare(index, operands, parts, Opcode::greater_equal);
      case Op::equal:
        return compare(index, operands, parts, Opcode::equal);
      case Op::not_equal:
        return compare(index, operands, parts, Opcode::not_equal);
      case Op::logical_not:
        return logic(operands, parts, Opcode::logical_not);
      case Op::logical_and:
        return logic(operands, parts, Opcode::logical_and);
      case Op::logical_or:
        return logic(operands, parts, Opcode::logical_or);
      case Op::select:
        return select(index, operands, parts);
      case Op::min:
        return fold(index, "compare", operands, parts, Opcode::min);
      case Op::max:
        return fold(index, "compare", operands, parts, Opcode::max);
      case Op::coalesce:
        return fold(index, "choose between", operands, parts, Opcode::coalesce);
      case Op::clamp:
        return clamp(index, operands, parts);
      case Op::modulo:
        return modulo(index, operands, parts);
      case Op::atan2:
        return atan2(index, operands, parts);
      default:
        return unary(operands.front(), op, parts.front());
    }
  }

  Result<Part> value(int index) {
    const TreeNode& node = at(index);
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (values_[i].name != node.name) continue;
      typed_.nodes.push_back({Kind::input, Opcode::copy, 0, i, -1, -1, -1});
      return Part{static_cast<int>(typed_.nodes.size() - 1), values_[i].unit, values_[i].boolean, false, false};
    }
    std::vector<std::string> known;
    for (const ValueInfo& value : values_) known.push_back(value.name);
    const std::string near = nearest(node.name, known);
    return stop(index, fmt::format("there is no value '{}' here", node.name),
                near.empty() ? "" : fmt::format("did you mean {}?", near));
  }

  Result<Part> as_unit(int index) {
    const TreeNode& node = at(index);
    auto unit = Unit::parse(node.name);
    if (!unit) {
      const bool bracketed = source_.text[node.end - 1] == ']';
      return stop(index, unit.error().message,
                  bracketed ? unit.error().hint : unit.error().hint + "; a blank or * parts a number from a name");
    }
    ALARA_TRY(Part part, visit(node.arguments.front()));
    ALARA_CHECK(express_in(node.arguments.front(), part, *unit));
    return part;
  }

  // Gives a literal the unit, converts anything else to it.
  Status express_in(int operand, Part& part, const Unit& unit) {
    if (part.boolean && !unit.text().empty())
      return stop(operand, fmt::format("'{}' is true or false and takes no unit", written(operand)));
    Part aim = part;
    aim.unit = unit;
    if (part.bare) {
      part = aim;
      part.bare = false;
      return {};
    }
    if (!part.unit.same_dimension(unit))
      return stop(operand,
                  fmt::format("can not convert '{}' ({}) to {}", written(operand), unit_text(part), unit_text(aim)));
    ALARA_CHECK(no_mixed_zero(operand, part, aim));
    convert(part, unit);
    return {};
  }

  Result<Part> sum(int index, const std::vector<int>& operands, std::vector<Part>& parts, Opcode op) {
    Part &a = parts[0], &b = parts[1];
    if (!a.bare && !b.bare && !a.unit.same_dimension(b.unit))
      return mismatch(index, op == Opcode::add ? "add" : "subtract", operands[0], a, operands[1], b);
    if (a.unit.affine() || b.unit.affine()) return temperature_sum(index, operands, a, b, op);
    const bool both_bare = a.bare && b.bare;
    ALARA_CHECK(unify(index, "add", operands, parts));
    return Part{operation(op, a.node, b.node), a.unit, false, both_bare, a.difference || b.difference};
  }

  // On scales with their own zero: degC - degC is a difference in K, degC +- difference is degC; a bare number and
  // an amount in K are differences, but K - degC takes both as temperatures.
  Result<Part> temperature_sum(int index, const std::vector<int>& operands, Part& a, Part& b, Opcode op) {
    const bool both = a.unit.affine() && b.unit.affine();
    if (op == Opcode::add && both)
      return stop(
          index, fmt::format("can not add two temperatures, '{}' and '{}'", written(operands[0]), written(operands[1])),
          "give one as a difference in K, as in 5[K]");
    if (op == Opcode::subtract && b.unit.affine()) {
      if (a.difference) return stop(index, "can not subtract a temperature from a difference of temperatures");
      if (a.bare) a.unit = b.unit;
      const Unit kelvin = b.unit.coherent();
      convert(a, kelvin);
      convert(b, kelvin);
      return Part{operation(op, a.node, b.node), kelvin, false, false, true};
    }
    Part& scale = a.unit.affine() ? a : b;
    Part& step = a.unit.affine() ? b : a;
    if (!step.bare) convert(step, scale.unit, /*keep_offset=*/false);
    return Part{operation(op, a.node, b.node), scale.unit, false, false, false};
  }

  Result<Part> product(int index, const std::vector<int>& operands, std::vector<Part>& parts, Opcode op) {
    Part &a = parts[0], &b = parts[1];
    ALARA_CHECK(no_own_zero(operands[0], a, "a product"));
    ALARA_CHECK(no_own_zero(operands[1], b, "a product"));
    static_cast<void>(index);
    Part result;
    result.bare = a.bare && b.bare;
    const bool plain_b = b.bare || (b.unit.dimensionless() && b.unit.scale() == 1);
    const bool plain_a = a.bare || (a.unit.dimensionless() && a.unit.scale() == 1);
    if (plain_b) {
      result.unit = a.unit;
      result.difference = a.difference;
    } else if (plain_a && op == Opcode::multiply) {
      result.unit = b.unit;
      result.difference = b.difference;
    } else {
      make_plain(a);
      make_plain(b);
      result.unit = op == Opcode::multiply ? a.unit.times(b.unit) : a.unit.over(b.unit);
      if (result.unit.overflowed()) return result;
    }
    result.node = operation(op, a.node, b.node);
    if (!plain_a && !plain_b) make_plain(result);  // mm/m is a plain ratio
    return result;
  }

  Result<Part> power(int index, const std::vector<int>& operands, std::vector<Part>& parts) {
    Part &base = parts[0], &exponent = parts[1];
    ALARA_CHECK(no_own_zero(operands[0], base, "a power"));
    make_plain(exponent);
    if (!exponent.unit.dimensionless())
      return stop(operands[1],
                  fmt::format("the exponent '{}' has the unit {}", written(operands[1]), exponent.unit.text()));
    Part result;
    result.bare = base.bare && exponent.bare;
    make_plain(base);
    if (!base.unit.dimensionless()) {
      if (!is_constant(exponent.node))
        return stop(index, fmt::format("'{}' has the unit {}: its exponent must be a constant", written(operands[0]),
                                       base.unit.text()));
      const double power = value_of(exponent.node);
      if (power == 0.5) return root(operands[0], base);
      if (power != std::trunc(power) || std::abs(power) > Unit::kMaxExponent)
        return stop(operands[1], fmt::format("{:g} is no exponent for the unit {}", power, base.unit.text()),
                    "use whole numbers or 0.5");
      result.unit = base.unit.power(static_cast<int>(power));
    }
    const bool square = is_constant(exponent.node) && value_of(exponent.node) == 2;
    result.node = square ? operation(Opcode::square, base.node) : operation(Opcode::power, base.node, exponent.node);
    return result;
  }

  Result<Part> root(int operand, Part part) {
    if (part.bare) return Part{operation(Opcode::sqrt, part.node), {}, false, true, false};
    make_plain(part);
    const std::string given = unit_text(part);
    auto unit = part.unit.root(2);
    if (!unit) {  // "kJ/kg" has a root in SI only
      convert(part, part.unit.coherent());
      unit = part.unit.root(2);
    }
    if (!unit) return stop(operand, fmt::format("the square root of '{}' ({}) has no unit", written(operand), given));
    return Part{operation(Opcode::sqrt, part.node), *unit, false, false, false};
  }

  Result<Part> compare(int index, const std::vector<int>& operands, std::vector<Part>& parts, Opcode op) {
    ALARA_CHECK(unify(index, "compare", operands, parts));
    return Part{operation(op, parts[0].node, parts[1].node), {}, true, false, false};
  }

  Result<Part> logic(const std::vector<int>& operands, std::vector<Part>& parts, Opcode op) {
    for (std::size_t i = 0; i < parts.size(); ++i) ALARA_CHECK(is_condition(operands[i], parts[i]));
    return Part{operation(op, parts[0].node, parts.size() > 1 ? parts[1].node : -1), {}, true, false, false};
  }

  Result<Part> select(int index, const std::vector<int>& operands, std::vector<Part>& parts) {
    ALARA_CHECK(is_condition(operands[0], parts[0]));
    const bool bare = parts[1].bare && parts[2].bare;
    ALARA_CHECK(unify(index, "choose between", std::span(operands).subspan(1), std::span(parts).subspan(1)));
    return Part{operation(Opcode::select, parts[0].node, parts[1].node, parts[2].node), parts[1].unit,
                parts[1].boolean && parts[2].boolean, bare, parts[1].difference || parts[2].difference};
  }

  Result<Part> fold(int index, std::string_view what, const std::vector<int>& operands, std::vector<Part>& parts,
                    Opcode op) {
    const bool bare = std::all_of(parts.begin(), parts.end(), [](const Part& part) { return part.bare; });
    ALARA_CHECK(unify(index, what, operands, parts));
    Part result = parts[0];
    for (std::size_t i = 1; i < parts.size(); ++i) {
      result.node = operation(op, result.node, parts[i].node);
      result.boolean = result.boolean && parts[i].boolean;
      result.difference = result.difference || parts[i].difference;
    }
    result.bare = bare;
    return result;
  }

  Result<Part> clamp(int index, const std::vector<int>& operands, std::vector<Part>& parts) {
    const bool bare = std::all_of(parts.begin(), parts.end(), [](const Part& part) { return part.bare; });
    ALARA_CHECK(unify(index, "clamp", operands, parts));
    Part result = parts[0];
    result.node = operation(Opcode::min, operation(Opcode::max, parts[0].node, parts[1].node), parts[2].node);
    result.bare = bare;
    result.boolean = false;
    return result;
  }

  Result<Part> modulo(int index, const std::vector<int>& operands, std::vector<Part>& parts) {
    ALARA_CHECK(no_own_zero(operands[0], parts[0], "a remainder"));
    ALARA_CHECK(no_own_zero(operands[1], parts[1], "a remainder"));
    const bool bare = parts[0].bare && parts[1].bare;
    ALARA_CHECK(unify(index, "divide", operands, parts));
    return Part{operation(Opcode::modulo, parts[0].node, parts[1].node), parts[0].unit, false, bare,
                parts[0].difference};
  }

  Result<Part> atan2(int index, const std::vector<int>& operands, std::vector<Part>& parts) {
    ALARA_CHECK(unify(index, "relate", operands, parts));
    return Part{operation(Opcode::atan2, parts[0].node, parts[1].node), *Unit::parse("rad"), false, false, false};
  }

  Result<Part> unary(int operand, Op op, Part part) {
    switch (op) {
      case Op::negate:
        ALARA_CHECK(no_own_zero(operand, part, "its negative"));
        part.boolean = false;
        part.node = operation(Opcode::negate, part.node);
        return part;
      case Op::abs:
        ALARA_CHECK(no_own_zero(operand, part, "its amount"));
        part.node = operation(Opcode::abs, part.node);
        return part;
      case Op::floor:
        part.node = operation(Opcode::floor, part.node);
        return part;
      case Op::ceil:
        part.node = operation(Opcode::ceil, part.node);
        return part;
      case Op::round:
        part.node = operation(Opcode::round, part.node);
        return part;
      case Op::sqrt:
        ALARA_CHECK(no_own_zero(operand, part, "its root"));
        return root(operand, std::move(part));
      case Op::sign:
        ALARA_CHECK(no_own_zero(operand, part, "its sign"));
        return Part{operation(Opcode::sign, part.node), {}, false, false, false};
      case Op::isnan:
        return Part{operation(Opcode::isnan, part.node), {}, true, false, false};
      case Op::sin:
        return angle(operand, Opcode::sin, part);
      case Op::cos:
        return angle(operand, Opcode::cos, part);
      case Op::tan:
        return angle(operand, Opcode::tan, part);
      case Op::exp:
        return plain(operand, Opcode::exp, part);
      case Op::log:
        return plain(operand, Opcode::log, part);
      case Op::log10:
        return plain(operand, Opcode::log10, part);
      default:
        break;
    }
    abort_with("an operator has no rule for its units", __FILE__, __LINE__);
  }

  Result<Part> angle(int operand, Opcode op, Part part) {
    const Unit radian = *Unit::parse("rad");
    if (part.unit.same_dimension(radian)) {
      convert(part, radian);
    } else if (!part.unit.dimensionless()) {
      return stop(operand, fmt::format("'{}' ({}) is no angle", written(operand), unit_text(part)), "use rad or deg");
    } else {
      make_plain(part);
    }
    return Part{operation(op, part.node), {}, false, part.bare, false};
  }

  Result<Part> plain(int operand, Opcode op, Part part) {
    if (!part.unit.dimensionless())
      return stop(
          operand,
          fmt::format("'{}' has the unit {}; this function takes plain numbers", written(operand), part.unit.text()),
          fmt::format("divide by a reference, as in {} / 1[{}]", written(operand), part.unit.text()));
    make_plain(part);
    return Part{operation(op, part.node), {}, false, part.bare, false};
  }

  const Source& source_;
  const Tree& tree_;
  std::span<const ValueInfo> values_;
  Typed typed_;
};

}  // namespace

Result<Typed> check(const Source& source, const Tree& tree, std::span<const ValueInfo> values, Wanted wanted,
                    const Unit& unit) {
  return Checker(source, tree, values).run(wanted, unit);
}

}  // namespace alara::expr
