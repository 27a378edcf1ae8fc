// SPDX-License-Identifier: Apache-2.0
// Arithmetic element by element.
#include "learn/autograd/operators.hpp"

namespace alara::learn {
namespace {

at::Tensor sum_of(const at::Tensor& a, const at::Tensor& b) { return a + b; }

template <at::Tensor (*combine)(const at::Tensor&, const at::Tensor&)>
Values fold(const Call& call) {
  at::Tensor out = call[0];
  for (std::size_t i = 1; i < call.inputs.size(); ++i) out = combine(out, call[i]);
  return {out};
}

Values mean(const Call& call) { return {fold<sum_of>(call)[0] / static_cast<double>(call.inputs.size())}; }

// Of integers: towards zero.
Values divide(const Call& call) {
  if (call[0].is_floating_point()) return {call[0] / call[1]};
  return {at::div(call[0], call[1], "trunc")};
}

// The result has the type of the base.
Values power(const Call& call) {
  const at::Tensor& base = call[0];
  const at::Tensor& exponent = call[1];
  if (!base.is_floating_point()) return {at::pow(base.to(at::kDouble), exponent).to(base.scalar_type())};
  // One exponent for all: libtorch has closed forms for its gradient where the base is 0 or negative.
  if (exponent.numel() == 1 && !exponent.requires_grad() && exponent.dim() <= base.dim())
    return {at::pow(base, exponent.item())};
  return {at::pow(base, exponent.to(base.scalar_type()))};
}

// The sign of the divisor; with fmod that of the dividend, as in C.
Values modulo(const Call& call) {
  return {call.integer("fmod", 0) != 0 ? at::fmod(call[0], call[1]) : at::remainder(call[0], call[1])};
}

using Function = at::Tensor (*)(const at::Tensor&);
template <Function function>
Values each(const Call& call) {
  return {function(call[0])};
}

}  // namespace

std::span<const Operator> elementwise_operators() {
  static constexpr Operator kTable[] = {
      {"Abs", each<at::abs>},
      {"Acos", each<at::acos>},
      {"Acosh", each<at::acosh>},
      {"Add", [](const Call& c) { return Values{c[0] + c[1]}; }, inputs(0, 1)},
      {"Asin", each<at::asin>},
      {"Asinh", each<at::asinh>},
      {"Atan", each<at::atan>},
      {"Atanh", each<at::atanh>},
      {"Ceil", each<at::ceil>},
      {"Cos", each<at::cos>},
      {"Cosh", each<at::cosh>},
      {"Div", divide, inputs(0, 1)},
      {"Erf", each<at::erf>},
      {"Exp", each<at::exp>},
      {"Floor", each<at::floor>},
      {"Log", each<at::log>},
      {"Max", fold<at::maximum>},
      {"Mean", mean},
      {"Min", fold<at::minimum>},
      {"Mod", modulo},
      {"Mul", [](const Call& c) { return Values{c[0] * c[1]}; }, inputs(0, 1)},
      {"Neg", each<at::neg>},
      {"Pow", power},
      {"Reciprocal", each<at::reciprocal>},
      {"Round", each<at::round>},
      {"Sign", each<at::sign>},
      {"Sin", each<at::sin>},
      {"Sinh", each<at::sinh>},
      {"Sqrt", each<at::sqrt>},
      {"Sub", [](const Call& c) { return Values{c[0] - c[1]}; }, inputs(0, 1)},
      {"Sum", fold<sum_of>},
      {"Tan", each<at::tan>},
  };
  return kTable;
}

}  // namespace alara::learn
