// SPDX-License-Identifier: Apache-2.0
// QuantizeLinear and DequantizeLinear. Quantised values are real numbers that happen to be whole, so that gradients
// pass: rounding hands them straight through (straight-through estimator, Bengio et al. 2013), clipping stops them.
#include <optional>

#include "learn/autograd/operators.hpp"
#include "learn/autograd/rounding.hpp"

namespace alara::learn {
namespace {

// Scale or zero point in a shape that broadcasts over x.
at::Tensor along_axis(const Call& call, const at::Tensor& factor) {
  const at::Tensor& x = call[0];
  const at::Tensor real = factor.to(call.real);
  if (factor.numel() == 1) return real.reshape({});
  Integers shape(static_cast<std::size_t>(x.dim()), 1);
  shape.at(static_cast<std::size_t>(axis_in(call.integer("axis", 1), x.dim()))) = -1;
  return real.reshape(shape);
}

at::Tensor zero_point(const Call& call) { return call.has(2) ? along_axis(call, call[2]) : at::zeros({}, call.real); }

// The integers' type: the zero point's, or what the attribute says, or uint8.
graph::DataType quantised_type(const Call& call) {
  if (call.types.size() > 2 && call.types[2] != graph::DataType::undefined) return call.types[2];
  if (call.has(2) && call[2].scalar_type() == at::kChar) return graph::DataType::int8;
  const auto asked = graph::type_of(static_cast<int>(call.integer("output_dtype", 2)));
  return asked.value_or(graph::DataType::uint8);
}

Values quantize(const Call& call) {
  const auto range = integer_range(quantised_type(call));
  TORCH_CHECK(range, "integers of type ", std::string(graph::name_of(quantised_type(call))));
  return {rounded(call[0].to(call.real) / along_axis(call, call[1]), zero_point(call), *range)};
}

Values dequantize(const Call& call) { return {(call[0].to(call.real) - zero_point(call)) * along_axis(call, call[1])}; }

std::string limits(const graph::Node& node) { return node.integer("block_size", 0) != 0 ? "attribute block_size" : ""; }

}  // namespace

std::optional<IntegerRange> integer_range(graph::DataType type) {
  switch (type) {
    case graph::DataType::uint8:
      return IntegerRange{0, 255};
    case graph::DataType::int8:
      return IntegerRange{-128, 127};
    case graph::DataType::uint16:
      return IntegerRange{0, 65535};
    case graph::DataType::int16:
      return IntegerRange{-32768, 32767};
    case graph::DataType::int32:
      return IntegerRange{-2147483648.0, 2147483647.0};
    default:
      return std::nullopt;
  }
}

at::Tensor rounded(const at::Tensor& steps, const at::Tensor& zero, const IntegerRange& range) {
  // Round half to even comes before the zero point is added, as ONNX has it.
  const at::Tensor inside = at::clamp(steps, range.low - zero, range.high - zero);
  return inside + (at::round(inside) - inside).detach() + zero;
}

std::span<const Operator> quantize_operators() {
  static constexpr Operator kTable[] = {
      {"DequantizeLinear", dequantize, inputs(0), inputs(1, 2), limits},
      {"QuantizeLinear", quantize, 0, inputs(1, 2), limits},
  };
  return kTable;
}

}  // namespace alara::learn
