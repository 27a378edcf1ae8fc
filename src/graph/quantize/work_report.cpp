// SPDX-License-Identifier: Apache-2.0
// What a quantisation says of its layers.
#include <algorithm>

#include "graph/cost.hpp"
#include "graph/quantize/compare.hpp"
#include "graph/quantize/work.hpp"

namespace alara::graph {

LayerReport Work::describe(std::size_t number) const {
  const Node& node = model_.graph.nodes[number];
  LayerReport out;
  out.name = node.label();
  out.op = node.op;
  out.value = node.outputs.front();
  out.integer = false;
  out.scales = 0;
  if (const auto measured = sensitivity_.find(number); measured != sensitivity_.end())
    out.sensitivity = measured->second;
  if (put_back_.contains(number)) out.warnings.emplace_back("put back to float: the outputs suffer from it most");
  return out;
}

void Work::describe_integer(const Planned& planned, LayerReport& layer) const {
  layer.integer = true;
  layer.value = planned.output;
  if (planned.role != Role::weighted) return;
  const auto work =
      std::find_if(layers_.begin(), layers_.end(), [&](const LayerWork& one) { return one.node == planned.node; });
  layer.bits = weight_options_.type == WeightType::int7 ? 7 : 8;
  layer.scales = numbers_.layers.at(planned.node).scales.size();
  layer.weight_sqnr_db = weight_sqnr_db(*work);
  if (!work->levels.raised.empty())
    layer.warnings.push_back(fmt::format("the scale of {} of {} channels was raised so that the bias fits 32 bits",
                                         work->levels.raised.size(), work->weights.rows));
}

void Work::describe_layers(Quantized& out) const {
  const auto shapes = infer_shapes(model_, fixed_inputs(model_));
  const ModelCost cost = cost_of(model_.graph, shapes ? *shapes : values_);
  double all = 0, integer = 0;
  auto planned = plan_.nodes.begin();
  for (std::size_t i = 0; i < model_.graph.nodes.size(); ++i) {
    LayerReport layer = describe(i);
    layer.macs = static_cast<double>(cost.nodes[i].macs.value_or(0));
    all += layer.macs;
    if (planned != plan_.nodes.end() && planned->node == i) {
      describe_integer(*planned++, layer);
      integer += layer.macs;
    } else if (layer.macs == 0 && !put_back_.contains(i)) {
      continue;
    }
    out.layers.push_back(std::move(layer));
  }
  if (all > 0) out.integer_macs = integer / all;
}

Status Work::measure(Quantized& out) const {
  if (options_.compare_samples == 0) return {};
  CompareOptions compare_options;
  compare_options.max_samples = options_.compare_samples;
  for (const ValueInfo& output : model_.graph.outputs) compare_options.values.push_back(output.name);
  const std::size_t outputs = compare_options.values.size();
  for (const LayerReport& layer : out.layers) compare_options.values.push_back(layer.value);
  ALARA_TRY(std::vector<Compared> compared,
            compare(model_, out.model, samples_, executors_, compare_options, progress_));
  for (LayerReport& layer : out.layers)
    for (const Compared& one : compared)
      if (one.value == layer.value) {
        layer.sqnr_db = one.agreement.sqnr_db();
        layer.cosine = one.agreement.cosine();
      }
  compared.resize(std::min(outputs, compared.size()));
  for (const Compared& output : compared)
    if (const std::size_t count = output.agreement.not_finite(); count > 0)
      out.notes.push_back(
          fmt::format("output '{}' can not be compared: {} of its numbers are NaN or infinite in one of "
                      "the two models",
                      output.value, count));
  const OutputQuality quality = worst_of(compared);
  out.sqnr_db = quality.sqnr_db;
  out.cosine = quality.cosine;
  return {};
}

}  // namespace alara::graph
