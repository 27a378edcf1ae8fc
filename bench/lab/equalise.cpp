// SPDX-License-Identifier: Apache-2.0
// Cross-layer equalisation: a depthwise network whose channels differ by 1:1000 without a change in what it computes,
// on 8-bit integers with one scale per layer.
#include <cmath>
#include <random>

#include "bench/lab/fashion.hpp"
#include "cli/progress.hpp"
#include "graph/fuse.hpp"
#include "graph/quantize/equalise.hpp"
#include "graph/quantize/quantize.hpp"
#include "graph/upgrade.hpp"
#include "learn/ort_executor.hpp"

namespace alara::bench {
namespace {

// Factors from 1 to 1000 around 1, in an order of chance.
std::vector<double> factors(std::size_t channels, std::mt19937& random) {
  std::vector<double> out(channels);
  for (std::size_t c = 0; c < channels; ++c)
    out[c] = std::pow(10.0,
                      3.0 * static_cast<double>(c) / static_cast<double>(std::max<std::size_t>(1, channels - 1)) - 1.5);
  for (std::size_t c = channels; c > 1; --c) std::swap(out[c - 1], out[random() % c]);
  return out;
}

Result<graph::Model> skewed(graph::Model model, std::size_t& layers) {
  ALARA_CHECK(graph::upgrade(model));
  ALARA_TRY([[maybe_unused]] const graph::Simplified simplified, graph::simplify(model));
  ALARA_TRY(const graph::ValueTable values, graph::infer_shapes(model));
  std::mt19937 random(1);
  for (const graph::LayerPair& pair : graph::find_pairs(model.graph, values)) {
    graph::scale_channels(model.graph, pair, [&](std::size_t channels) { return factors(channels, random); });
    ++layers;
  }
  return model;
}

}  // namespace

Result<Report> run_equalise(const Arguments& arguments) {
  cli::TerminalProgress progress;
  ALARA_TRY(const Fashion fashion, trained_fashion(learn::fashion_depthwise(), arguments, progress));
  std::size_t layers = 0;
  ALARA_TRY(const graph::Model model, skewed(fashion.model, layers));
  const auto samples = fashion.data.samples(learn::Part::train);
  graph::QuantizeOptions options;
  options.granularity = graph::Granularity::per_tensor;
  options.max_samples = arguments.quick ? 50 : 300;
  options.compare_samples = 0;
  const graph::ExecutorFactory executors = learn::make_ort_executor();
  const auto accuracy_with = [&](bool equalise) -> Result<double> {
    options.equalise = equalise;
    ALARA_TRY(const graph::Quantized out, graph::quantize(model, *samples, executors, options, progress));
    return test_accuracy(out.model, fashion.data);
  };
  Report report;
  report.workload = fmt::format(
      "a depthwise network for Fashion-MNIST, the channels of {} layers scaled 1:1000, on int8 with one scale per "
      "layer",
      layers);
  ALARA_TRY(report.figures["accuracy_fp32"], test_accuracy(model, fashion.data));
  ALARA_TRY(report.baseline["accuracy_unscaled"], test_accuracy(fashion.model, fashion.data));
  ALARA_TRY(report.figures["accuracy_before"], accuracy_with(false));
  ALARA_TRY(report.figures["accuracy_after"], accuracy_with(true));
  report.figures["loss_after"] = report.figures["accuracy_fp32"] - report.figures["accuracy_after"];
  report.checked = std::fabs(report.figures["accuracy_fp32"] - report.baseline["accuracy_unscaled"]) < 0.05;
  if (!report.checked) report.notes.emplace_back("scaling channels changed what the network computes");
  return report;
}

}  // namespace alara::bench
