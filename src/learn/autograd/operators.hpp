// SPDX-License-Identifier: Apache-2.0
// Private to learn/autograd: the table of operators, one line for each. A family (ops_*.cpp) ends with its part of it;
// adding an operator is a function and a line there.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "learn/autograd/call.hpp"

namespace alara::learn {

struct Operator {
  std::string_view name;
  Values (*run)(const Call& call);
  // Bit i: a float constant at input i is something training may change.
  std::uint32_t learned = 0;
  // Bit i: a constant at input i stays as it is, wherever else it goes (running statistics, scales).
  std::uint32_t kept = 0;
  // What of the node is beyond us ("attribute antialias"), or "" where nothing is. May be nullptr.
  std::string (*limits)(const graph::Node& node) = nullptr;
};

// Inputs as a mask: inputs(1, 2).
template <typename... I>
constexpr std::uint32_t inputs(I... i) {
  return ((std::uint32_t{1} << i) | ...);
}

[[nodiscard]] std::span<const Operator> convolution_operators();
[[nodiscard]] std::span<const Operator> pool_operators();
[[nodiscard]] std::span<const Operator> normalize_operators();
[[nodiscard]] std::span<const Operator> activation_operators();
[[nodiscard]] std::span<const Operator> elementwise_operators();
[[nodiscard]] std::span<const Operator> logic_operators();
[[nodiscard]] std::span<const Operator> shape_operators();
[[nodiscard]] std::span<const Operator> index_operators();
[[nodiscard]] std::span<const Operator> resize_operators();
[[nodiscard]] std::span<const Operator> reduce_operators();
[[nodiscard]] std::span<const Operator> recurrent_operators();
[[nodiscard]] std::span<const Operator> quantize_operators();

[[nodiscard]] std::span<const Operator> all_operators();  // sorted by name
[[nodiscard]] const Operator* find_operator(std::string_view name);

}  // namespace alara::learn
