// SPDX-License-Identifier: Apache-2.0
// Constants of a graph read as numbers: nullopt where the name stands for something that is computed, or for numbers
// of another kind.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/model.hpp"

namespace alara::graph {

[[nodiscard]] std::optional<std::vector<std::int64_t>> integers_of(const Graph& graph, const std::string& name);
[[nodiscard]] std::optional<std::vector<float>> floats_of(const Graph& graph, const std::string& name);
[[nodiscard]] std::optional<float> number_of(const Graph& graph, const std::string& name);  // exactly one
// A float32 constant that is not empty, or nullptr.
[[nodiscard]] const Tensor* float_constant(const Graph& graph, const std::string& name);

}  // namespace alara::graph
