// SPDX-License-Identifier: Apache-2.0
// The numbers of a plan: grids of values from what calibration saw, integer weights and biases of layers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/quantize/calibrate.hpp"
#include "graph/quantize/plan.hpp"
#include "graph/quantize/qdq.hpp"
#include "graph/quantize/quantize.hpp"

namespace alara::graph {

// A layer on its way to integers.
struct LayerWork {
  std::size_t node = 0;
  WeightMatrix weights;
  std::vector<double> biases;  // empty: it has none and needs none
  double input_scale = 1;
  Levels levels;
};

// What to ask calibration for.
[[nodiscard]] CalibrationRequest request_for(const Graph& graph, const Plan& plan, const QuantizeOptions& options);
[[nodiscard]] std::map<std::string, Grid> grids_of(const Calibration& calibration, const Plan& plan,
                                                   const QuantizeOptions& options);

// The weighted nodes of the plan, with scales and nearest levels.
[[nodiscard]] std::vector<LayerWork> start_layers(const Graph& graph, const Plan& plan,
                                                  const std::map<std::string, Grid>& grids,
                                                  const WeightOptions& options);
// Takes the mean error that rounded weights make on the mean input out of the biases (Nagel et al., "Data-free
// quantization through weight equalization and bias correction", 2019, eq. 17).
void correct_biases(const Graph& graph, const Calibration& calibration, std::vector<LayerWork>& layers);
[[nodiscard]] QuantizedLayer finish_layer(const Graph& graph, const LayerWork& work, const WeightOptions& options);

// Of the weights alone, in dB.
[[nodiscard]] double weight_sqnr_db(const LayerWork& work);

}  // namespace alara::graph
