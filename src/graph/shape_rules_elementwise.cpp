// SPDX-License-Identifier: Apache-2.0
// Operators whose output has the shape of their inputs, broadcast. Also follows integer arithmetic on shapes.
#include <algorithm>

#include "graph/shape_rules.hpp"

namespace alara::graph {

std::optional<Dims> broadcast(const Dims& left, const Dims& right) {
  Dims out(std::max(left.size(), right.size()));
  for (std::size_t i = 0; i < out.size(); ++i) {  // i counts from the last dimension
    const Dim one{1, {}};
    const Dim& a = i < left.size() ? left[left.size() - 1 - i] : one;
    const Dim& b = i < right.size() ? right[right.size() - 1 - i] : one;
    Dim& to = out[out.size() - 1 - i];
    if (a.size == 1)
      to = b;
    else if (b.size == 1 || a == b)
      to = a;
    else if (a.known() && b.known())
      return std::nullopt;
    else if (a.known() || b.known())
      to = a.known() ? a : b;  // the unknown one is 1 or the same
  }
  return out;
}

namespace {

Status same_as_first(ShapeContext& context) {
  const Dims* dims = context.dims(0);
  context.set(0, context.type(0), dims == nullptr ? std::nullopt : std::optional(*dims));
  if (context.node.op == "Identity" || context.node.op == "Dropout")
    if (auto numbers = context.numbers(0)) context.follow(0, *std::move(numbers));
  if (context.node.op == "Dropout")
    context.set(1, DataType::boolean, dims == nullptr ? std::nullopt : std::optional(*dims));
  return {};
}

// The shape of all inputs from `first` on, broadcast; nullopt when one of them is not known.
Result<std::optional<Dims>> broadcast_inputs(const ShapeContext& context, std::size_t first = 0) {
  std::optional<Dims> out;
  for (std::size_t i = first; i < context.inputs(); ++i) {
    const Dims* dims = context.dims(i);
    if (dims == nullptr) return std::optional<Dims>{};
    if (!out) {
      out = *dims;
      continue;
    }
    auto both = broadcast(*out, *dims);
    if (!both) return context.misfit("shapes do not broadcast");
    out = std::move(both);
  }
  return out;
}

Dim computed(std::string_view op, const Dim& a, const Dim& b) {
  if (!a.known() || !b.known()) {
    if (op == "Mul" && (a.size == 1 || b.size == 1)) return a.size == 1 ? b : a;
    if ((op == "Add" || op == "Sub") && b.size == 0) return a;
    if (op == "Div" && b.size == 1) return a;
    return {};
  }
  std::int64_t out = -1;
  if (op == "Add" && a.size <= kMaxSize && b.size <= kMaxSize) out = a.size + b.size;
  if (op == "Sub" && a.size <= kMaxSize && b.size <= kMaxSize) out = a.size - b.size;
  if (op == "Mul" && a.size <= kMaxSize && b.size <= kMaxSize) out = a.size * b.size;
  if (op == "Div" && b.size != 0) out = a.size / b.size;
  if (op == "Max") out = std::max(a.size, b.size);
  if (op == "Min") out = std::min(a.size, b.size);
  return {out, out < 0 && op == "Sub" ? std::string(kLiteral) : std::string()};
}

// Shapes are computed with: sums and products of small integers are followed.
void follow_arithmetic(ShapeContext& context) {
  if (context.inputs() != 2) return;
  const auto left = context.numbers(0);
  const auto right = context.numbers(1);
  if (!left || !right) return;
  const std::size_t size = std::max(left->numbers.size(), right->numbers.size());
  const auto fits = [&](const Followed& side) { return side.numbers.size() == size || side.numbers.size() == 1; };
  if (!fits(*left) || !fits(*right)) return;
  Followed out{{}, left->scalar && right->scalar};
  for (std::size_t i = 0; i < size; ++i) {
    const Dim& a = left->numbers[left->numbers.size() == 1 ? 0 : i];
    const Dim& b = right->numbers[right->numbers.size() == 1 ? 0 : i];
    out.numbers.push_back(computed(context.node.op, a, b));
  }
  context.follow(0, std::move(out));
}

Status broadcasting(ShapeContext& context) {
  ALARA_TRY(auto dims, broadcast_inputs(context));
  DataType type = context.type(0);
  for (std::size_t i = 1; type == DataType::undefined && i < context.inputs(); ++i) type = context.type(i);
  context.set(0, type, std::move(dims));
  follow_arithmetic(context);
  return {};
}

Status comparing(ShapeContext& context) {
  ALARA_TRY(auto dims, broadcast_inputs(context));
  context.set(0, DataType::boolean, std::move(dims));
  return {};
}

Status where(ShapeContext& context) {
  ALARA_TRY(auto dims, broadcast_inputs(context));
  context.set(0, context.type(1), std::move(dims));
  return {};
}

Status cast(ShapeContext& context) {
  const Dims* dims = context.dims(0);
  const auto type = context.node.op == "CastLike" ? std::optional(context.type(1))
                                                  : type_of(static_cast<int>(context.node.integer("to", 0)));
  if (!type) return context.misfit("type {} is not known", context.node.integer("to", 0));
  context.set(0, *type, dims == nullptr ? std::nullopt : std::optional(*dims));
  // Narrower types would wrap, and a boolean is 0 or 1.
  const bool keeps = *type == DataType::int64 || *type == DataType::int32;
  if (auto numbers = context.numbers(0); numbers && keeps) context.follow(0, *std::move(numbers));
  return {};
}

Status quantize(ShapeContext& context) {
  const Dims* dims = context.dims(0);
  DataType type = context.node.input(2).empty() ? DataType::uint8 : context.type(2);
  if (context.node.op == "DequantizeLinear") {
    type = context.type(1) == DataType::undefined ? DataType::float32 : context.type(1);
  } else if (const std::int64_t wanted = context.node.integer("output_dtype", 0);
             wanted != 0 && context.node.input(2).empty()) {
    type = type_of(static_cast<int>(wanted)).value_or(DataType::undefined);
  }
  context.set(0, type, dims == nullptr ? std::nullopt : std::optional(*dims));
  return {};
}

Status dynamic_quantize(ShapeContext& context) {
  const Dims* dims = context.dims(0);
  context.set(0, DataType::uint8, dims == nullptr ? std::nullopt : std::optional(*dims));
  context.set(1, DataType::float32, Dims{});
  context.set(2, DataType::uint8, Dims{});
  return {};
}

}  // namespace

ShapeRules elementwise_rules() {
  ShapeRules rules;
  for (const char* op : {"Relu",
                         "LeakyRelu",
                         "PRelu",
                         "Elu",
                         "Selu",
                         "Celu",
                         "Sigmoid",
                         "Tanh",
                         "HardSigmoid",
                         "HardSwish",
                         "Softplus",
                         "Softsign",
                         "Clip",
                         "Gelu",
                         "Mish",
                         "Erf",
                         "ThresholdedRelu",
                         "Shrink",
                         "Softmax",
                         "LogSoftmax",
                         "Hardmax",
                         "Identity",
                         "Dropout",
                         "Neg",
                         "Abs",
                         "Sqrt",
                         "Exp",
                         "Log",
                         "Reciprocal",
                         "Floor",
                         "Ceil",
                         "Round",
                         "Sign",
                         "Sin",
                         "Cos",
                         "Tan",
                         "Asin",
                         "Acos",
                         "Atan",
                         "Sinh",
                         "Cosh",
                         "Asinh",
                         "Acosh",
                         "Atanh",
                         "Not",
                         "BitwiseNot",
                         "CumSum",
                         "BatchNormalization",
                         "InstanceNormalization",
                         "LayerNormalization",
                         "GroupNormalization",
                         "LRN",
                         "LpNormalization",
                         "MeanVarianceNormalization",
                         "Trilu",
                         "ScatterElements",
                         "ScatterND",
                         "Scatter",
                         "ReverseSequence",
                         "EyeLike",
                         "RandomNormalLike",
                         "RandomUniformLike"})
    rules[op] = same_as_first;
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Pow", "Mod", "Min", "Max", "Mean", "Sum", "BitwiseAnd",
                         "BitwiseOr", "BitwiseXor", "BitShift"})
    rules[op] = broadcasting;
  for (const char* op :
       {"Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "And", "Or", "Xor", "IsNaN", "IsInf"})
    rules[op] = comparing;
  rules["Where"] = where;
  rules["Cast"] = cast;
  rules["CastLike"] = cast;
  rules["QuantizeLinear"] = quantize;
  rules["DequantizeLinear"] = quantize;
  rules["DynamicQuantizeLinear"] = dynamic_quantize;
  return rules;
}

}  // namespace alara::graph
