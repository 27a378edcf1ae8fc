// SPDX-License-Identifier: Apache-2.0
#include "graph/nhwc/element_ops.hpp"

#include <algorithm>

namespace alara::graph::nhwc {
namespace {

ValueId number(Lowering& lowering, const std::string& name, float value) {
  return lowering.constant(name, Tensor::scalar(value));
}

}  // namespace

ValueId unary(Lowering& lowering, const std::string& name, const std::string& op, ValueId x, Attributes attributes) {
  const Layout layout = lowering.layout_of(x);
  const std::string input = lowering.in(x, layout);
  return lowering.node(op, name, {input}, {lowering.at(x).type, lowering.at(x).dims, layout}, std::move(attributes));
}

Result<ValueId> broadcasting(Lowering& lowering, const std::string& name, const std::string& op,
                             const std::vector<ValueId>& inputs, std::optional<DataType> type) {
  if (inputs.empty()) return fail(ErrorKind::bad_input, "it has no inputs");
  Dims dims;
  for (const ValueId each : inputs) {
    ALARA_TRY(dims, broadcast(dims, lowering.at(each).dims));
  }
  const Layout layout = dims.size() == 4 ? lowering.layout_for(inputs) : Layout::channels_last;
  std::vector<std::string> names;
  for (const ValueId each : inputs) names.push_back(lowering.operand(each, layout));
  return lowering.node(op, name, names, {type.value_or(lowering.at(inputs.back()).type), std::move(dims), layout});
}

std::string before(Activation kind, const std::string& name) {
  return kind == Activation::none ? name : name + "/linear";
}

ValueId activation(Lowering& lowering, const std::string& name, Activation kind, ValueId x) {
  switch (kind) {
    case Activation::none:
      return x;
    case Activation::relu:
      return unary(lowering, name, "Relu", x);
    case Activation::relu6:
      return clip(lowering, name, x, 0, 6);
    case Activation::relu_n1_to_1:
      return clip(lowering, name, x, -1, 1);
    case Activation::relu_0_to_1:
      return clip(lowering, name, x, 0, 1);
    case Activation::tanh:
      return unary(lowering, name, "Tanh", x);
    case Activation::sigmoid:
      return unary(lowering, name, "Sigmoid", x);
    case Activation::elu:
      return unary(lowering, name, "Elu", x, {{"alpha", 1.0F}});
    case Activation::hard_swish:
      return unary(lowering, name, "HardSwish", x);
    case Activation::swish: {
      const ValueId gate = unary(lowering, name + "/gate", "Sigmoid", x);
      const Layout layout = lowering.layout_of(x);
      return lowering.node("Mul", name, {lowering.in(x, layout), lowering.in(gate, layout)},
                           {lowering.at(x).type, lowering.at(x).dims, layout});
    }
  }
  return x;
}

ValueId clip(Lowering& lowering, const std::string& name, ValueId x, float low, float high) {
  const Layout layout = lowering.layout_of(x);
  std::vector<std::string> inputs = {lowering.in(x, layout), lowering.scalar(name + "/min", low),
                                     lowering.scalar(name + "/max", high)};
  return lowering.node("Clip", name, std::move(inputs), {lowering.at(x).type, lowering.at(x).dims, layout});
}

ValueId leaky_relu(Lowering& lowering, const std::string& name, ValueId x, float alpha) {
  return unary(lowering, name, "LeakyRelu", x, {{"alpha", alpha}});
}

Result<ValueId> prelu(Lowering& lowering, const std::string& name, ValueId x, ValueId slope) {
  ALARA_TRY(const Dims dims, broadcast(lowering.at(x).dims, lowering.at(slope).dims));
  if (dims.size() != lowering.at(x).rank())
    return fail(ErrorKind::bad_input, "slopes of {} for {}", text_of(lowering.at(slope).dims),
                text_of(lowering.at(x).dims));
  return broadcasting(lowering, name, "PRelu", {x, slope});
}

// Hendrycks and Gimpel, "Gaussian Error Linear Units", equations 1 and 2 of section 2.
Result<ValueId> gelu(Lowering& lowering, const std::string& name, ValueId x, GeluForm form) {
  const ValueId half = number(lowering, name + "/half", 0.5F);
  const ValueId one = number(lowering, name + "/one", 1.0F);
  ValueId inner = x;
  if (form == GeluForm::exact) {
    const ValueId root = number(lowering, name + "/sqrt_half", 0.70710678118654752F);
    ALARA_TRY(inner, broadcasting(lowering, name + "/scaled", "Mul", {x, root}));
    inner = unary(lowering, name + "/erf", "Erf", inner);
  } else {
    const ValueId cubic = number(lowering, name + "/cubic", 0.044715F);
    const ValueId root = number(lowering, name + "/sqrt_2_pi", 0.79788456080286536F);
    ALARA_TRY(const ValueId square, broadcasting(lowering, name + "/square", "Mul", {x, x}));
    ALARA_TRY(const ValueId part, broadcasting(lowering, name + "/part", "Mul", {square, cubic}));
    ALARA_TRY(const ValueId more, broadcasting(lowering, name + "/more", "Add", {part, one}));
    ALARA_TRY(const ValueId both, broadcasting(lowering, name + "/both", "Mul", {more, x}));
    ALARA_TRY(inner, broadcasting(lowering, name + "/scaled", "Mul", {both, root}));
    inner = unary(lowering, name + "/tanh", "Tanh", inner);
  }
  ALARA_TRY(const ValueId shifted, broadcasting(lowering, name + "/shifted", "Add", {inner, one}));
  ALARA_TRY(const ValueId gate, broadcasting(lowering, name + "/gate", "Mul", {shifted, half}));
  return broadcasting(lowering, name, "Mul", {gate, x});
}

Result<ValueId> softmax(Lowering& lowering, const std::string& name, ValueId x, float beta, SoftmaxForm form) {
  const std::size_t rank = lowering.at(x).rank();
  if (rank == 0) return fail(ErrorKind::bad_input, "a softmax of a single number");
  if (beta != 1.0F) {
    const ValueId factor = number(lowering, name + "/beta", beta);
    ALARA_TRY(x, broadcasting(lowering, name + "/scaled", "Mul", {x, factor}));
  }
  const Layout layout = lowering.layout_of(x);
  const std::size_t axis = layout == Layout::channels_first ? 1 : rank - 1;
  return unary(lowering, name, form == SoftmaxForm::linear ? "Softmax" : "LogSoftmax", x,
               {{"axis", static_cast<std::int64_t>(axis)}});
}

Result<ValueId> squared_difference(Lowering& lowering, const std::string& name, ValueId a, ValueId b) {
  ALARA_TRY(const ValueId difference, broadcasting(lowering, name + "/difference", "Sub", {a, b}));
  return broadcasting(lowering, name, "Mul", {difference, difference});
}

Result<ValueId> floor_divide(Lowering& lowering, const std::string& name, ValueId a, ValueId b) {
  if (is_float(lowering.at(a).type)) {
    ALARA_TRY(const ValueId quotient, broadcasting(lowering, name + "/quotient", "Div", {a, b}));
    return unary(lowering, name, "Floor", quotient);
  }
  // ONNX divides integers towards zero: take the rest, which has the divisor's sign, away first.
  ALARA_TRY(const ValueId rest, broadcasting(lowering, name + "/rest", "Mod", {a, b}));
  ALARA_TRY(const ValueId whole, broadcasting(lowering, name + "/whole", "Sub", {a, rest}));
  return broadcasting(lowering, name, "Div", {whole, b});
}

Result<ValueId> floor_modulo(Lowering& lowering, const std::string& name, ValueId a, ValueId b) {
  if (!is_float(lowering.at(a).type)) return broadcasting(lowering, name, "Mod", {a, b});
  ALARA_TRY(const ValueId quotient, floor_divide(lowering, name + "/floor", a, b));
  ALARA_TRY(const ValueId whole, broadcasting(lowering, name + "/whole", "Mul", {quotient, b}));
  return broadcasting(lowering, name, "Sub", {a, whole});
}

ValueId reciprocal_root(Lowering& lowering, const std::string& name, ValueId x) {
  return unary(lowering, name, "Reciprocal", unary(lowering, name + "/root", "Sqrt", x));
}

ValueId cast(Lowering& lowering, const std::string& name, ValueId x, DataType type) {
  if (lowering.at(x).type == type) return x;
  const Layout layout = lowering.layout_of(x);
  const std::string input = lowering.in(x, layout);
  return lowering.node("Cast", name, {input}, {type, lowering.at(x).dims, layout},
                       {{"to", static_cast<std::int64_t>(type)}});
}

Result<ValueId> l2_normalise(Lowering& lowering, const std::string& name, ValueId x) {
  const Dims dims = lowering.at(x).dims;
  if (dims.empty()) return fail(ErrorKind::bad_input, "a norm of a single number");
  const Layout layout = lowering.layout_of(x);
  Dims reduced = dims;
  reduced.back() = {1, {}};
  const std::int64_t axis = layout == Layout::channels_first ? 1 : static_cast<std::int64_t>(dims.size()) - 1;
  const ValueId sum = lowering.node("ReduceSumSquare", name + "/squares", {lowering.in(x, layout)},
                                    {lowering.at(x).type, reduced, layout},
                                    {{"axes", std::vector<std::int64_t>{axis}}, {"keepdims", std::int64_t{1}}});
  const ValueId least = number(lowering, name + "/least", 1e-6F);
  ALARA_TRY(const ValueId bounded, broadcasting(lowering, name + "/bounded", "Max", {sum, least}));
  return broadcasting(lowering, name, "Div", {x, unary(lowering, name + "/norm", "Sqrt", bounded)});
}

}  // namespace alara::graph::nhwc
