// SPDX-License-Identifier: Apache-2.0
#include "graph/constants.hpp"

namespace alara::graph {
namespace {

template <typename T>
std::optional<T> value_of(Result<T>&& result) {
  return result ? std::optional<T>(*std::move(result)) : std::nullopt;
}

}  // namespace

std::optional<std::vector<std::int64_t>> integers_of(const Graph& graph, const std::string& name) {
  const Tensor* tensor = graph.constant(name);
  return tensor == nullptr ? std::nullopt : value_of(tensor->to_integers());
}

std::optional<std::vector<float>> floats_of(const Graph& graph, const std::string& name) {
  const Tensor* tensor = graph.constant(name);
  return tensor == nullptr ? std::nullopt : value_of(tensor->to_floats());
}

std::optional<float> number_of(const Graph& graph, const std::string& name) {
  const Tensor* tensor = graph.constant(name);
  if (tensor == nullptr || tensor->elements() != 1) return std::nullopt;
  const auto numbers = value_of(tensor->to_floats());
  return numbers ? std::optional(numbers->front()) : std::nullopt;
}

const Tensor* float_constant(const Graph& graph, const std::string& name) {
  const Tensor* tensor = graph.constant(name);
  return tensor != nullptr && tensor->type == DataType::float32 && tensor->elements() > 0 ? tensor : nullptr;
}

}  // namespace alara::graph
