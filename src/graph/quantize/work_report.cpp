// SPDX-License-Identifier: Apache-2.0
// What a quantisation says of its layers.
#include <algorithm>

#include "graph/quantize/compare.hpp"
#include "graph/quantize/work.hpp"

namespace alara::graph {

LayerReport Work::describe(const Node& node, const ValueTable& shapes) const {
  LayerReport out;
  out.name = node.label();
  out.op = node.op;
  out.value = node.outputs.front();
  out.scales = 0;
  out.macs = macs_of(model_.graph, node, shapes);
  return out;
}

void Work::describe_layers(Quantized& out) const {
  const auto shapes = infer_shapes(model_, fixed_inputs(model_));
  double all = 0, integer = 0;
  for (std::size_t i = 0; i < model_.graph.nodes.size(); ++i) {
    const Node& node = model_.graph.nodes[i];
    const auto planned =
        std::find_if(plan_.nodes.begin(), plan_.nodes.end(), [&](const Planned& p) { return p.node == i; });
    LayerReport layer = describe(node, shapes ? *shapes : ValueTable{});
    layer.integer = planned != plan_.nodes.end();
    all += layer.macs;
    if (!layer.integer && layer.macs == 0 && !put_back_.contains(i)) continue;
    if (const auto measured = sensitivity_.find(i); measured != sensitivity_.end())
      layer.sensitivity = measured->second;
    if (put_back_.contains(i)) layer.warnings.push_back("put back to float: the outputs suffer most from this layer");
    if (layer.integer) {
      integer += layer.macs;
      layer.value = planned->output;
      layer.bits = weight_options_.type == WeightType::int7 && planned->role == Role::weighted ? 7 : 8;
    }
    const auto work = std::find_if(layers_.begin(), layers_.end(), [&](const LayerWork& w) { return w.node == i; });
    if (work != layers_.end() && layer.integer) {
      layer.scales = numbers_.layers.at(i).scales.size();
      layer.weight_sqnr_db = weight_sqnr_db(*work);
      if (!work->levels.raised.empty())
        layer.warnings.push_back(fmt::format("the scale of {} of {} channels was raised so that the bias fits 32 bits",
                                             work->levels.raised.size(), work->weights.rows));
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
  const OutputQuality quality = worst_of(compared);
  out.sqnr_db = quality.sqnr_db;
  out.cosine = quality.cosine;
  return {};
}

}  // namespace alara::graph
