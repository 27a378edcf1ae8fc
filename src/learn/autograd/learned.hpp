// SPDX-License-Identifier: Apache-2.0
// Private to learn/autograd: which constants of a graph training may change, from what they are used for.
#pragma once

#include <map>
#include <set>
#include <string>

#include "graph/model.hpp"

namespace alara::learn {

struct Constants {
  std::set<std::string> learned;     // weights, biases, scales and shifts
  std::set<std::string> statistics;  // running ones of BatchNormalization
  // Learned integers: the DequantizeLinear (index of the node) that says what numbers they stand for.
  std::map<std::string, std::size_t> quantised;
};

// Every operator of the graph is in the table.
[[nodiscard]] Constants sort_constants(const graph::Graph& graph);

// Values that depend on what goes into the graph, other than by their shape.
[[nodiscard]] std::set<std::string> depending_on_inputs(const graph::Graph& graph);

}  // namespace alara::learn
