// SPDX-License-Identifier: Apache-2.0
// Cross-layer equalisation: scales that leave what a network computes as it was move between the output channels of one
// layer and the input channels of the next, so that one integer grid fits all channels (Nagel et al., "Data-free
// quantization through weight equalization and bias correction", ICCV 2019, arXiv 1906.04721).
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "graph/executor.hpp"
#include "graph/model.hpp"
#include "graph/quantize/calibrate.hpp"
#include "graph/shapes.hpp"

namespace alara::graph {

// A layer whose output channels reach only the input channels of other layers, through nothing but operators that let
// a positive factor per channel pass: Relu, LeakyRelu, PRelu, pools, Resize, flattening. Clip (Relu6), hard-swish and
// squeeze-and-excitation do not, nor do residual sums: such layers are left as they are.
struct LayerPair {
  std::size_t first = 0;             // numbers of nodes
  std::vector<std::size_t> seconds;  // more than one where the channels go several ways
  bool behind_relu = false;          // exactly one Relu lies between, and one layer follows
};
[[nodiscard]] std::vector<LayerPair> find_pairs(const Graph& graph, const ValueTable& values);

// Divides the output channels of the first layer by factors and multiplies the inputs of those behind by them.
void scale_channels(Graph& graph, const LayerPair& pair,
                    const std::function<std::vector<double>(std::size_t channels)>& factors);
// Scales the channels of all pairs until they are even. Returns the largest ratio between two channels' factors.
double equalise(Graph& graph, const std::vector<LayerPair>& pairs);

// The same for weights with a scale per channel, for which the ranges of weights do not matter but those of values do:
// factors even out what `seen` says of the values between the layers, as far as the weights behind allow. One pass.
double equalise_values(Graph& graph, const std::vector<LayerPair>& pairs, const Calibration& seen);
[[nodiscard]] CalibrationRequest request_for_values(const Graph& graph, const std::vector<LayerPair>& pairs);

// What every sample has of a channel before a Relu goes into the bias of the layer behind: equal on all that was
// calibrated with, and a smaller range. Only where nothing is padded. Returns how many channels gave something.
// `channels` are of the first layers' outputs.
std::size_t absorb_biases(Graph& graph, const std::vector<LayerPair>& pairs, const Calibration& calibration);
[[nodiscard]] CalibrationRequest request_for_absorption(const Graph& graph, const std::vector<LayerPair>& pairs);

}  // namespace alara::graph
