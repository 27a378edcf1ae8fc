// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/quantize.hpp"

#include <algorithm>

#include "base/machine.hpp"
#include "graph/fuse.hpp"
#include "graph/quantize/compare.hpp"
#include "graph/quantize/layers.hpp"
#include "graph/quantize/plan.hpp"
#include "graph/quantize/qdq.hpp"
#include "graph/upgrade.hpp"

namespace alara::graph {
namespace {

// One quantisation under way.
class Work {
 public:
  Work(Model model, SampleSource& samples, const ExecutorFactory& executors, const QuantizeOptions& options,
       Progress& progress)
      : model_(std::move(model)), samples_(samples), executors_(executors), options_(options), progress_(progress) {
    weight_options_ = {options.weights ? *options.weights : weights_for(cpu_features()), options.granularity,
                       options.method == RangeMethod::min_max ? WeightRange::largest : WeightRange::mse};
  }

  Status prepare();
  Status choose_numbers();
  Result<Quantized> finish();

 private:
  [[nodiscard]] PlanOptions plan_options() const { return {options_.exclude, {}}; }
  [[nodiscard]] LayerReport describe(const Node& node, const ValueTable& shapes) const;
  void describe_layers(Quantized& out) const;
  Status measure(Quantized& out) const;
  void note_ranges();

  Model model_;
  SampleSource& samples_;
  const ExecutorFactory& executors_;
  const QuantizeOptions& options_;
  Progress& progress_;
  WeightOptions weight_options_;

  Plan plan_;
  Quantization numbers_;
  std::vector<LayerWork> layers_;
  std::vector<std::string> notes_;
};

Status Work::prepare() {
  ALARA_CHECK(upgrade(model_));
  FoldOptions fold;
  fold.dequantize = FoldOptions::Dequantize::fold;
  ALARA_TRY(const Simplified simplified, simplify(model_, fold));
  if (simplified.total() > 0) notes_.push_back(fmt::format("simplified first: {} rewrites", simplified.total()));
  ALARA_TRY(const ValueTable values, infer_shapes(model_));
  ALARA_TRY(plan_, make_plan(model_.graph, values, plan_options()));
  notes_.insert(notes_.end(), plan_.notes.begin(), plan_.notes.end());
  if (plan_.nodes.empty())
    return fail(ErrorKind::bad_input, "nothing here can be quantised: no Conv, Gemm or MatMul with constant weights");
  return {};
}

Status Work::choose_numbers() {
  ALARA_TRY(const Calibration calibration,
            calibrate(model_, samples_, executors_, request_for(model_.graph, plan_, options_), progress_));
  for (const auto& [value, histogram] : calibration.histograms)
    if (histogram.not_finite() > 0)
      notes_.push_back(fmt::format("value '{}' was not finite {} times", value, histogram.not_finite()));
  numbers_.activations = options_.activations;
  numbers_.grids = grids_of(calibration, options_);
  layers_ = start_layers(model_.graph, plan_, numbers_.grids, weight_options_);
  if (options_.bias_correction) correct_biases(model_.graph, calibration, layers_);
  for (const LayerWork& work : layers_) numbers_.layers[work.node] = finish_layer(model_.graph, work, weight_options_);
  return {};
}

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
    if (!layer.integer && layer.macs == 0) continue;
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

Result<Quantized> Work::finish() {
  Quantized out;
  out.model = to_qdq(model_, plan_, numbers_);
  ALARA_CHECK(check(out.model));
  describe_layers(out);
  ALARA_CHECK(measure(out));
  out.notes = std::move(notes_);
  return out;
}

}  // namespace

WeightType weights_for(std::span<const std::string> cpu_features) {
  bool x86 = false, adds_in_32_bits = false;
  for (const std::string& feature : cpu_features) {
    x86 = x86 || feature.starts_with("sse");
    adds_in_32_bits = adds_in_32_bits || feature.find("vnni") != std::string::npos;
  }
  return x86 && !adds_in_32_bits ? WeightType::int7 : WeightType::int8;
}

Result<Quantized> quantize(Model model, SampleSource& calibration, const ExecutorFactory& executors,
                           const QuantizeOptions& options, Progress& progress) {
  Work work(std::move(model), calibration, executors, options, progress);
  ALARA_CHECK(work.prepare());
  ALARA_CHECK(work.choose_numbers());
  return work.finish();
}

}  // namespace alara::graph
