// SPDX-License-Identifier: Apache-2.0
#include "graph/nhwc/element_ops.hpp"

#include "graph/tflite/fused.hpp"
#include "graph/tflite/operators.hpp"

namespace alara::graph::tflite {
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

Result<std::vector<ValueId>> all_inputs(const Step& step, std::size_t count) {
  std::vector<ValueId> out;
  for (std::size_t i = 0; i < count; ++i) {
    ALARA_TRY(const ValueId one, step.input(i));
    out.push_back(one);
  }
  return out;
}

template <nhwc::OpName kOp, typename Options>
Outputs arithmetic(Step& step) {
  ALARA_TRY(const auto* options, step.options<Options>());
  ALARA_TRY(const std::vector<ValueId> inputs, all_inputs(step, 2));
  return with_activation(step, options->activation(), [&](const std::string& name) {
    return nhwc::broadcasting(step.lowering, name, kOp.text, inputs);
  });
}

template <nhwc::OpName kOp>
Outputs binary(Step& step) {
  ALARA_TRY(const std::vector<ValueId> inputs, all_inputs(step, 2));
  return single(nhwc::broadcasting(step.lowering, step.name(), kOp.text, inputs));
}

template <nhwc::OpName kOp>
Outputs comparison(Step& step) {
  ALARA_TRY(const std::vector<ValueId> inputs, all_inputs(step, 2));
  return single(nhwc::broadcasting(step.lowering, step.name(), kOp.text, inputs, DataType::boolean));
}

Outputs not_equal(Step& step) {
  ALARA_TRY(const std::vector<ValueId> inputs, all_inputs(step, 2));
  ALARA_TRY(const ValueId equal,
            nhwc::broadcasting(step.lowering, step.name() + "/equal", "Equal", inputs, DataType::boolean));
  return single(nhwc::unary(step.lowering, step.name(), "Not", equal));
}

Outputs sum_of_all(Step& step) {
  ALARA_TRY(const std::vector<ValueId> inputs, all_inputs(step, step.inputs.size()));
  return single(nhwc::broadcasting(step.lowering, step.name(), "Sum", inputs));
}

template <Result<ValueId> (*kCompute)(nhwc::Lowering&, const std::string&, ValueId, ValueId)>
Outputs composed(Step& step) {
  ALARA_TRY(const std::vector<ValueId> inputs, all_inputs(step, 2));
  return single(kCompute(step.lowering, step.name(), inputs[0], inputs[1]));
}

Outputs square(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::broadcasting(step.lowering, step.name(), "Mul", {x, x}));
}

Outputs reciprocal_root(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::reciprocal_root(step.lowering, step.name(), x));
}

Outputs select(Step& step) {
  ALARA_TRY(const std::vector<ValueId> inputs, all_inputs(step, 3));
  const std::size_t rank = step.lowering.at(inputs[0]).rank();
  if (rank == 1 && step.lowering.at(inputs[1]).rank() > 1)
    return fail(ErrorKind::bad_input, "choosing whole rows is not supported");
  return single(nhwc::broadcasting(step.lowering, step.name(), "Where", inputs));
}

Outputs leaky_relu(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::LeakyReluOptions>());
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::leaky_relu(step.lowering, step.name(), x, options->alpha()));
}

Outputs gelu(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::GeluOptions>());
  ALARA_TRY(const ValueId x, step.input(0));
  const auto form = options->approximate() ? nhwc::GeluForm::tanh : nhwc::GeluForm::exact;
  return single(nhwc::gelu(step.lowering, step.name(), x, form));
}

Outputs softmax(Step& step) {
  ALARA_TRY(const auto* options, step.options<schema::SoftmaxOptions>());
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::softmax(step.lowering, step.name(), x, options->beta(), nhwc::SoftmaxForm::linear));
}

Outputs log_softmax(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::softmax(step.lowering, step.name(), x, 1.0F, nhwc::SoftmaxForm::logarithmic));
}

Outputs l2_normalise(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::l2_normalise(step.lowering, step.name(), x));
}

Outputs cast(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::cast(step.lowering, step.name(), x, step.outputs[0].type));
}

// Quantised values are real numbers within the graph: the caller quantises what comes out where its tensor says so.
Outputs quantize(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return single(x);
}

Outputs dequantize(Step& step) {
  ALARA_TRY(const ValueId x, step.input(0));
  return single(nhwc::cast(step.lowering, step.name(), x, DataType::float32));
}

}  // namespace

std::span<const Entry> element_operators() {
  using enum schema::BuiltinOperator;
  static constexpr Entry kEntries[] = {
      {ADD, arithmetic<"Add", schema::AddOptions>},
      {SUB, arithmetic<"Sub", schema::SubOptions>},
      {MUL, arithmetic<"Mul", schema::MulOptions>},
      {DIV, arithmetic<"Div", schema::DivOptions>},
      {ADD_N, sum_of_all},
      {MAXIMUM, binary<"Max">},
      {MINIMUM, binary<"Min">},
      {POW, binary<"Pow">},
      {SQUARED_DIFFERENCE, composed<nhwc::squared_difference>},
      {FLOOR_DIV, composed<nhwc::floor_divide>},
      {FLOOR_MOD, composed<nhwc::floor_modulo>},
      {LESS, comparison<"Less">},
      {LESS_EQUAL, comparison<"LessOrEqual">},
      {GREATER, comparison<"Greater">},
      {GREATER_EQUAL, comparison<"GreaterOrEqual">},
      {EQUAL, comparison<"Equal">},
      {NOT_EQUAL, not_equal},
      {LOGICAL_AND, comparison<"And">},
      {LOGICAL_OR, comparison<"Or">},
      {LOGICAL_NOT, unary<"Not">},
      {SELECT, select},
      {SELECT_V2, select},
      {ABS, unary<"Abs">},
      {NEG, unary<"Neg">},
      {SIGN, unary<"Sign">},
      {FLOOR, unary<"Floor">},
      {CEIL, unary<"Ceil">},
      {ROUND, unary<"Round">},
      {SQRT, unary<"Sqrt">},
      {RSQRT, reciprocal_root},
      {SQUARE, square},
      {EXP, unary<"Exp">},
      {LOG, unary<"Log">},
      {SIN, unary<"Sin">},
      {COS, unary<"Cos">},
      {LOGISTIC, activation<Activation::sigmoid>},
      {TANH, activation<Activation::tanh>},
      {RELU, activation<Activation::relu>},
      {RELU6, activation<Activation::relu6>},
      {RELU_N1_TO_1, activation<Activation::relu_n1_to_1>},
      {RELU_0_TO_1, activation<Activation::relu_0_to_1>},
      {ELU, activation<Activation::elu>},
      {HARD_SWISH, activation<Activation::hard_swish>},
      {LEAKY_RELU, leaky_relu},
      {PRELU, composed<nhwc::prelu>},
      {GELU, gelu},
      {SOFTMAX, softmax},
      {LOG_SOFTMAX, log_softmax},
      {L2_NORMALIZATION, l2_normalise},
      {CAST, cast},
      {QUANTIZE, quantize},
      {DEQUANTIZE, dequantize},
      {DENSIFY, quantize},  // sparse constants are made dense when they are read
  };
  return kEntries;
}

}  // namespace alara::graph::tflite
