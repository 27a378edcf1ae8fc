// SPDX-License-Identifier: Apache-2.0
// Post-training quantisation: a float model and samples in, a model whose layers run on 8-bit integers out (QDQ form),
// and a table that says what that cost where. Deterministic: equal inputs give equal models, byte for byte.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "base/result.hpp"
#include "base/work_journal.hpp"
#include "graph/executor.hpp"
#include "graph/quantize/ranges.hpp"
#include "graph/quantize/weights.hpp"

namespace alara::graph {

// How good a model is, larger is better: accuracy in percentage points, kept detections in percent …
using Metric = std::function<Result<double>(const Model&)>;

struct QuantizeOptions {
  RangeMethod method = RangeMethod::mse;
  double percentile = kDefaultPercentile;
  Granularity granularity = Granularity::per_channel;  // or one scale per layer where that measured better
  std::optional<WeightType> weights = {};              // what suits this machine's processor
  ActivationType activations = ActivationType::uint8;
  bool equalise = false;               // cross-layer equalisation first (equalise.hpp)
  bool bias_correction = false;        // biases take back the mean error of rounded weights
  bool adaround = false;               // weights are rounded to make outputs right, not each by itself (adaround.hpp)
  std::set<std::string> exclude = {};  // nodes that stay in float, by name, output or operator
  std::size_t max_samples = static_cast<std::size_t>(-1);  // of the calibration data
  std::size_t compare_samples = 32;                        // for the table of layers; 0: no such figures
  int threads = 1;                                         // of each run of a model

  // The accuracy loop: layers go back to float until `metric` has lost at most this much; without a metric, until the
  // worst output's cosine has, in percent.
  std::optional<double> max_drop = {};
  Metric metric = {};
  std::size_t sensitivity_samples = 8;

  // Where the long parts (AdaRound's layers, sensitivities, models scored) are kept and looked up; nullptr: nowhere.
  // What the metric measures with is not known here: its name must differ where that does.
  WorkJournal* journal = nullptr;
  std::string metric_name = {};
};

// The type of weights for a processor with these features (base/machine.hpp): full range where 8-bit products are
// added in 32 bits (VNNI, ARM), else int7.
[[nodiscard]] WeightType weights_for(std::span<const std::string> cpu_features);

struct LayerReport {
  std::string name;  // the node's label
  std::string op;
  std::string value;    // what it makes
  bool integer = true;  // false: put back, or left out
  int bits = 8;
  std::size_t scales = 1;  // of its weights: 1 or one per channel; 0: no weights
  double weight_sqnr_db = 0;
  double sqnr_db = 0, cosine = 1;          // of its value against the float model's, all layers before it quantised too
  std::optional<double> sensitivity = {};  // output noise, relative, when this alone is quantised (accuracy loop)
  double macs = 0;                         // per run with one row (cost.hpp); 0: none or not known
  std::vector<std::string> warnings = {};
};

struct Quantized {
  Model model;
  std::vector<LayerReport> layers;
  std::vector<std::string> notes;  // for people
  double sqnr_db = 0, cosine = 1;  // of the worst output, over compare_samples
  std::optional<double> metric_before = {}, metric_after = {};
  bool one_scale_taken = false;  // per channel was asked for, but one scale per layer measured better
  std::size_t put_back = 0;
  double integer_macs = 1;  // share of all multiplications of weighted layers, 0 … 1
};

// `model` may have any form that simplify() takes. Errors: bad_input (no samples, nothing that can be quantised, a name
// in `exclude` that is not there), refused (stopped), and those of running the model.
[[nodiscard]] Result<Quantized> quantize(Model model, SampleSource& calibration, const ExecutorFactory& executors,
                                         const QuantizeOptions& options, Progress& progress);

}  // namespace alara::graph
