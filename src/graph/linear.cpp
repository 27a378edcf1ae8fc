// SPDX-License-Identifier: Apache-2.0
#include "graph/linear.hpp"

#include "graph/constants.hpp"

namespace alara::graph {
namespace {

std::optional<Linear> convolution(const Graph& graph, const Node& node) {
  Linear out{float_constant(graph, node.input(1))};
  if (out.weight == nullptr || out.weight->rank() < 3) return std::nullopt;
  out.first = out.weight->shape[0];
  out.second = out.weight->shape[1];
  out.inner = out.weight->elements() / (out.first * out.second);
  out.groups = node.integer("group", 1);
  out.first_is_output = node.op == "Conv";
  if (out.groups < 1 || out.first % out.groups != 0) return std::nullopt;
  return out;
}

std::optional<Linear> product(const Graph& graph, const Node& node) {
  Linear out{float_constant(graph, node.input(1))};
  if (out.weight == nullptr || out.weight->rank() != 2 || node.integer("transA", 0) != 0) return std::nullopt;
  out.first = out.weight->shape[0];
  out.second = out.weight->shape[1];
  out.first_is_output = node.op == "Gemm" && node.integer("transB", 0) != 0;
  return out;
}

}  // namespace

std::vector<double> Linear::biases(const Node& node) const {
  std::vector<double> out(static_cast<std::size_t>(outputs()), 0.0);
  if (bias == nullptr) return out;
  const auto numbers = bias->values<float>();
  const double beta = node.op == "Gemm" ? static_cast<double>(node.number("beta", 1)) : 1.0;
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = beta * static_cast<double>(numbers[numbers.size() == 1 ? 0 : i]);
  return out;
}

std::optional<Linear> linear_of(const Graph& graph, const Node& node) {
  if (!node.domain.empty()) return std::nullopt;
  const bool convolves = node.op == "Conv" || node.op == "ConvTranspose";
  if (!convolves && node.op != "Gemm" && node.op != "MatMul") return std::nullopt;
  std::optional<Linear> out = convolves ? convolution(graph, node) : product(graph, node);
  if (!out || node.input(2).empty()) return out;
  out->bias = float_constant(graph, node.input(2));
  if (out->bias == nullptr) return std::nullopt;
  const Shape& shape = out->bias->shape;
  const bool by_channel = !shape.empty() && shape.back() == out->outputs() && out->bias->elements() == out->outputs();
  if (!by_channel && (convolves || out->bias->elements() != 1)) return std::nullopt;
  return out;
}

}  // namespace alara::graph
