// SPDX-License-Identifier: Apache-2.0
#include "graph/nhwc/element_ops.hpp"

#include "graph/tfjs/operators.hpp"

namespace alara::graph::tfjs {
namespace {

using nhwc::Activation;
using nhwc::ValueId;

template <nhwc::OpName kOp>
Outputs unary(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::unary(step.lowering, step.name(), kOp.text, x));
}

template <Activation kKind>
Outputs activation(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::activation(step.lowering, step.name(), kKind, x));
}

Status needs(const Step& step, std::size_t inputs) {
  if (step.inputs.size() == inputs) return {};
  return fail(ErrorKind::corrupt, "it has {} inputs, not {}", step.inputs.size(), inputs);
}

template <nhwc::OpName kOp, std::size_t kInputs = 2>
Outputs broadcasting(Step& step) {
  ALARA_CHECK(needs(step, kInputs));
  return single(nhwc::broadcasting(step.lowering, step.name(), kOp.text, step.inputs));
}

template <nhwc::OpName kOp>
Outputs comparison(Step& step) {
  ALARA_CHECK(needs(step, 2));
  return single(nhwc::broadcasting(step.lowering, step.name(), kOp.text, step.inputs, DataType::boolean));
}

Outputs not_equal(Step& step) {
  ALARA_CHECK(needs(step, 2));
  ALARA_TRY(const ValueId equal,
            nhwc::broadcasting(step.lowering, step.name() + "/equal", "Equal", step.inputs, DataType::boolean));
  return single(nhwc::unary(step.lowering, step.name(), "Not", equal));
}

Outputs sum_of_all(Step& step) { return single(nhwc::broadcasting(step.lowering, step.name(), "Sum", step.inputs)); }

template <Result<ValueId> (*kCompute)(nhwc::Lowering&, const std::string&, ValueId, ValueId)>
Outputs composed(Step& step) {
  ALARA_CHECK(needs(step, 2));
  return single(kCompute(step.lowering, step.name(), step.inputs[0], step.inputs[1]));
}

Outputs square(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::broadcasting(step.lowering, step.name(), "Mul", {x, x}));
}

Outputs reciprocal_root(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::reciprocal_root(step.lowering, step.name(), x));
}

Outputs leaky_relu(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::leaky_relu(step.lowering, step.name(), x, step.node.number("alpha", 0.2F)));
}

template <nhwc::SoftmaxForm kForm>
Outputs softmax(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::softmax(step.lowering, step.name(), x, 1.0F, kForm));
}

Outputs cast(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  const auto type = step.node.type("DstT");
  if (!type) return fail(ErrorKind::bad_input, "the type to cast to is not supported");
  return single(nhwc::cast(step.lowering, step.name(), x, *type));
}

Outputs identity(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return single(x);
}

}  // namespace

Outputs with_fused(Step& step, ValueId x, const std::vector<std::string>& fused, std::size_t first) {
  if (fused.empty()) return single(x);
  if (fused.size() > 1) return fail(ErrorKind::bad_input, "it fuses {} operators after the bias", fused.size());
  static const std::map<std::string, Activation> kActivations = {{"Relu", Activation::relu},
                                                                 {"Relu6", Activation::relu6},
                                                                 {"Elu", Activation::elu},
                                                                 {"Sigmoid", Activation::sigmoid},
                                                                 {"Tanh", Activation::tanh}};
  if (const auto found = kActivations.find(fused[0]); found != kActivations.end())
    return single(nhwc::activation(step.lowering, step.name(), found->second, x));
  if (fused[0] == "LeakyRelu")
    return single(nhwc::leaky_relu(step.lowering, step.name(), x, step.node.number("leakyrelu_alpha", 0.2F)));
  if (fused[0] == "Prelu") {
    ALARA_TRY(const ValueId slope, step.input(first));
    return single(nhwc::prelu(step.lowering, step.name(), x, slope));
  }
  return fail(ErrorKind::bad_input, "fused operator '{}' is not supported", fused[0].substr(0, 40));
}

std::span<const Entry> element_operators() {
  static constexpr Entry kEntries[] = {
      {"Add", broadcasting<"Add">},
      {"AddV2", broadcasting<"Add">},
      {"BiasAdd", broadcasting<"Add">},
      {"AddN", sum_of_all},
      {"Sub", broadcasting<"Sub">},
      {"Mul", broadcasting<"Mul">},
      {"Div", broadcasting<"Div">},
      {"RealDiv", broadcasting<"Div">},
      {"Maximum", broadcasting<"Max">},
      {"Minimum", broadcasting<"Min">},
      {"Pow", broadcasting<"Pow">},
      {"SquaredDifference", composed<nhwc::squared_difference>},
      {"FloorDiv", composed<nhwc::floor_divide>},
      {"FloorMod", composed<nhwc::floor_modulo>},
      {"Less", comparison<"Less">},
      {"LessEqual", comparison<"LessOrEqual">},
      {"Greater", comparison<"Greater">},
      {"GreaterEqual", comparison<"GreaterOrEqual">},
      {"Equal", comparison<"Equal">},
      {"NotEqual", not_equal},
      {"LogicalAnd", comparison<"And">},
      {"LogicalOr", comparison<"Or">},
      {"LogicalNot", unary<"Not">},
      {"SelectV2", broadcasting<"Where", 3>},
      {"Abs", unary<"Abs">},
      {"Neg", unary<"Neg">},
      {"Sign", unary<"Sign">},
      {"Floor", unary<"Floor">},
      {"Ceil", unary<"Ceil">},
      {"Round", unary<"Round">},
      {"Sqrt", unary<"Sqrt">},
      {"Rsqrt", reciprocal_root},
      {"Reciprocal", unary<"Reciprocal">},
      {"Square", square},
      {"Exp", unary<"Exp">},
      {"Log", unary<"Log">},
      {"Sin", unary<"Sin">},
      {"Cos", unary<"Cos">},
      {"Erf", unary<"Erf">},
      {"Softplus", unary<"Softplus">},
      {"Sigmoid", activation<Activation::sigmoid>},
      {"Tanh", activation<Activation::tanh>},
      {"Relu", activation<Activation::relu>},
      {"Relu6", activation<Activation::relu6>},
      {"Elu", activation<Activation::elu>},
      {"LeakyRelu", leaky_relu},
      {"Prelu", composed<nhwc::prelu>},
      {"Softmax", softmax<nhwc::SoftmaxForm::linear>},
      {"LogSoftmax", softmax<nhwc::SoftmaxForm::logarithmic>},
      {"Cast", cast},
      {"Identity", identity},
      {"StopGradient", identity},
      {"CheckNumerics", identity},
  };
  return kEntries;
}

}  // namespace alara::graph::tfjs
