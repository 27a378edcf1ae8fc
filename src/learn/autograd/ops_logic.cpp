// SPDX-License-Identifier: Apache-2.0
// Comparisons, logic, choice and casts.
#include "learn/autograd/operators.hpp"

namespace alara::learn {
namespace {

Values is_infinite(const Call& call) {
  const at::Tensor& x = call[0];
  at::Tensor out = at::isinf(x);
  if (call.integer("detect_negative", 1) == 0) out = out & (x > 0);
  if (call.integer("detect_positive", 1) == 0) out = out & (x < 0);
  return {out};
}

at::Tensor converted(const at::Tensor& x, graph::DataType type, at::ScalarType real) {
  using graph::DataType;
  switch (type) {
    case DataType::float32:
      return x.to(real);
    case DataType::float16:
      return x.to(at::kHalf).to(real);
    case DataType::bfloat16:
      return x.to(at::kBFloat16).to(real);
    case DataType::float64:
      return x.to(at::kDouble);
    case DataType::boolean:
      return x != 0;
    case DataType::uint8:
      return x.to(at::kByte);
    case DataType::int8:
      return x.to(at::kChar);
    case DataType::int16:
      return x.to(at::kShort);
    case DataType::uint16:
    case DataType::int32:
      return x.to(at::kInt);
    case DataType::uint32:
    case DataType::int64:
    case DataType::uint64:
      return x.to(at::kLong);
    default:
      TORCH_CHECK(false, "no numbers of type ", std::string(graph::name_of(type)));
  }
}

graph::DataType cast_type(const graph::Node& node) {
  return graph::type_of(static_cast<int>(node.integer("to", 0))).value_or(graph::DataType::undefined);
}

Values cast(const Call& call) { return {converted(call[0], cast_type(call.node), call.real)}; }

std::string cast_limits(const graph::Node& node) {
  const graph::DataType type = cast_type(node);
  const bool numbers =
      graph::bytes_of(type) != 0 && type != graph::DataType::complex64 && type != graph::DataType::complex128;
  return numbers ? "" : "casts to type " + std::string(graph::name_of(type));
}

// The type that the second input is declared to have, where that is known: it may be finer than how it is held here.
Values cast_like(const Call& call) {
  const bool known = call.types.size() > 1 && call.types[1] != graph::DataType::undefined;
  return {known ? converted(call[0], call.types[1], call.real) : call[0].to(call[1].scalar_type())};
}

template <at::Tensor (*function)(const at::Tensor&, const at::Tensor&)>
Values both(const Call& call) {
  return {function(call[0], call[1])};
}

}  // namespace

std::span<const Operator> logic_operators() {
  static constexpr Operator kTable[] = {
      {"And", both<at::logical_and>},
      {"Cast", cast, 0, 0, cast_limits},
      {"CastLike", cast_like},
      {"Equal", both<at::eq>},
      {"Greater", both<at::gt>},
      {"GreaterOrEqual", both<at::ge>},
      {"IsInf", is_infinite},
      {"IsNaN", [](const Call& c) { return Values{at::isnan(c[0])}; }},
      {"Less", both<at::lt>},
      {"LessOrEqual", both<at::le>},
      {"Not", [](const Call& c) { return Values{at::logical_not(c[0])}; }},
      {"Or", both<at::logical_or>},
      {"Where", [](const Call& c) { return Values{at::where(c[0], c[1], c[2])}; }},
      {"Xor", both<at::logical_xor>},
  };
  return kTable;
}

}  // namespace alara::learn
