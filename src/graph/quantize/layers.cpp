// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/layers.hpp"

#include <algorithm>
#include <cmath>

#include "graph/linear.hpp"
#include "graph/quantize/compare.hpp"

namespace alara::graph {
namespace {

ChannelAxis input_axis(const Node& node) { return node.op == "MatMul" ? ChannelAxis::last : ChannelAxis::second; }

// The axis of the weight tensor along which output channels lie.
std::int64_t weight_axis(const Linear& linear) { return linear.first_is_output ? 0 : 1; }

// Only where the slices along that axis are the output channels: not in a ConvTranspose of several groups.
bool has_channels(const Linear& linear) { return linear.first_is_output || linear.groups == 1; }

}  // namespace

CalibrationRequest request_for(const Graph& graph, const Plan& plan, const QuantizeOptions& options) {
  CalibrationRequest out;
  out.histograms = plan.ranged_values(graph);
  out.max_samples = options.max_samples;
  if (!options.bias_correction) return out;
  for (const Planned& planned : plan.nodes)
    if (planned.role == Role::weighted)
      out.channels.emplace(planned.inputs.front(), input_axis(graph.nodes[planned.node]));
  return out;
}

std::map<std::string, Grid> grids_of(const Calibration& calibration, const Plan& plan, const QuantizeOptions& options) {
  std::map<std::string, Grid> out;
  for (const auto& [value, histogram] : calibration.histograms) {
    const auto limited = plan.limits.find(value);
    const Range& limit = limited == plan.limits.end() ? kNoLimit : limited->second;
    out[value] = grid_over(choose_range(histogram, options.method, options.percentile, limit), options.activations);
  }
  return out;
}

std::vector<LayerWork> start_layers(const Graph& graph, const Plan& plan, const std::map<std::string, Grid>& grids,
                                    const WeightOptions& options) {
  std::vector<LayerWork> out;
  for (const Planned& planned : plan.nodes) {
    if (planned.role != Role::weighted) continue;
    const Node& node = graph.nodes[planned.node];
    const auto linear = linear_of(graph, node);
    ALARA_ASSERT(linear.has_value(), "a weighted node that is planned has a linear form");
    LayerWork work;
    work.node = planned.node;
    work.weights = matrix_of(*linear);
    if (linear->bias != nullptr) work.biases = linear->biases(node);
    work.input_scale = static_cast<double>(grids.at(plan.scale_of(planned.inputs.front())).scale);
    WeightOptions own = options;
    if (!has_channels(*linear)) own.granularity = Granularity::per_tensor;
    work.levels = choose_scales(work.weights, work.biases, work.input_scale, own);
    round_to_nearest(work.weights, own, work.levels);
    out.push_back(std::move(work));
  }
  return out;
}

void correct_biases(const Graph& graph, const Calibration& calibration, std::vector<LayerWork>& layers) {
  for (LayerWork& work : layers) {
    const Node& node = graph.nodes[work.node];
    const auto found = calibration.channels.find(node.input(0));
    if (found == calibration.channels.end() || node.op == "MatMul") continue;  // MatMul has no bias to correct
    const Linear linear = *linear_of(graph, node);
    const ChannelStatistics& channels = found->second;
    if (channels.channels() != static_cast<std::size_t>(linear.inputs())) continue;
    work.biases.resize(work.weights.rows, 0.0);
    const std::vector<float> errors = rounding_errors(work.weights, work.levels);
    // In a ConvTranspose an output takes each tap only once in as many places as the strides say.
    double share = 1;
    if (node.op == "ConvTranspose")
      for (const std::int64_t stride : node.integers("strides")) share /= static_cast<double>(stride);
    for (std::size_t i = 0; i < errors.size(); ++i) {
      const auto place = linear.place(static_cast<std::int64_t>(work.weights.position[i]));
      work.biases[static_cast<std::size_t>(place.output)] -=
          share * static_cast<double>(errors[i]) * channels.mean(static_cast<std::size_t>(place.input));
    }
  }
}

QuantizedLayer finish_layer(const Graph& graph, const LayerWork& work, const WeightOptions& options) {
  const Linear linear = *linear_of(graph, graph.nodes[work.node]);
  QuantizedLayer out;
  out.weights = weight_tensor(work.weights, work.levels, options, linear.weight->shape);
  out.axis = weight_axis(linear);
  out.scales = work.levels.scales;
  const bool one = options.granularity == Granularity::per_tensor || !has_channels(linear);
  if (one) out.scales.resize(std::min<std::size_t>(1, out.scales.size()));
  if (work.biases.empty()) return out;
  out.bias = bias_tensor(work.biases, work.input_scale, work.levels);
  for (const float scale : out.scales)
    out.bias_scales.push_back(static_cast<float>(work.input_scale * static_cast<double>(scale)));
  return out;
}

double weight_sqnr_db(const LayerWork& work) {
  double signal = 0, noise = 0;
  for (const float w : work.weights.values) signal += static_cast<double>(w) * static_cast<double>(w);
  for (const float error : rounding_errors(work.weights, work.levels))
    noise += static_cast<double>(error) * static_cast<double>(error);
  return noise == 0 || signal == 0 ? kExactDb : 10 * std::log10(signal / noise);
}

}  // namespace alara::graph
