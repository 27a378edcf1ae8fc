// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <functional>
#include <limits>
#include <numeric>

#include "graph/reference_ops.hpp"

namespace alara::graph::reference {
namespace {

// Calls body.template operator()<T>() with the C++ type of `type`; false for types without one.
template <typename Body>
bool with_type(DataType type, Body&& body) {
  switch (type) {
    case DataType::float32:
      return body.template operator()<float>(), true;
    case DataType::float64:
      return body.template operator()<double>(), true;
    case DataType::int8:
      return body.template operator()<std::int8_t>(), true;
    case DataType::uint8:
      return body.template operator()<std::uint8_t>(), true;
    case DataType::int16:
      return body.template operator()<std::int16_t>(), true;
    case DataType::uint16:
      return body.template operator()<std::uint16_t>(), true;
    case DataType::int32:
      return body.template operator()<std::int32_t>(), true;
    case DataType::uint32:
      return body.template operator()<std::uint32_t>(), true;
    case DataType::int64:
      return body.template operator()<std::int64_t>(), true;
    case DataType::uint64:
      return body.template operator()<std::uint64_t>(), true;
    case DataType::boolean:
      return body.template operator()<bool>(), true;
    default:
      return false;
  }
}

tl::unexpected<Error> no_type(const Call& call, DataType type) {
  return fail(ErrorKind::unavailable, "{} of {}", call.node.label(), name_of(type));
}

// Out of range: the nearest the type has; NaN: 0. (ONNX leaves both open.)
template <typename To, typename From>
To converted(From value) {
  if constexpr (std::same_as<To, bool>) {
    return value != From{};
  } else if constexpr (std::integral<To> && std::floating_point<From>) {
    if (std::isnan(value)) return 0;
    if (value <= static_cast<From>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    if (value >= static_cast<From>(std::numeric_limits<To>::max())) return std::numeric_limits<To>::max();
    return static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

// Half precision is kept as bits; everything else by its own type.
Tensor narrowed(const Tensor& single) {
  Tensor out = Tensor::zeros(DataType::float16, single.shape);
  const auto numbers = single.values<float>();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::uint16_t bits = to_half(numbers[i]);
    std::memcpy(out.bytes.data() + 2 * i, &bits, 2);
  }
  return out;
}

Outputs cast(const Call& call) {
  ALARA_TRY(const Tensor* in, call.input(0));
  const std::optional<DataType> to = type_of(static_cast<int>(call.node.integer("to", 0)));
  if (!to) return fail(ErrorKind::unavailable, "{} to an unknown type", call.node.label());
  ALARA_TRY(Tensor out, call.make(*to == DataType::float16 ? DataType::float32 : *to, in->shape));
  const Tensor wide = in->type == DataType::float16 ? widened(*in) : Tensor{};
  const Tensor& from = in->type == DataType::float16 ? wide : *in;
  bool known = false;
  with_type(from.type, [&]<typename From>() {
    known = with_type(out.type, [&]<typename To>() {
      const auto source = from.values<From>();
      std::transform(source.begin(), source.end(), out.mutable_values<To>().begin(), converted<To, From>);
    });
  });
  if (!known) return no_type(call, in->type);
  return one(*to == DataType::float16 ? narrowed(out) : std::move(out));
}

// Integers are computed without sign, so that they wrap instead of overflowing.
template <typename T, typename Compute>
T wrapped(T a, T b, Compute compute) {
  if constexpr (std::integral<T>)
    return static_cast<T>(compute(static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b)));
  else
    return compute(a, b);
}

template <typename T>
T quotient(T a, T b) {
  if constexpr (std::signed_integral<T>)
    if (b == -1) return wrapped(T{0}, a, std::minus<>());
  if constexpr (std::integral<T>)
    if (b == 0) return 0;  // refused before it comes here
  return static_cast<T>(a / b);
}

enum class Binary { add, subtract, multiply, divide, minimum, maximum, power };
template <Binary kind, typename T>
T binary(T a, T b) {
  if constexpr (std::same_as<T, bool>)
    return false;
  else if constexpr (kind == Binary::add)
    return wrapped(a, b, std::plus<>());
  else if constexpr (kind == Binary::subtract)
    return wrapped(a, b, std::minus<>());
  else if constexpr (kind == Binary::multiply)
    return wrapped(a, b, std::multiplies<>());
  else if constexpr (kind == Binary::divide)
    return quotient(a, b);
  else if constexpr (kind == Binary::minimum)
    return std::min(a, b);
  else if constexpr (kind == Binary::maximum)
    return std::max(a, b);
  else
    return converted<T>(std::pow(a, b));
}

// combine<T>(a, b) element by element under numpy's rules; R is what comes out, void: T.
template <typename R, typename Combine>
Outputs zip(const Call& call, const Tensor& a, const Tensor& b, Combine combine) {
  if (a.type != b.type) return fail(ErrorKind::bad_input, "{}: {} and {}", call.node.label(), a.text(), b.text());
  ALARA_TRY(Shape shape, broadcast(a.shape, b.shape));
  DataType type = a.type;
  if constexpr (!std::is_void_v<R>) type = DataTypeOf<R>::value;
  ALARA_TRY(Tensor out, call.make(type, std::move(shape)));
  const auto left = broadcast_strides(a.shape, out.shape);
  const auto right = broadcast_strides(b.shape, out.shape);
  const bool known = with_type(a.type, [&]<typename T>() {
    using Out = std::conditional_t<std::is_void_v<R>, T, R>;
    const auto x = a.values<T>();
    const auto y = b.values<T>();
    const auto z = out.mutable_values<Out>();
    walk_both(out.shape, left, right, [&](std::int64_t i, std::int64_t in_a, std::int64_t in_b) {
      z[static_cast<std::size_t>(i)] = combine(x[static_cast<std::size_t>(in_a)], y[static_cast<std::size_t>(in_b)]);
    });
  });
  if (!known) return no_type(call, a.type);
  return one(std::move(out));
}

bool has_zero(const Tensor& numbers) {
  bool found = false;
  with_type(numbers.type, [&]<typename T>() {
    const auto values = numbers.values<T>();
    found = std::ranges::find(values, T{}) != values.end();
  });
  return found;
}

template <Binary kind>
Outputs binary_of(const Call& call) {
  ALARA_TRY(const Tensor* a, call.input(0));
  Tensor result = a->type == DataType::float16 ? widened(*a) : *a;
  for (std::size_t i = 1; i < call.inputs.size(); ++i) {
    ALARA_TRY(const Tensor* b, call.input(i));
    if (b->type != a->type) return fail(ErrorKind::bad_input, "{}: {} and {}", call.node.label(), a->text(), b->text());
    if (kind == Binary::divide && !is_float(b->type) && has_zero(*b))
      return fail(ErrorKind::bad_input, "{} divides by 0", call.node.label());
    const Tensor wide = b->type == DataType::float16 ? widened(*b) : Tensor{};
    ALARA_TRY(std::vector<Tensor> next, zip<void>(call, result, b->type == DataType::float16 ? wide : *b,
                                                  []<typename T>(T x, T y) { return binary<kind>(x, y); }));
    result = std::move(next.front());
  }
  return one(a->type == DataType::float16 ? narrowed(result) : std::move(result));
}

template <typename Compare>
Outputs comparison(const Call& call) {
  ALARA_TRY(const Tensor* a, call.input(0));
  ALARA_TRY(const Tensor* b, call.input(1));
  return zip<bool>(call, *a, *b, []<typename T>(T x, T y) { return static_cast<bool>(Compare{}(x, y)); });
}

Outputs where(const Call& call) {
  ALARA_TRY(const Tensor* condition, call.input(0));
  ALARA_TRY(const Tensor* yes, call.input(1));
  ALARA_TRY(const Tensor* no, call.input(2));
  if (condition->type != DataType::boolean || yes->type != no->type)
    return fail(ErrorKind::bad_input, "{}: types do not fit", call.node.label());
  ALARA_TRY(Shape shape, broadcast(yes->shape, no->shape));
  ALARA_TRY(shape, broadcast(shape, condition->shape));
  ALARA_TRY(Tensor out, call.make(yes->type, std::move(shape)));
  const std::size_t size = bytes_of(out.type);
  const auto choices = condition->values<bool>();
  std::vector<bool> chosen(static_cast<std::size_t>(out.elements()));
  walk(out.shape, broadcast_strides(condition->shape, out.shape), 0, [&](std::int64_t i, std::int64_t at) {
    chosen[static_cast<std::size_t>(i)] = choices[static_cast<std::size_t>(at)];
  });
  for (const bool side : {true, false}) {
    const Tensor& from = side ? *yes : *no;
    walk(out.shape, broadcast_strides(from.shape, out.shape), 0, [&](std::int64_t i, std::int64_t at) {
      const auto to = static_cast<std::size_t>(i);
      if (chosen[to] == side)
        std::memcpy(out.bytes.data() + to * size, from.bytes.data() + static_cast<std::size_t>(at) * size, size);
    });
  }
  return one(std::move(out));
}

Outputs negation(const Call& call) {
  ALARA_TRY(const Tensor* in, call.input(0));
  if (in->type != DataType::boolean) return no_type(call, in->type);
  Tensor out = *in;
  for (bool& value : out.mutable_values<bool>()) value = !value;
  return one(std::move(out));
}

enum class Unary { negate, absolute, root, reciprocal, floor, ceiling, exponential, logarithm, tanh, sigmoid, relu };
template <Unary kind, typename T>
T unary(T x) {
  if constexpr (std::same_as<T, bool>)
    return x;
  else if constexpr (kind == Unary::negate)
    return wrapped(T{0}, x, std::minus<>());
  else if constexpr (kind == Unary::absolute)
    return x < T{0} ? wrapped(T{0}, x, std::minus<>()) : x;
  else if constexpr (kind == Unary::relu)
    return std::max(x, T{0});
  else if constexpr (std::integral<T>)
    return x;  // refused before it comes here
  else if constexpr (kind == Unary::root)
    return std::sqrt(x);
  else if constexpr (kind == Unary::reciprocal)
    return T{1} / x;
  else if constexpr (kind == Unary::floor)
    return std::floor(x);
  else if constexpr (kind == Unary::ceiling)
    return std::ceil(x);
  else if constexpr (kind == Unary::exponential)
    return std::exp(x);
  else if constexpr (kind == Unary::logarithm)
    return std::log(x);
  else if constexpr (kind == Unary::tanh)
    return std::tanh(x);
  else
    return T{1} / (T{1} + std::exp(-x));
}

template <Unary kind>
Outputs unary_of(const Call& call) {
  ALARA_TRY(const Tensor* in, call.input(0));
  constexpr bool integers_too = kind == Unary::negate || kind == Unary::absolute || kind == Unary::relu;
  if (in->type == DataType::boolean || (!integers_too && !is_float(in->type))) return no_type(call, in->type);
  ALARA_TRY(Tensor out, call.make(in->type, in->shape));
  out = in->type == DataType::float16 ? widened(*in) : *in;
  const bool known = with_type(out.type, [&]<typename T>() {
    for (T& value : out.mutable_values<T>()) value = unary<kind>(value);
  });
  if (!known) return no_type(call, in->type);
  return one(in->type == DataType::float16 ? narrowed(out) : std::move(out));
}

// Which dimensions a reduction runs over: its second input or (before opset 18) its attribute; none: all.
Result<std::vector<bool>> reduced_axes(const Call& call, std::size_t rank) {
  ALARA_TRY(const std::vector<std::int64_t> axes, call.integers(1, "axes"));
  std::vector<bool> reduced(rank, axes.empty() && call.node.integer("noop_with_empty_axes", 0) == 0);
  for (const std::int64_t axis : axes) {
    ALARA_TRY(const std::size_t at, axis_of(axis, rank));
    reduced[at] = true;
  }
  return reduced;
}

template <Binary kind>
Outputs reduction(const Call& call) {
  ALARA_TRY(const Tensor* in, call.input(0));
  ALARA_TRY(const std::vector<bool> reduced, reduced_axes(call, in->rank()));
  Shape kept = in->shape;  // with sizes of 1 where it is reduced
  Shape final_shape;
  for (std::size_t d = 0; d < kept.size(); ++d) {
    if (reduced[d]) kept[d] = 1;
    if (!reduced[d] || call.node.integer("keepdims", 1) != 0) final_shape.push_back(kept[d]);
  }
  if (in->elements() == 0 || in->type == DataType::float16) return no_type(call, in->type);
  ALARA_TRY(Tensor out, call.make(in->type, std::move(final_shape)));
  std::vector<bool> begun(static_cast<std::size_t>(out.elements()), false);
  const bool known = with_type(in->type, [&]<typename T>() {
    const auto from = in->values<T>();
    const auto to = out.mutable_values<T>();
    walk(in->shape, broadcast_strides(kept, in->shape), 0, [&](std::int64_t i, std::int64_t at) {
      const auto target = static_cast<std::size_t>(at);
      const T value = from[static_cast<std::size_t>(i)];
      to[target] = begun[target] ? binary<kind>(T{to[target]}, value) : value;
      begun[target] = true;
    });
  });
  if (!known || in->type == DataType::boolean) return no_type(call, in->type);
  return one(std::move(out));
}

// y = (x - zero_point) * scale, per tensor or along one axis.
Outputs dequantize(const Call& call) {
  ALARA_TRY(const Tensor* in, call.input(0));
  ALARA_TRY(const Tensor* scale, call.input(1));
  if (scale->type != DataType::float32 || scale->rank() > 1 || is_float(in->type))
    return fail(ErrorKind::unavailable, "{}: {} by {}", call.node.label(), in->text(), scale->text());
  ALARA_TRY(Tensor out, call.make(DataType::float32, in->shape));
  ALARA_TRY(const std::vector<std::int64_t> numbers, in->to_integers());
  std::vector<std::int64_t> zero(static_cast<std::size_t>(scale->elements()), 0);
  if (call.given(2)) {
    ALARA_TRY(zero, call.inputs[2]->to_integers());
  }
  Shape along(in->rank(), 1);  // how the scales lie
  if (scale->rank() == 1 && scale->elements() != 1) {
    ALARA_TRY(const std::size_t axis, axis_of(call.node.integer("axis", 1), in->rank()));
    along[axis] = scale->shape[0];
    if (along[axis] != in->shape[axis]) return fail(ErrorKind::bad_input, "{}: scales do not fit", call.node.label());
  }
  if (scale->elements() == 0 || zero.size() != static_cast<std::size_t>(scale->elements()))
    return fail(ErrorKind::bad_input, "{}: zero points do not fit its scales", call.node.label());
  const auto to = out.mutable_values<float>();
  const auto factors = scale->values<float>();
  walk(in->shape, broadcast_strides(along, in->shape), 0, [&](std::int64_t i, std::int64_t at) {
    const auto channel = static_cast<std::size_t>(at);
    to[static_cast<std::size_t>(i)] =
        static_cast<float>(numbers[static_cast<std::size_t>(i)] - zero[channel]) * factors[channel];
  });
  return one(std::move(out));
}

constexpr std::array kArithmetic{
    Operator{"Abs", unary_of<Unary::absolute>},
    Operator{"Add", binary_of<Binary::add>},
    Operator{"And", comparison<std::logical_and<>>},
    Operator{"Cast", cast},
    Operator{"Ceil", unary_of<Unary::ceiling>},
    Operator{"DequantizeLinear", dequantize},
    Operator{"Div", binary_of<Binary::divide>},
    Operator{"Equal", comparison<std::equal_to<>>},
    Operator{"Exp", unary_of<Unary::exponential>},
    Operator{"Floor", unary_of<Unary::floor>},
    Operator{"Greater", comparison<std::greater<>>},
    Operator{"GreaterOrEqual", comparison<std::greater_equal<>>},
    Operator{"Less", comparison<std::less<>>},
    Operator{"LessOrEqual", comparison<std::less_equal<>>},
    Operator{"Log", unary_of<Unary::logarithm>},
    Operator{"Max", binary_of<Binary::maximum>},
    Operator{"Min", binary_of<Binary::minimum>},
    Operator{"Mul", binary_of<Binary::multiply>},
    Operator{"Neg", unary_of<Unary::negate>},
    Operator{"Not", negation},
    Operator{"Or", comparison<std::logical_or<>>},
    Operator{"Pow", binary_of<Binary::power>},
    Operator{"Reciprocal", unary_of<Unary::reciprocal>},
    Operator{"ReduceMax", reduction<Binary::maximum>},
    Operator{"ReduceMin", reduction<Binary::minimum>},
    Operator{"ReduceProd", reduction<Binary::multiply>},
    Operator{"ReduceSum", reduction<Binary::add>},
    Operator{"Relu", unary_of<Unary::relu>},
    Operator{"Sigmoid", unary_of<Unary::sigmoid>},
    Operator{"Sqrt", unary_of<Unary::root>},
    Operator{"Sub", binary_of<Binary::subtract>},
    Operator{"Tanh", unary_of<Unary::tanh>},
    Operator{"Where", where},
};

}  // namespace

std::span<const Operator> arithmetic() { return kArithmetic; }

}  // namespace alara::graph::reference
