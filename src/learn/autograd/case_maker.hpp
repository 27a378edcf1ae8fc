// SPDX-License-Identifier: Apache-2.0
// Private to the case tables: how to write a case in one line.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "learn/autograd/cases.hpp"

namespace alara::learn::cases {

using Int = std::int64_t;
using Ints = std::vector<std::int64_t>;
using Floats = std::vector<float>;
using Strings = std::vector<std::string>;
using Attributes = std::map<std::string, graph::Attribute>;

// What goes into one input of the node.
struct Argument {
  std::optional<graph::Tensor> tensor;  // nullopt: left out
  bool constant = false;
};
inline Argument input(graph::Tensor tensor) { return {std::move(tensor), false}; }
inline Argument constant(graph::Tensor tensor) { return {std::move(tensor), true}; }
inline Argument constant(Ints numbers) {
  return {graph::Tensor::of(graph::Shape{static_cast<Int>(numbers.size())}, numbers), true};
}
inline Argument constant(float number) { return {graph::Tensor::scalar(number), true}; }
inline Argument none() { return {}; }

// Numbers in -2 … 2 (or low … high), all different by more than a step of finite differences and none 0, in an order
// that looks random and depends on `seed`.
[[nodiscard]] graph::Tensor numbers(graph::Shape shape, unsigned seed = 1, double low = -2, double high = 2);
[[nodiscard]] inline graph::Tensor positive(graph::Shape shape, unsigned seed = 1) {
  return numbers(std::move(shape), seed, 0.3, 2.3);
}
[[nodiscard]] graph::Tensor whole(graph::Shape shape, std::vector<std::int64_t> numbers);         // int64
[[nodiscard]] graph::Tensor truth(graph::Shape shape, std::vector<std::int64_t> zeros_and_ones);  // boolean

struct Recipe {
  std::string op;
  std::string variant;
  std::vector<Argument> arguments;
  Attributes attributes = {};
  std::size_t outputs = 1;
  std::int64_t opset = 17;
};
[[nodiscard]] Case make(const Recipe& recipe);
// A case without gradients.
[[nodiscard]] Case plain(const Recipe& recipe);

}  // namespace alara::learn::cases
