// SPDX-License-Identifier: Apache-2.0
#include "expr/expression.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <numbers>
#include <random>

#include "expr/tree.hpp"

namespace alara::expr {
namespace {

const double kNan = std::nan("");

Unit unit(std::string_view text) { return *Unit::parse(text); }

std::vector<ValueInfo> plant() {
  return {{"x", {}, 0, false},
          {"y", {}, 0, false},
          {"current", unit("A"), 0, false},
          {"voltage", unit("V"), 0, false},
          {"load.mean", unit("mm/s2"), 0, false},
          {"inlet", unit("degC"), 0, false},
          {"outlet", unit("degC"), 0, false},
          {"humidity", unit("%"), 0, false},
          {"speed", unit("rpm"), 0, false},
          {"torque", unit("N*m"), 0, false},
          {"running", {}, 0, true},
          {"oven", unit("K"), 0, false},
          {"flow", unit("l/min"), 0, false},
          {"freezer", unit("degF"), 0, false}};
}

Source at(std::string_view text) { return {std::string(text), {"site.yaml", 7, 11}}; }

struct Value {
  double number;
  std::string unit;
};

// Row: every value 0 unless named.
Value value_of(std::string_view text, std::vector<std::pair<std::string, double>> row = {}) {
  const auto values = plant();
  const auto program = compile(at(text), values);
  EXPECT_TRUE(program) << text << "\n" << (program ? "" : program.error().text());
  if (!program) return {kNan, "?"};
  std::vector<double> numbers(values.size());
  for (const auto& [name, number] : row)
    for (std::size_t i = 0; i < values.size(); ++i)
      if (values[i].name == name) numbers[i] = number;
  return {program->evaluate(numbers), program->unit().text()};
}

std::string error_of(std::string_view text) {
  const auto program = compile(at(text), plant());
  EXPECT_FALSE(program) << text;
  return program ? "" : program.error().text();
}

TEST(Expression, FollowsThePrecedenceTable) {
  const struct {
    std::string_view text;
    double value;
  } table[] = {{"1 + 2 * 3", 7},
               {"(1 + 2) * 3", 9},
               {"8 - 4 - 2", 2},
               {"16 / 4 / 2", 2},
               {"17 % 5 * 2", 4},
               {"-7 % 5", -2},
               {"2 ^ 3 ^ 2", 512},
               {"-2 ^ 2", -4},
               {"2 ^ -1", 0.5},
               {"--3", 3},
               {"+3", 3},
               {"1 + 1 == 2", 1},
               {"1 < 2 && 2 < 1", 0},
               {"1 < 2 || 2 < 1 && false", 1},
               {"1 < 2 or 2 < 1 and false", 1},
               {"!false && false", 0},
               {"not (1 < 2)", 0},
               {"not 1 > 2", 1},
               {"not true or true", 1},
               {"!0 + 1", 2},
               {"1 > 2 ? 3 : 4", 4},
               {"true ? false ? 1 : 2 : 3", 2},
               {"if(2 > 1, 10, 20)", 10},
               {"1 != 1", 0},
               {"2 >= 2", 1},
               {"2 <= 1", 0},
               {"7%3", 1},
               {".5 + 1e3", 1000.5},
               {"pi", std::numbers::pi},
               {"min(3, 1, 2) + max(1, 5, 2)", 6},
               {"clamp(12, 0, 10) + clamp(-1, 0, 10)", 10},
               {"abs(-3) + sqrt(16) + floor(2.7) + ceil(2.1) + round(2.5) + sign(-4)", 14},
               {"exp(0) + log(1) + log10(1000)", 4},
               {"coalesce(0/0, 5)", 5},
               {"isnan(0/0)", 1},
               {"atan2(1, 1) == 45[deg]", 1},
               {"sin(0) + cos(0) + tan(0)", 1}};
  for (const auto& c : table) EXPECT_DOUBLE_EQ(value_of(c.text).number, c.value) << c.text;
}

TEST(Expression, ReadsNamedValues) {
  EXPECT_EQ(value_of("x * 2 + y", {{"x", 3}, {"y", 1}}).number, 7);
  EXPECT_EQ(value_of("load.mean", {{"load.mean", 9.5}}).number, 9.5);
  EXPECT_EQ(value_of("`load.mean` > 9", {{"load.mean", 9.5}}).number, 1);
  EXPECT_EQ(*names_in(at("b + a.c * b > `odd-name`")), (std::vector<std::string>{"b", "a.c", "odd-name"}));
}

TEST(Expression, GivesALiteralTheOtherSidesUnit) {
  EXPECT_EQ(value_of("current > 38", {{"current", 38.5}}).number, 1);
  EXPECT_EQ(value_of("humidity > 60", {{"humidity", 61}}).number, 1);
  EXPECT_EQ(value_of("current + 2 * 3").unit, "A");
  EXPECT_EQ(value_of("if(running, current, 5)", {{"running", 0}}).number, 5);
}

TEST(Expression, ConvertsUnitsByItself) {
  EXPECT_EQ(value_of("voltage > 0.2[kV]", {{"voltage", 230}}).number, 1);
  EXPECT_EQ(value_of("0.2kV < voltage", {{"voltage", 230}}).number, 1);
  EXPECT_DOUBLE_EQ(value_of("current * 400[V]", {{"current", 10}}).number, 4000);
  EXPECT_EQ(value_of("current * 400[V]").unit, "W");
  EXPECT_EQ(value_of("current * 0.4[kV]").unit, "kW");
  EXPECT_DOUBLE_EQ(value_of("(current * 400[V])[kW]", {{"current", 10}}).number, 4);
  EXPECT_DOUBLE_EQ(value_of("(torque * speed / 1[rad])[W]", {{"torque", 30}, {"speed", 60}}).number,
                   60 * std::numbers::pi);
  EXPECT_DOUBLE_EQ(value_of("flow * 10min > 99l", {{"flow", 10}}).number, 1);
  EXPECT_DOUBLE_EQ(value_of("humidity * current", {{"humidity", 50}, {"current", 8}}).number, 4);
  EXPECT_DOUBLE_EQ(value_of("load.mean / 2[m/s2]", {{"load.mean", 500}}).number, 0.25);
  EXPECT_EQ(value_of("load.mean / 2[m/s2]").unit, "");
  EXPECT_EQ(value_of("50% == 0.5[]").number, 1);
  EXPECT_EQ(value_of("humidity * 2").unit, "%");
  EXPECT_EQ(value_of("sqrt(load.mean ^ 2)").unit, "mm/s2");
  EXPECT_EQ(value_of("(load.mean ^ 4) ^ 0.5 == load.mean ^ 2", {{"load.mean", 4}}).number, 1);
  EXPECT_NEAR(value_of("sin(30[deg])").number, 0.5, 1e-15);
}

TEST(Expression, KnowsThatTemperaturesHaveTheirOwnZero) {
  EXPECT_EQ(value_of("inlet > 300[K]", {{"inlet", 27}}).number, 1);
  EXPECT_EQ(value_of("inlet > 300[K]", {{"inlet", 26}}).number, 0);
  EXPECT_EQ(value_of("inlet > 100[degF]", {{"inlet", 37}}).number, 0);
  EXPECT_EQ(value_of("inlet > -5[degC]", {{"inlet", -4}}).number, 1);
  EXPECT_EQ(value_of("outlet - inlet", {{"outlet", 60}, {"inlet", 40}}).number, 20);
  EXPECT_EQ(value_of("outlet - inlet").unit, "K");
  EXPECT_NEAR(value_of("outlet - freezer", {{"outlet", 10}, {"freezer", 14}}).number, 20, 1e-9);
  EXPECT_EQ(value_of("oven - inlet", {{"oven", 373.15}, {"inlet", 50}}).number, 50);
  EXPECT_EQ(value_of("inlet + 5", {{"inlet", 40}}).number, 45);
  EXPECT_EQ(value_of("inlet + 5[K]").unit, "degC");
  EXPECT_DOUBLE_EQ(value_of("freezer + 5[K]", {{"freezer", 0}}).number, 9);
  EXPECT_EQ(value_of("inlet + (outlet - inlet) / 2", {{"outlet", 60}, {"inlet", 40}}).number, 50);
  EXPECT_DOUBLE_EQ(value_of("inlet[K] * 2", {{"inlet", 0}}).number, 546.3);
  EXPECT_EQ(value_of("max(inlet, outlet)").unit, "degC");
}

TEST(Expression, ExplainsWhatDoesNotFit) {
  const struct {
    std::string_view text, error;
  } cases[] = {{"current > voltage", "site.yaml:7:11: can not compare 'current' (A) and 'voltage' (V)"},
               {"x > 1 && current + voltage > 1", "site.yaml:7:20: can not add 'current' (A) and 'voltage' (V)"},
               {"x + current", "site.yaml:7:11: can not add 'x' (no unit) and 'current' (A)"},
               {"curent > 3", "site.yaml:7:11: there is no value 'curent' here (did you mean current?)"},
               {"x > zzzzzzzz", "site.yaml:7:15: there is no value 'zzzzzzzz' here"},
               {"sqr(x)", "site.yaml:7:11: unknown function 'sqr' (did you mean sqrt?)"},
               {"x > 3[Amp]", "site.yaml:7:15: unknown unit 'Amp'"},
               {"inlet * 2", "site.yaml:7:11: 'inlet' is in degC, which has its own zero: a product has no meaning"},
               {"inlet + outlet", "site.yaml:7:11: can not add two temperatures, 'inlet' and 'outlet'"},
               {"outlet - inlet > 5[degC]",
                "site.yaml:7:11: 'outlet - inlet' is a difference of temperatures and meets one in degC"},
               {"-inlet", "site.yaml:7:12: 'inlet' is in degC"},
               {"current && x", "site.yaml:7:11: 'current' is a number in A, not a condition"},
               {"sqrt(load.mean)", "the square root of 'load.mean' (mm/s2) has no unit"},
               {"sqrt(current)", "site.yaml:7:16: the square root of 'current' (A) has no unit"},
               {"current ^ x", "site.yaml:7:11: 'current' has the unit A: its exponent must be a constant"},
               {"current ^ 1.5", "site.yaml:7:21: 1.5 is no exponent for the unit A"},
               {"2 ^ current", "site.yaml:7:15: the exponent 'current' has the unit A"},
               {"exp(current)", "site.yaml:7:15: 'current' has the unit A; this function takes plain numbers"},
               {"sin(current)", "site.yaml:7:15: 'current' (A) is no angle"},
               {"torque * speed > 1[W]", "angles count as a unit here"},
               {"((load.mean^60)^60)", "the unit of 'load.mean^60' is out of range"},
               {"current[V]", "site.yaml:7:11: can not convert 'current' (A) to V"},
               {"(x > 1)[V]", "is true or false and takes no unit"},
               {"x = 3", "site.yaml:7:13: '=' is no operator here (write == to compare)"},
               {"x & y", "write && or ||"},
               {"1 < x < 3", "site.yaml:7:17: comparisons can not be chained"},
               {"x > 3x", "unknown unit 'x'"},
               {"(x > 1", "site.yaml:7:11: '(' is not closed"},
               {"x > 1)", "site.yaml:7:16: ')' closes nothing"},
               {"max(x, 1", "site.yaml:7:14: '(' is not closed"},
               {"max(x)", "site.yaml:7:11: max takes 2 or more arguments, not 1"},
               {"abs(x, y)", "site.yaml:7:11: abs takes 1 argument, not 2"},
               {"abs()", "abs takes 1 argument, not 0"},
               {"x ? 1", "':' is missing after '?'"},
               {"x +", "site.yaml:7:14: the expression ends where a value was expected"},
               {"", "site.yaml:7:11: the expression is empty"},
               {"   ", "the expression is empty"},
               {"x y", "site.yaml:7:13: 'y' stands where an operator or the end was expected"},
               {"x > 3 for 20ms", "'for' stands where an operator or the end was expected"},
               {"x. + 1", "the name 'x.' ends with a dot"},
               {"x[A", "']' is missing"},
               {"`x", "the closing ` of the name is missing"},
               {"``", "empty"},
               {"1e999", "out of the range"},
               {"x > #", "'#' stands where a value was expected"},
               {"and x", "'and' stands where a value was expected"}};
  for (const auto& c : cases)
    EXPECT_NE(error_of(c.text).find(c.error), std::string::npos) << c.text << "\n" << error_of(c.text);
}

TEST(Expression, HoldsItsLimits) {
  const auto nested = [](int levels) { return std::string(levels, '(') + "x" + std::string(levels, ')'); };
  EXPECT_TRUE(compile(at(nested(kMaxDepth / 2 - 1)), plant()));
  EXPECT_NE(error_of(nested(kMaxDepth)).find("nested deeper than 64"), std::string::npos);
  EXPECT_NE(error_of(std::string(200, '-') + "x").find("nested deeper"), std::string::npos);
  EXPECT_NE(error_of(std::string(kMaxLength + 1, 'x')).find("longer than 4096"), std::string::npos);
  std::string sum = "x";
  for (std::size_t i = 1; i < kMaxNodes / 2; ++i) sum += "+x";
  EXPECT_TRUE(compile(at(sum), plant()));
  EXPECT_NE(error_of(sum + "+x").find("more than 500 parts"), std::string::npos);
  std::string tower = "x";
  for (int i = 0; i < 20; ++i) tower = "(" + tower + ")^2";
  EXPECT_TRUE(compile(at(tower), plant()));
}

TEST(Expression, TreatsNanAsItSays) {
  const std::vector<std::pair<std::string, double>> row = {{"x", kNan}, {"y", 2}};
  for (const auto text : {"x > 1", "x < 1", "x == x", "x != 1", "x >= x", "x && true", "x || false"})
    EXPECT_EQ(value_of(text, row).number, 0) << text;
  for (const auto text : {"x + 1", "x * 0", "min(x, y)", "min(y, x)", "max(y, x)", "clamp(x, 0, 1)", "abs(x)", "x ^ 0",
                          "round(x)", "sign(x)", "1 ^ x"})
    EXPECT_TRUE(std::isnan(value_of(text, row).number)) << text;
  EXPECT_EQ(value_of("coalesce(x, y)", row).number, 2);
  EXPECT_EQ(value_of("isnan(x)", row).number, 1);
  EXPECT_EQ(value_of("x ? 1 : 3", row).number, 3);
  EXPECT_EQ(value_of("!x", row).number, 1);
}

TEST(Expression, TellsConditionsFromNumbers) {
  EXPECT_TRUE(compile(at("x > 1"), plant())->boolean());
  EXPECT_TRUE(compile(at("running"), plant())->boolean());
  EXPECT_FALSE(compile(at("x + 1"), plant())->boolean());
  EXPECT_TRUE(compile_condition(at("running"), plant()));
  EXPECT_TRUE(compile_condition(at("x"), plant()));
  const auto refused = compile_condition(at("current"), plant());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("'current' is a number in A, not a condition"), std::string::npos);
}

TEST(Expression, ConvertsItsResult) {
  const auto program = compile_in(at("current * 400[V]"), plant(), unit("kW"));
  ASSERT_TRUE(program);
  std::vector<double> row(plant().size());
  row[2] = 5;
  EXPECT_DOUBLE_EQ(program->evaluate(row), 2);
  EXPECT_EQ(program->unit().text(), "kW");
  EXPECT_FALSE(compile_in(at("current"), plant(), unit("kW")));
  EXPECT_EQ(compile_in(at("3 * 4"), plant(), unit("kW"))->unit().text(), "kW");
}

TEST(Expression, SaysWhichColumnsItReads) {
  const auto program = compile(at("voltage > 3 && x < 1 && x > 0"), plant());
  EXPECT_EQ(std::vector<std::size_t>(program->uses().begin(), program->uses().end()), (std::vector<std::size_t>{0, 3}));
  EXPECT_TRUE(compile(at("1 + 2"), plant())->constant());
}

TEST(Expression, PointsBehindTheQuoteOfAQuotedScalar) {
  Node node;
  node.kind = Node::Kind::scalar;
  node.quoted = true;
  node.scalar = "nope";
  node.where = {"s.yaml", 1, 5};
  const auto program = compile(source_of(node), plant());
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().where.column, 6);
}

// A second, naive meaning of the tree: what each operator does to plain numbers.
double naive(const Tree& tree, int index, std::span<const double> row) {
  const TreeNode& node = tree.nodes[static_cast<std::size_t>(index)];
  std::vector<double> v;
  for (const int argument : node.arguments) v.push_back(naive(tree, argument, row));
  const auto yes = [](double x) { return !std::isnan(x) && x != 0; };
  const auto any_nan = [&] {
    for (const double x : v)
      if (std::isnan(x)) return true;
    return false;
  };
  switch (node.op) {
    case Op::number:
    case Op::boolean:
      return node.number;
    case Op::value:
      return row[static_cast<std::size_t>(node.name[0] - 'a')];
    case Op::negate:
      return -v[0];
    case Op::logical_not:
      return !yes(v[0]);
    case Op::add:
      return v[0] + v[1];
    case Op::subtract:
      return v[0] - v[1];
    case Op::multiply:
      return v[0] * v[1];
    case Op::divide:
      return v[0] / v[1];
    case Op::less:
      return v[0] < v[1];
    case Op::less_equal:
      return v[0] <= v[1];
    case Op::greater:
      return v[0] > v[1];
    case Op::greater_equal:
      return v[0] >= v[1];
    case Op::equal:
      return v[0] == v[1];
    case Op::not_equal:
      return !any_nan() && v[0] != v[1];
    case Op::logical_and:
      return yes(v[0]) && yes(v[1]);
    case Op::logical_or:
      return yes(v[0]) || yes(v[1]);
    case Op::select:
      return yes(v[0]) ? v[1] : v[2];
    case Op::abs:
      return std::abs(v[0]);
    case Op::floor:
      return std::floor(v[0]);
    case Op::sqrt:
      return std::sqrt(v[0]);
    case Op::min:
      return any_nan() ? kNan : std::min(v[0], v[1]);
    case Op::max:
      return any_nan() ? kNan : std::max(v[0], v[1]);
    case Op::isnan:
      return std::isnan(v[0]);
    case Op::coalesce:
      return std::isnan(v[0]) ? v[1] : v[0];
    default:
      ADD_FAILURE();
      return 0;
  }
}

class RandomText {
 public:
  explicit RandomText(std::uint64_t seed) : random_(seed) {}
  std::string make(int depth) {
    const auto pick = random_() % (depth <= 0 ? 2 : 9);
    if (pick == 0) return std::string(1, static_cast<char>('a' + random_() % 4));
    if (pick == 1) return fmt::format("{}", static_cast<double>(random_() % 9) / 2);
    if (pick == 2) return fmt::format("(-{})", make(depth - 1));
    if (pick == 3) return fmt::format("!({})", make(depth - 1));
    if (pick == 4) return fmt::format("if({}, {}, {})", make(depth - 1), make(depth - 1), make(depth - 1));
    constexpr const char* kCalls[] = {"abs({})", "floor({})", "sqrt({})", "isnan({})"};
    if (pick == 5) return fmt::format(fmt::runtime(kCalls[random_() % 4]), make(depth - 1));
    constexpr const char* kPairs[] = {"min({}, {})", "max({}, {})", "coalesce({}, {})"};
    if (pick == 6) return fmt::format(fmt::runtime(kPairs[random_() % 3]), make(depth - 1), make(depth - 1));
    constexpr const char* kOperators[] = {"+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!=", "&&", "||"};
    return fmt::format("({} {} {})", make(depth - 1), kOperators[random_() % 12], make(depth - 1));
  }

 private:
  std::mt19937_64 random_;
};

bool same_bits(double a, double b) { return (std::isnan(a) && std::isnan(b)) || a == b; }

TEST(Expression, AgreesWithANaiveTreeEvaluatorOnRandomExpressions) {
  const std::vector<ValueInfo> values = {
      {"a", {}, 0, false}, {"b", {}, 0, false}, {"c", {}, 0, false}, {"d", {}, 0, true}};
  std::mt19937_64 random(3);
  const double special[] = {0, 1, -1, 0.5, kNan, 2, INFINITY, -3.25};
  constexpr std::size_t kRows = 2 * kChunk + 37;
  std::vector<std::vector<double>> columns(values.size());
  std::vector<std::span<const double>> spans;
  for (auto& column : columns) {
    for (std::size_t i = 0; i < kRows; ++i) column.push_back(special[random() % 8]);
    spans.emplace_back(column);
  }
  std::vector<double> out(kRows);
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const std::string text = RandomText(seed).make(5);
    const auto tree = parse(at(text));
    if (!tree) continue;  // too many parts
    auto program = compile(at(text), values);
    ASSERT_TRUE(program) << text << "\n" << program.error().text();
    program->evaluate(spans, out);
    for (std::size_t i = 0; i < kRows; i += 7) {
      const std::vector<double> row = {columns[0][i], columns[1][i], columns[2][i], columns[3][i]};
      const double expected = naive(*tree, tree->root, row);
      ASSERT_TRUE(same_bits(program->evaluate(row), expected)) << text << " row " << i;
      ASSERT_TRUE(same_bits(out[i], expected)) << text << " row " << i;
    }
  }
}

TEST(Expression, GivesTheSameBitsInColumnsOfAnyLength) {
  const auto values = plant();
  auto program = compile(at("clamp(x ^ 3 + sin(y) * 2, -5, 5) / (1 + abs(x)) + round(y)"), values);
  ASSERT_TRUE(program);
  for (const std::size_t rows : {0u, 1u, 3u, 4u, 5u, 255u, 256u, 257u, 1000u}) {
    std::vector<double> x(rows), y(rows), out(rows), rest(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      x[i] = static_cast<double>(i) * 0.37 - 3;
      y[i] = 5 - static_cast<double>(i) * 0.11;
    }
    std::vector<std::span<const double>> columns(values.size(), rest);
    columns[0] = x;
    columns[1] = y;
    program->evaluate(columns, out);
    std::vector<double> row(values.size());
    for (std::size_t i = 0; i < rows; ++i) {
      row[0] = x[i];
      row[1] = y[i];
      ASSERT_EQ(std::bit_cast<std::uint64_t>(out[i]), std::bit_cast<std::uint64_t>(program->evaluate(row)))
          << rows << " " << i;
    }
  }
}

}  // namespace
}  // namespace alara::expr
