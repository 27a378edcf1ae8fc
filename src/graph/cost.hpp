// SPDX-License-Identifier: Apache-2.0
// What a model costs before it runs: multiply-accumulates, parameters, weights and activations, node by node.
//
// MACs are products of activations with weights (or with each other in MatMul): Conv, ConvTranspose, Gemm, MatMul,
// their integer forms, RNN, GRU and LSTM. Bias, activations, pooling and element-wise work count nothing, as in most
// papers. Parameters are numbers of constants that stand for weights: not shapes and axes, not scales and zero points
// of quantisation, not limits of Clip; of BatchNormalization scale and shift, not the two statistics.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/model.hpp"
#include "graph/shapes.hpp"

namespace alara::graph {

struct NodeCost {
  std::optional<std::int64_t> macs;          // nullopt: a shape it depends on is not known
  std::int64_t parameters = 0;               // those that no node before uses
  std::int64_t weight_bytes = 0;             // of every constant that no node before uses
  std::optional<std::int64_t> output_bytes;  // of all its outputs
  std::optional<std::int64_t> live_bytes;    // activations in memory while it runs
  bool known_operator = true;                // false: shapes end here, or are what the file says
};

struct ModelCost {
  std::vector<NodeCost> nodes;  // as graph.nodes
  std::int64_t macs = 0;        // of the nodes whose macs are known
  std::int64_t parameters = 0;
  std::int64_t weight_bytes = 0;
  std::int64_t peak_activation_bytes = 0;        // in node order; values whose size is not known are left out
  std::size_t peak_node = 0;                     // where that is
  std::size_t unknown_shapes = 0;                // nodes whose output size is not known
  std::map<std::string, std::size_t> operators;  // how many of each; "domain.Op" for other domains
};

// `values` is infer_shapes() of the model, with the batch that is meant. Activations are counted as a runtime holds
// them that has each buffer from its making to its last use, takes reshapes as views, lets activations write over
// what was made for them alone, and runs quantised layers on integers: what DequantizeLinear gives shares its input's
// buffer, what goes only into QuantizeLinear has that one's size, and what comes from constants alone is weights.
// Counts that pass 2^63 stay at that limit.
[[nodiscard]] ModelCost cost_of(const Graph& graph, const ValueTable& values);

}  // namespace alara::graph
