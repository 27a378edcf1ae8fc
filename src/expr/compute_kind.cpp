// SPDX-License-Identifier: Apache-2.0
#include "expr/compute_kind.hpp"

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

class ComputeKind final : public OperatorKind {
 public:
  ComputeKind() {
    schema_.name = "compute";
    schema_.sentence =
        "One number or condition computed from every row, written as the step's value: `power: {compute: current * "
        "400[V]}`. "
        "Units are checked and converted; `(…)[kW]` gives the result in kW.";
  }

  [[nodiscard]] std::string_view key() const override { return "compute"; }
  [[nodiscard]] const Schema& schema() const override { return schema_; }

  Result<std::vector<std::string>> inputs(const Node& formula) const override {
    if (!formula.is_scalar())
      return fail_at(formula.where, "compute takes an expression, as in compute: current * 400[V]");
    ALARA_TRY(auto names, names_in(source_of(formula)));
    if (names.empty()) return fail_at(formula.where, "compute reads no value: '{}' is a constant", formula.scalar);
    return names;
  }

  Result<Made> make(const Node& formula, std::span<const ValueInfo> inputs, const OperatorContext&) const override {
    ALARA_TRY(const auto values, named_as_written(source_of(formula), inputs));
    auto program = compile(source_of(formula), values);
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
  // The values carry the names under which the formula asked for them.
  static Result<std::vector<ValueInfo>> named_as_written(const Source& source, std::span<const ValueInfo> inputs) {
    ALARA_TRY(const auto names, names_in(source));
    ALARA_ASSERT(names.size() == inputs.size(), "make() gets the values that inputs() asked for");
    std::vector<ValueInfo> values(inputs.begin(), inputs.end());
    for (std::size_t i = 0; i < names.size(); ++i) values[i].name = names[i];
    return values;
  }

  Schema schema_;
};

}  // namespace

const OperatorKind& compute_kind() {
  static const ComputeKind kind;
  return kind;
}

}  // namespace alara::expr
