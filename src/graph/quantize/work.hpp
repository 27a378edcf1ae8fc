// SPDX-License-Identifier: Apache-2.0
// Private to quantize.hpp: one quantisation under way, step by step.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/machine.hpp"
#include "graph/quantize/accuracy_loop.hpp"
#include "graph/quantize/layers.hpp"
#include "graph/quantize/plan.hpp"
#include "graph/quantize/qdq.hpp"
#include "graph/quantize/quantize.hpp"

namespace alara::graph {

// One quantisation under way.
class Work {
 public:
  Work(Model model, SampleSource& samples, const ExecutorFactory& executors, const QuantizeOptions& options,
       Progress& progress)
      : model_(std::move(model)),
        samples_(samples),
        executors_(with_threads(executors, options.threads)),
        options_(options),
        progress_(progress) {
    weight_options_ = {options.weights ? *options.weights : weights_for(cpu_features()), options.granularity,
                       options.method == RangeMethod::min_max ? WeightRange::largest : WeightRange::mse};
  }

  Status prepare();
  Status choose_numbers();
  Status meet_max_drop();
  Result<Quantized> finish();

 private:
  static ExecutorFactory with_threads(const ExecutorFactory& executors, int threads) {
    return [executors, threads](const Model& model, std::span<const std::string> wanted, ExecutorOptions run) {
      run.threads = threads;
      return executors(model, wanted, run);
    };
  }
  Status equalise_layers();
  [[nodiscard]] Result<std::vector<LayerWork>> choose_weights(const Calibration& calibration,
                                                              const WeightOptions& options);
  Status compare_with_one_scale(const Calibration& calibration);
  [[nodiscard]] Result<Model> with_in_float(const std::set<std::size_t>& nodes) const;
  [[nodiscard]] Result<std::vector<Candidate>> sensitivities();
  [[nodiscard]] Result<double> journalled(const std::string& what, const Model& model,
                                          const std::function<Result<double>()>& find) const;
  [[nodiscard]] Result<double> score(const Model& model) const;
  [[nodiscard]] Result<double> cosine(const Model& model) const;
  [[nodiscard]] LayerReport describe(std::size_t number) const;
  void describe_integer(const Planned& planned, LayerReport& layer) const;
  void describe_layers(Quantized& out) const;
  Status measure(Quantized& out) const;

  Model model_;
  SampleSource& samples_;
  const ExecutorFactory executors_;
  const QuantizeOptions& options_;
  Progress& progress_;
  WeightOptions weight_options_;

  ValueTable values_;
  Plan plan_;
  Quantization numbers_;
  std::vector<LayerWork> layers_;
  std::map<std::size_t, double> sensitivity_;  // of nodes; empty without the accuracy loop
  bool one_scale_taken_ = false;
  std::set<std::size_t> put_back_;
  std::optional<double> score_before_, score_after_;
  std::vector<std::string> notes_;
};

}  // namespace alara::graph
