// SPDX-License-Identifier: Apache-2.0
// What Conv, ConvTranspose, Gemm and MatMul with constant weights have in common: outputs are sums of inputs times
// weights, plus a bias. One view of the four weight layouts, for passes that scale, prune or count channels.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/model.hpp"

namespace alara::graph {

// The weights as [first, second, inner], row-major; which of the two is the output channel differs:
//   Conv            [outputs, inputs / groups, taps]      Gemm             [inputs, outputs, 1]
//   ConvTranspose   [inputs, outputs / groups, taps]      Gemm with transB [outputs, inputs, 1]
//   MatMul          [inputs, outputs, 1]
struct Linear {
  const Tensor* weight = nullptr;  // float32, owned by the graph
  const Tensor* bias = nullptr;    // float32, or nullptr
  std::int64_t first = 0;
  std::int64_t second = 0;
  std::int64_t inner = 1;
  std::int64_t groups = 1;
  bool first_is_output = true;

  [[nodiscard]] std::int64_t outputs() const { return first_is_output ? first : second * groups; }
  [[nodiscard]] std::int64_t inputs() const { return first_is_output ? second * groups : first; }

  struct Place {
    std::int64_t output = 0;
    std::int64_t input = 0;
  };
  // The channels that weight i (0 <= i < weight->elements()) connects.
  [[nodiscard]] Place place(std::int64_t i) const {
    const std::int64_t a = i / (second * inner);
    const std::int64_t b = (i / inner) % second + a / (first / groups) * second;
    return first_is_output ? Place{a, b} : Place{b, a};
  }
  // One number per output channel: what is added to each; zeros without a bias. For Gemm times beta.
  [[nodiscard]] std::vector<double> biases(const Node& node) const;
};

// nullopt: another operator, weights or bias that are no float32 constants, or a form that channels can not be told of
// (Gemm with transA, MatMul with other than two dimensions, a Gemm bias that differs by row).
[[nodiscard]] std::optional<Linear> linear_of(const Graph& graph, const Node& node);

}  // namespace alara::graph
