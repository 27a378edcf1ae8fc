// SPDX-License-Identifier: Apache-2.0
#include "expr/compute.hpp"

#include <algorithm>

#include "expr/expression.hpp"

namespace alara::expr {
namespace {

class Compute final : public Operator {
 public:
  explicit Compute(Program program) : program_(std::move(program)) {}

  void process(const Frame& in, FrameBuilder& out) override {
    const std::size_t first = out.append_like(in);
    const std::span<double> result = out.column(0).subspan(first, in.size());
    program_.evaluate(in.columns, result);
    for (std::size_t i = 0; i < result.size(); ++i) {
      if (result[i] == result[i] || in.quality_at(i) != Quality::good) continue;
      out.set_quality(first + i, Quality::bad);
      ++undefined_;
    }
  }

  [[nodiscard]] std::size_t memory_bytes() const override { return sizeof(*this) + program_.memory_bytes(); }
  void counters(std::vector<Counter>& out) const override { out.push_back({"undefined", undefined_}); }

 private:
  Program program_;
  std::uint64_t undefined_ = 0;  // results that are NaN though the inputs were good
};

const Node& formula_of(const Node& options) { return options.is_scalar() ? options : *options.find("value"); }

class ComputeKind final : public OperatorKind {
 public:
  ComputeKind() {
    schema_.name = "compute";
    schema_.sentence = "One number or condition computed from every row; units are checked and converted.";
    schema_.properties = {
        {.name = "value", .type = PropertyType::expression, .sentence = "The expression, e.g. spindle_current * 400[V].", .required = true},
        {.name = "unit", .type = PropertyType::unit, .sentence = "The unit the result is converted to; default: the one that results."}};
  }

  [[nodiscard]] std::string_view key() const override { return "compute"; }
  [[nodiscard]] const Schema& schema() const override { return schema_; }

  Result<std::vector<std::string>> inputs(const Node& options) const override {
    const Node& formula = formula_of(options);
    ALARA_TRY(auto names, names_in(source_of(formula)));
    if (names.empty()) return fail_at(formula.where, "compute reads no value: '{}' is a constant", formula.scalar);
    return names;
  }

  Result<Made> make(const Node& options, std::span<const ValueInfo> inputs, const OperatorContext&) const override {
    const Source source = source_of(formula_of(options));
    const Node* unit_node = options.find("unit");
    auto program = unit_node == nullptr ? compile(source, inputs) : compile_in_unit(source, inputs, *unit_node);
    if (!program) return tl::unexpected<Error>(std::move(program).error());
    ValueInfo output;
    output.unit = program->unit();
    output.boolean = program->boolean();
    for (const std::size_t input : program->uses()) output.rate_hz = std::max(output.rate_hz, inputs[input].rate_hz);
    Made made;
    made.outputs.push_back(std::move(output));
    made.code = std::make_unique<Compute>(std::move(*program));
    made.memory_bound = made.code->memory_bytes();
    return made;
  }

 private:
  static Result<Program> compile_in_unit(const Source& source, std::span<const ValueInfo> inputs, const Node& unit_node) {
    auto unit = Unit::parse(unit_node.scalar);
    if (!unit) return fail_at(unit_node.where, "{}", unit.error().text());
    return compile_in(source, inputs, *unit);
  }

  Schema schema_;
};

}  // namespace

const OperatorKind& compute_kind() {
  static const ComputeKind kind;
  return kind;
}

}  // namespace alara::expr
