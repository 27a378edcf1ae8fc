// SPDX-License-Identifier: Apache-2.0
// Carries a plan out: the graph with QuantizeLinear and DequantizeLinear around the planned nodes, which runtimes fuse
// into integer kernels. A value keeps its name; where an integer node makes it, the name is that of the dequantised
// copy.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/model.hpp"
#include "graph/quantize/plan.hpp"
#include "graph/quantize/ranges.hpp"
#include "graph/quantize/weights.hpp"

namespace alara::graph {

struct QuantizedLayer {
  Tensor weights;             // int8 or uint8, in the node's own layout
  std::vector<float> scales;  // one, or one per slice along `axis`
  std::int64_t axis = 0;
  std::optional<Tensor> bias;      // int32, one per output channel
  std::vector<float> bias_scales;  // as many as `scales`
};

struct Quantization {
  ActivationType activations = ActivationType::uint8;
  std::map<std::string, Grid> grids;             // of Plan::ranged_values
  std::map<std::size_t, QuantizedLayer> layers;  // by node number, of the weighted ones
};

// Every planned node has its layer, every ranged value its grid (a bug otherwise). Deterministic.
[[nodiscard]] Model to_qdq(const Model& model, const Plan& plan, const Quantization& quantization);

// Adds the integers as a constant and a DequantizeLinear behind the graph's last node; returns the name of what it
// gives. One scale, or one per slice along `axis`; zero points are 128 for uint8, else 0.
std::string append_dequantized(Graph& graph, Names& names, const std::string& name, Tensor integers,
                               const std::vector<float>& scales, std::int64_t axis);

}  // namespace alara::graph
