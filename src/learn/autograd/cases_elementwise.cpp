// SPDX-License-Identifier: Apache-2.0
// Activations, arithmetic, logic, reductions.
#include "learn/autograd/case_maker.hpp"

namespace alara::learn {

using namespace cases;

namespace {

std::vector<Case> activation_cases() {
  const Argument x = input(numbers({2, 3, 4}));
  const Argument wide = input(numbers({2, 3, 4}, 2, -4, 4));
  return {
      make({"Celu", "", {x}, {{"alpha", 0.7F}}}),
      make({"Clip", "both", {x, constant(-0.73F), constant(0.91F)}}),
      make({"Clip", "low only", {x, constant(-0.73F)}}),
      make({"Clip", "high only", {x, none(), constant(0.91F)}}),
      make({"Elu", "", {x}, {{"alpha", 0.7F}}}),
      make({"Gelu", "erf", {x}, {}, 1, 20}),
      make({"Gelu", "tanh", {x}, {{"approximate", std::string("tanh")}}, 1, 20}),
      make({"HardSigmoid", "", {wide}}),
      make({"HardSigmoid", "steeper", {wide}, {{"alpha", 0.3F}, {"beta", 0.4F}}}),
      make({"HardSwish", "", {wide}}),
      make({"LeakyRelu", "", {x}}),
      make({"LeakyRelu", "steeper", {x}, {{"alpha", 0.3F}}}),
      make({"Mish", "", {x}, {}, 1, 18}),
      make({"PRelu", "one slope for each channel", {x, constant(numbers({3, 1}))}}),
      make({"PRelu", "one slope", {x, constant(numbers({1}))}}),
      make({"Relu", "", {x}}),
      make({"Selu", "", {x}}),
      make({"Shrink", "", {x}, {{"lambd", 0.6F}, {"bias", 0.2F}}}),
      make({"Sigmoid", "", {wide}}),
      make({"Softplus", "", {wide}}),
      make({"Softsign", "", {x}}),
      make({"Tanh", "", {x}}),
      make({"ThresholdedRelu", "", {x}, {{"alpha", 0.61F}}}),
  };
}

std::vector<Case> function_cases() {
  std::vector<Case> out;
  for (const std::string op : {"Abs", "Atan", "Asinh", "Ceil", "Cos", "Cosh", "Erf", "Exp", "Floor", "Neg",
                               "Reciprocal", "Round", "Sign", "Sin", "Sinh"})
    out.push_back(make({op, "", {input(numbers({3, 6}))}}));
  for (const std::string op : {"Acos", "Asin", "Atanh"})
    out.push_back(make({op, "", {input(numbers({3, 6}, 1, -0.9, 0.9))}}));
  for (const std::string op : {"Log", "Sqrt"}) out.push_back(make({op, "", {input(positive({3, 6}))}}));
  out.push_back(make({"Acosh", "", {input(numbers({3, 6}, 1, 1.2, 3))}}));
  out.push_back(make({"Tan", "", {input(numbers({3, 6}, 1, -1.2, 1.2))}}));
  return out;
}

std::vector<Case> arithmetic_cases() {
  std::vector<Case> out;
  const Argument x = input(numbers({2, 3, 4}));
  const Argument y = input(numbers({3, 1}, 2));
  for (const std::string op : {"Add", "Sub", "Mul", "Div"}) {
    out.push_back(make({op, "same shape", {x, input(numbers({2, 3, 4}, 5))}}));
    out.push_back(make({op, "broadcast", {x, y}}));
    out.push_back(make({op, "broadcast the other way", {y, x}}));
    out.push_back(plain({op, "integers", {input(whole({4}, {7, -7, 8, -9})), input(whole({4}, {2, 2, -3, 4}))}}));
  }
  for (const std::string op : {"Max", "Min", "Mean", "Sum"}) {
    out.push_back(make({op, "three", {x, y, input(numbers({4}, 9))}}));
    out.push_back(make({op, "one", {x}}));
  }
  out.push_back(make({"Mod", "fmod", {x, input(positive({2, 3, 4}, 6))}, {{"fmod", Int{1}}}}));
  out.push_back(plain({"Mod", "integers", {input(whole({4}, {7, -7, 7, -7})), input(whole({4}, {3, 3, -3, -3}))}}));
  out.push_back(make({"Pow", "square", {x, constant(2.0F)}}));
  out.push_back(make({"Pow", "cube", {x, constant(3.0F)}}));
  out.push_back(make({"Pow", "root", {input(positive({2, 3})), constant(0.5F)}}));
  out.push_back(make({"Pow", "learned exponent", {input(positive({2, 3, 4})), y}}));
  return out;
}

std::vector<Case> logic_cases() {
  std::vector<Case> out;
  const Argument x = input(graph::Tensor::of(graph::Shape{4}, std::vector<float>{1, 2, 3, -4}));
  const Argument y = input(graph::Tensor::of(graph::Shape{4}, std::vector<float>{1, 3, 2, -4}));
  for (const std::string op : {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"})
    out.push_back(plain({op, "", {x, y}}));
  const Argument p = input(truth({4}, {0, 0, 1, 1}));
  const Argument q = input(truth({4}, {0, 1, 0, 1}));
  for (const std::string op : {"And", "Or", "Xor"}) out.push_back(plain({op, "", {p, q}}));
  out.push_back(plain({"Not", "", {p}}));
  const Argument odd = input(graph::Tensor::of(graph::Shape{4}, std::vector<float>{1, INFINITY, -INFINITY, NAN}));
  out.push_back(plain({"IsInf", "", {odd}}));
  out.push_back(plain({"IsInf", "positive only", {odd}, {{"detect_negative", Int{0}}}}));
  out.push_back(plain({"IsNaN", "", {odd}}));
  out.push_back(
      make({"Where", "", {input(truth({3, 1}, {0, 1, 1})), input(numbers({2, 3, 4})), input(numbers({4}, 2))}}));
  out.push_back(plain({"Cast", "to int64", {input(numbers({3, 4}))}, {{"to", Int{7}}}}));
  out.push_back(plain({"Cast", "to boolean", {input(whole({3}, {0, 2, -1}))}, {{"to", Int{9}}}}));
  out.push_back(make({"Cast", "to float32", {input(numbers({3, 4}))}, {{"to", Int{1}}}}));
  out.push_back(make({"Cast", "to float64", {input(numbers({3, 4}))}, {{"to", Int{11}}}}));
  out.push_back(plain({"Cast", "to float16", {input(numbers({3, 4}))}, {{"to", Int{10}}}}));
  out.push_back(plain({"CastLike", "", {input(numbers({3, 4})), input(whole({1}, {1}))}}));
  return out;
}

}  // namespace

std::vector<Case> elementwise_cases() {
  std::vector<Case> out;
  for (const auto family : {activation_cases, function_cases, arithmetic_cases, logic_cases})
    for (Case& each : family()) out.push_back(std::move(each));
  return out;
}

std::vector<Case> reduce_cases() {
  std::vector<Case> out;
  for (const std::string op : {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
                               "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"}) {
    const bool logarithm = op == "ReduceLogSum";
    const Argument x = input(logarithm ? positive({2, 3, 4}) : numbers({2, 3, 4}));
    out.push_back(make({op, "all axes", {x}, {}, 1, 18}));
    out.push_back(make({op, "axes as input", {x, constant(Ints{0, -1})}, {{"keepdims", Int{0}}}, 1, 18}));
    out.push_back(make({op, "no axes means none", {x, constant(Ints{})}, {{"noop_with_empty_axes", Int{1}}}, 1, 18}));
    if (op != "ReduceSum")
      out.push_back(make({op, "axes as attribute", {x}, {{"axes", Ints{1}}, {"keepdims", Int{1}}}, 1, 17}));
  }
  const Argument x = input(numbers({2, 3, 4}));
  for (const std::string op : {"ArgMax", "ArgMin"}) {
    out.push_back(plain({op, "", {x}}));
    out.push_back(plain({op, "last axis, dropped", {x}, {{"axis", Int{-1}}, {"keepdims", Int{0}}}}));
    out.push_back(
        plain({op, "last of equals", {input(whole({6}, {1, 3, 1, 3, 1, 3}))}, {{"select_last_index", Int{1}}}}));
  }
  out.push_back(plain({"Hardmax", "", {x}, {{"axis", Int{1}}}}));
  return out;
}

}  // namespace alara::learn
