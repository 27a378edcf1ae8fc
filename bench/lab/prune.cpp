// SPDX-License-Identifier: Apache-2.0
// What pruning costs and gives on Fashion-MNIST: 80 % of the weights at zero, 40 % of the filters really gone, and
// zeros with 8-bit weights together.
#include <cmath>

#include "bench/lab/fashion.hpp"
#include "cli/progress.hpp"
#include "graph/onnx_file.hpp"
#include "graph/quantize/quantize.hpp"
#include "learn/compress/pruning.hpp"
#include "learn/data/gzip.hpp"
#include "learn/latency.hpp"
#include "learn/ort_executor.hpp"

namespace alara::bench {
namespace {

constexpr double kSparsity = 0.8;
constexpr double kFilters = 0.42;  // of each layer, whole ones: 40 % or a little more of all

// `rate` as a share of the rate that the network was trained with.
learn::TrainOptions fine_tuning(const Fashion& fashion, int epochs, double rate) {
  learn::TrainOptions options = fashion.recipe.training;
  options.epochs = fashion.recipe.training.epochs > 1 ? epochs : 1;
  options.rate = fashion.recipe.training.rate * rate;
  return options;
}

Result<learn::Pruned> without_weights(const Fashion& fashion, const Checkpoints& checkpoints, Progress& progress) {
  learn::PruneOptions options;
  options.weights = graph::MaskOptions{};
  options.weights->sparsity = kSparsity;
  options.weights->scope = graph::MaskScope::global;
  options.training = fine_tuning(fashion, 5, 0.5);
  options.training.checkpoint = checkpoints.file("weights");
  return learn::prune(fashion.model, fashion.data, options, progress);
}

Result<learn::Pruned> without_filters(const Fashion& fashion, const Checkpoints& checkpoints, Progress& progress) {
  learn::PruneOptions options;
  options.filters = graph::FilterOptions{};
  options.filters->share = kFilters;
  options.training = fine_tuning(fashion, 16, 1);
  options.training.checkpoint = checkpoints.file("filters");
  return learn::prune(fashion.model, fashion.data, options, progress);
}

// Share of zeros over all weights of the layers, and of filters that are gone.
double sparsity_of(const learn::Pruned& pruned) {
  double zeros = 0;
  double all = 0;
  for (const learn::PrunedLayer& layer : pruned.layers) {
    zeros += layer.sparsity * static_cast<double>(layer.weights);
    all += static_cast<double>(layer.weights);
  }
  return zeros / all;
}

double filters_gone(const learn::Pruned& pruned) {
  double before = 0;
  double after = 0;
  for (const learn::PrunedLayer& layer : pruned.layers) {
    if (layer.filters == layer.filters_before) continue;
    before += static_cast<double>(layer.filters_before);
    after += static_cast<double>(layer.filters);
  }
  return before == 0 ? 0 : 1 - after / before;
}

Result<double> packed_bytes(const graph::Model& model) {
  ALARA_TRY(const std::string bytes, graph::to_onnx(model));
  ALARA_TRY(const std::uint64_t size, learn::packed_size(std::as_bytes(std::span(bytes))));
  return static_cast<double>(size);
}

Result<graph::Model> as_int8(const Fashion& fashion, const graph::Model& model, Progress& progress) {
  graph::QuantizeOptions options;
  options.max_samples = 500;
  options.compare_samples = 0;
  const auto samples = fashion.data.samples(learn::Part::train);
  ALARA_TRY(graph::Quantized quantized,
            graph::quantize(model, *samples, learn::make_ort_executor(), options, progress));
  return std::move(quantized.model);
}

// Of one test picture, one thread, each run of one followed by a run of the other.
Result<std::vector<learn::Latency>> latencies_of(const Fashion& fashion, const graph::Model& narrow, std::size_t runs,
                                                 Progress& progress) {
  const graph::ExecutorFactory executors = learn::make_ort_executor();
  ALARA_TRY(const auto dense_executor, executors(fashion.model, {}, {}));
  ALARA_TRY(const auto narrow_executor, executors(narrow, {}, {}));
  const learn::Minibatch picture = fashion.data.batch(learn::Part::test, 0, 1);
  const graph::TensorView input = graph::view(picture.inputs);
  const learn::Timed timed[] = {{dense_executor.get(), {&input, 1}}, {narrow_executor.get(), {&input, 1}}};
  return learn::latencies_of(timed, runs, runs / 10, SystemClock(), progress);
}

// The accuracy that libtorch finds, as a reference for ONNX Runtime's.
Result<double> reference_accuracy(const Fashion& fashion) {
  ALARA_TRY(learn::Network network, learn::Network::build(fashion.model));
  ALARA_TRY(const learn::Objective objective, learn::objective_for(fashion.model, fashion.data, 0));
  ALARA_TRY(const learn::Evaluation found, learn::evaluate(network, fashion.data, learn::Part::test, objective));
  return found.accuracy;
}

}  // namespace

Result<Report> run_prune(const Arguments& arguments) {
  cli::TerminalProgress progress;
  ALARA_TRY(const Fashion fashion, trained_fashion(learn::fashion_cnn(), arguments, progress));
  ALARA_TRY(const double dense, test_accuracy(fashion.model, fashion.data));
  ALARA_TRY(const double reference, reference_accuracy(fashion));
  const Checkpoints checkpoints(arguments, "prune");
  ALARA_TRY(const learn::Pruned sparse, without_weights(fashion, checkpoints, progress));
  ALARA_TRY(const learn::Pruned narrow, without_filters(fashion, checkpoints, progress));
  if (sparse.stopped || narrow.stopped) return fail(ErrorKind::refused, "the pruning was stopped");
  ALARA_TRY(const graph::Model sparse_int8, as_int8(fashion, sparse.model, progress));
  ALARA_TRY(const double sparse_accuracy, test_accuracy(sparse.model, fashion.data));
  ALARA_TRY(const double narrow_accuracy, test_accuracy(narrow.model, fashion.data));
  ALARA_TRY(const double int8_accuracy, test_accuracy(sparse_int8, fashion.data));
  ALARA_TRY(const auto latency, latencies_of(fashion, narrow.model, arguments.quick ? 200 : 4000, progress));
  ALARA_TRY(const std::string dense_file, graph::to_onnx(fashion.model));
  ALARA_TRY(const double dense_packed, packed_bytes(fashion.model));
  ALARA_TRY(const double int8_packed, packed_bytes(sparse_int8));

  Report report;
  report.workload =
      "The CNN of `quantize` on Fashion-MNIST: 80 % of its weights to zero in 5 epochs of fine-tuning, or 40 % of its "
      "filters removed in two rounds and 16 epochs, both with the dense network as teacher; the sparse one also in 8 "
      "bits. Accuracy on 10,000 test pictures by ONNX Runtime, latency of one picture on one thread, sizes packed by "
      "zlib.";
  report.baseline["accuracy_fp32"] = dense;
  report.baseline["latency_fp32_p50_ms"] = latency[0].p50_ms;
  report.baseline["size_fp32_bytes"] = static_cast<double>(dense_file.size());
  report.baseline["size_fp32_packed_bytes"] = dense_packed;
  report.figures["loss_80_unstructured"] = dense - sparse_accuracy;
  report.figures["sparsity"] = sparsity_of(sparse);
  report.figures["loss_40_filters"] = dense - narrow_accuracy;
  report.figures["filters_removed"] = filters_gone(narrow);
  report.figures["latency_filters_p50_ms"] = latency[1].p50_ms;
  report.figures["latency_gain_filters"] = 1 - latency[1].p50_ms / latency[0].p50_ms;
  report.figures["loss_prune_int8"] = dense - int8_accuracy;
  report.figures["size_prune_int8_packed_bytes"] = int8_packed;
  report.figures["size_ratio_prune_int8"] = dense_packed / int8_packed;  // both packed
  report.notes.push_back(
      "zeros alone do not make dense kernels faster: the sparse network runs as long as the dense one");
  report.notes.push_back(
      "checked: ONNX Runtime and libtorch agree on the dense network's accuracy, the zeros and the "
      "filters that are gone were counted in the files");
  report.checked = std::abs(dense - reference) <= 0.05 && std::abs(sparsity_of(sparse) - kSparsity) < 0.01 &&
                   filters_gone(narrow) >= 0.4 && filters_gone(narrow) < 0.45;
  checkpoints.remove_all();
  return report;
}

}  // namespace alara::bench
