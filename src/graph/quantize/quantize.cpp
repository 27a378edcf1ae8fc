// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/quantize.hpp"

#include <algorithm>

#include "graph/fuse.hpp"
#include "graph/quantize/compare.hpp"
#include "graph/quantize/equalise.hpp"
#include "graph/quantize/round_layers.hpp"
#include "graph/quantize/work.hpp"
#include "graph/upgrade.hpp"

namespace alara::graph {

Status Work::prepare() {
  ALARA_CHECK(upgrade(model_));
  if (const std::size_t sixths = restore_sixths(model_.graph); sixths > 0)
    notes_.push_back(fmt::format("{} constants that float16 had rounded are 1/6 again", sixths));
  FoldOptions fold;
  fold.dequantize = FoldOptions::Dequantize::fold;
  ALARA_TRY(const Simplified simplified, simplify(model_, fold));
  if (simplified.total() > 0) notes_.push_back(fmt::format("simplified first: {} rewrites", simplified.total()));
  if (options_.equalise) ALARA_CHECK(equalise_layers());
  ALARA_TRY(values_, infer_shapes(model_));
  ALARA_TRY(plan_, make_plan(model_.graph, values_, {options_.exclude, {}, {}}));
  notes_.insert(notes_.end(), plan_.notes.begin(), plan_.notes.end());
  const auto halves = std::count_if(
      model_.graph.constants.begin(), model_.graph.constants.end(),
      [](const auto& entry) { return entry.second->type == DataType::float16 && entry.second->elements() > 1; });
  if (halves > 0 && plan_.nodes.empty())
    return tl::unexpected<Error>(Error{ErrorKind::bad_input,
                                       "nothing here can be quantised: the model's weights are float16",
                                       {},
                                       "quantise the float32 model that it was made from"});
  if (halves > 0) notes_.push_back(fmt::format("{} constants are float16: what uses them is not quantised", halves));
  if (plan_.nodes.empty())
    return fail(ErrorKind::bad_input, "nothing here can be quantised: no Conv, Gemm or MatMul with constant weights");
  return {};
}

Status Work::equalise_layers() {
  ALARA_TRY(const ValueTable table, infer_shapes(model_));
  const std::vector<LayerPair> pairs = find_pairs(model_.graph, table);
  double ratio = 1;
  if (options_.granularity == Granularity::per_tensor) {
    ratio = equalise(model_.graph, pairs);
  } else {
    CalibrationRequest values = request_for_values(model_.graph, pairs);
    values.max_samples = options_.max_samples;
    ALARA_TRY(const Calibration seen, calibrate(model_, samples_, executors_, values, progress_));
    ratio = equalise_values(model_.graph, pairs, seen);
  }
  notes_.push_back(fmt::format("equalised {} pairs of layers, factors up to 1:{:.3g}", pairs.size(), ratio));
  CalibrationRequest request = request_for_absorption(model_.graph, pairs);
  if (request.channels.empty()) return {};
  request.max_samples = options_.max_samples;
  ALARA_TRY(const Calibration seen, calibrate(model_, samples_, executors_, request, progress_));
  if (const std::size_t channels = absorb_biases(model_.graph, pairs, seen); channels > 0)
    notes_.push_back(fmt::format("moved what {} channels always have into the bias behind", channels));
  return {};
}

Status Work::choose_numbers() {
  ALARA_TRY(const Calibration calibration,
            calibrate(model_, samples_, executors_, request_for(model_.graph, plan_, options_), progress_));
  for (const auto& [value, histogram] : calibration.histograms)
    if (histogram.not_finite() > 0)
      notes_.push_back(fmt::format("value '{}' was not finite {} times", value, histogram.not_finite()));
  numbers_.activations = options_.activations;
  numbers_.grids = grids_of(calibration, plan_, options_);
  // When its maker goes back to float, a value that took another's scale has it for itself.
  for (const auto& [value, source] : plan_.source) numbers_.grids[value] = numbers_.grids.at(plan_.scale_of(value));
  ALARA_TRY(layers_, choose_weights(calibration, weight_options_));
  for (const LayerWork& work : layers_) numbers_.layers[work.node] = finish_layer(model_.graph, work, weight_options_);
  return compare_with_one_scale(calibration);
}

Result<std::vector<LayerWork>> Work::choose_weights(const Calibration& calibration, const WeightOptions& options) {
  std::vector<LayerWork> layers = start_layers(model_.graph, plan_, numbers_.grids, options);
  if (options_.adaround)
    ALARA_CHECK(round_layers(model_, samples_, executors_, options_.max_samples, largest_level(options.type), layers,
                             options_.journal, notes_, progress_));
  if (options_.bias_correction) correct_biases(model_.graph, calibration, layers);
  return layers;
}

// Where the channels of a model hardly differ, scales of their own gain nothing, and chance decides which of the two
// comes out better. The better one is taken. Not with AdaRound, which would have to be done twice.
Status Work::compare_with_one_scale(const Calibration& calibration) {
  if (options_.granularity == Granularity::per_tensor || options_.compare_samples == 0 || options_.adaround) return {};
  WeightOptions coarse = weight_options_;
  coarse.granularity = Granularity::per_tensor;
  Quantization numbers = numbers_;
  ALARA_TRY(std::vector<LayerWork> layers, choose_weights(calibration, coarse));
  for (const LayerWork& work : layers) numbers.layers[work.node] = finish_layer(model_.graph, work, coarse);
  CompareOptions compare_options;
  compare_options.max_samples = options_.compare_samples;
  const auto sqnr_of = [&](const Quantization& one) -> Result<double> {
    ALARA_TRY(const auto compared,
              compare(model_, to_qdq(model_, plan_, one), samples_, executors_, compare_options, progress_));
    return worst_of(compared).sqnr_db;
  };
  ALARA_TRY(const double fine_db, sqnr_of(numbers_));
  ALARA_TRY(const double coarse_db, sqnr_of(numbers));
  if (coarse_db <= fine_db) return {};
  notes_.push_back(fmt::format("one scale per layer measured better than one per channel, {:.2f} and {:.2f} dB: taken",
                               coarse_db, fine_db));
  one_scale_taken_ = true;
  weight_options_ = coarse;
  numbers_ = std::move(numbers);
  layers_ = std::move(layers);
  return {};
}

Result<Quantized> Work::finish() {
  Quantized out;
  out.model = to_qdq(model_, plan_, numbers_);
  ALARA_CHECK(check(out.model));
  describe_layers(out);
  out.notes = std::move(notes_);
  ALARA_CHECK(measure(out));
  out.one_scale_taken = one_scale_taken_;
  out.put_back = put_back_.size();
  out.metric_before = score_before_;
  out.metric_after = score_after_;
  return out;
}

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
  ALARA_CHECK(work.meet_max_drop());
  return work.finish();
}

}  // namespace alara::graph
