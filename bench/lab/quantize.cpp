// SPDX-License-Identifier: Apache-2.0
// What 8-bit integers cost: accuracy of two trained networks, detections of two detectors, scales per channel beside
// one per layer, and the bias that overflows 32 bits.
#include "graph/quantize/quantize.hpp"
#include "bench/lab/detectors.hpp"
#include "bench/lab/fashion.hpp"
#include "bench/lab/granularity.hpp"
#include "cli/progress.hpp"
#include "graph/builder.hpp"
#include "graph/quantize/compare.hpp"
#include "learn/ort_executor.hpp"

namespace alara::bench {
namespace {

// Points of accuracy on the 10,000 test pictures that are lost.
Result<double> loss_of(learn::Recipe recipe, std::string_view name, const Arguments& arguments, Progress& progress,
                       Report& report) {
  ALARA_TRY(const Fashion fashion, trained_fashion(std::move(recipe), arguments, progress));
  const auto samples = fashion.data.samples(learn::Part::train);
  graph::QuantizeOptions options;
  options.max_samples = arguments.quick ? 50 : 500;
  options.compare_samples = 100;
  options.bias_correction = true;
  ALARA_TRY(const graph::Quantized out,
            graph::quantize(fashion.model, *samples, learn::make_ort_executor(), options, progress));
  ALARA_TRY(const double before, test_accuracy(fashion.model, fashion.data));
  ALARA_TRY(const double after, test_accuracy(out.model, fashion.data));
  report.baseline[fmt::format("accuracy_fp32_{}", name)] = before;
  report.figures[fmt::format("accuracy_int8_{}", name)] = after;
  report.figures[fmt::format("integer_macs_percent_{}", name)] = 100 * out.integer_macs;
  return before - after;
}

// A fixed set of samples.
class Given final : public graph::SampleSource {
 public:
  explicit Given(std::vector<graph::Tensor> samples) : samples_(std::move(samples)) {}
  [[nodiscard]] std::size_t size() const override { return samples_.size(); }
  [[nodiscard]] Result<std::vector<graph::Tensor>> sample(std::size_t i) override {
    return std::vector<graph::Tensor>{samples_[i]};
  }

 private:
  std::vector<graph::Tensor> samples_;
};

// Weight scale 7.8e-10, input scale 0.5, bias 5 and -4.5: the largest error of an output, in steps of its grid.
Result<double> overflowing_bias() {
  graph::Builder builder("bias");
  const auto x = builder.input("x", graph::Shape{1, 2, 4, 4});
  constexpr float kWeight = 127 * 7.8e-10F;
  const auto weights = builder.constant(
      "w", graph::Tensor::of<float>({2, 2, 1, 1}, std::vector<float>{kWeight, -kWeight / 2, kWeight / 3, -kWeight}));
  const auto bias = builder.constant("b", graph::Tensor::of<float>({2}, std::vector<float>{5, -4.5F}));
  builder.output(builder.node("Conv", "y", {x, weights, bias}));
  const graph::Model model = std::move(builder).finish();
  std::vector<float> numbers(32);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = 127.5F * static_cast<float>(i) / 31;
  Given samples({graph::Tensor::of<float>({1, 2, 4, 4}, numbers)});
  graph::QuantizeOptions options;
  options.method = graph::RangeMethod::min_max;
  Silent silent;
  const graph::ExecutorFactory executors = learn::make_ort_executor();
  ALARA_TRY(const graph::Quantized out, graph::quantize(model, samples, executors, options, silent));
  ALARA_TRY(const auto compared, graph::compare(model, out.model, samples, executors, {}, silent));
  const graph::Tensor* step = out.model.graph.constant("y_scale");
  if (step == nullptr) return fail(ErrorKind::internal, "the output is not quantised");
  return compared.front().agreement.largest_error() / static_cast<double>(step->values<float>()[0]);
}

Status measure_accuracy(const Arguments& arguments, Progress& progress, Report& report) {
  if (!learn::has_fashion_mnist()) {
    report.notes.emplace_back("no Fashion-MNIST here: accuracy not measured (install dataset-fashion-mnist)");
    return {};
  }
  ALARA_TRY(report.figures["int8_loss_cnn"], loss_of(learn::fashion_cnn(), "cnn", arguments, progress, report));
  ALARA_TRY(report.figures["int8_loss_depthwise"],
            loss_of(learn::fashion_depthwise(), "depthwise", arguments, progress, report));
  return {};
}

}  // namespace

Result<Report> run_quantize(const Arguments& arguments) {
  cli::TerminalProgress progress;
  Report report;
  report.workload =
      "post-training quantisation to 8-bit integers (mse ranges), measured by running both models; detections_kept is "
      "of "
      "the pictures that calibrated, detections_kept_held_out of every second one with the others calibrating";
  ALARA_TRY(report.figures["bias_overflow_steps"], overflowing_bias());
  report.checked = report.figures["bias_overflow_steps"] <= 1;
  ALARA_CHECK(measure_accuracy(arguments, progress, report));
  ALARA_CHECK(measure_granularity(arguments, progress, report));
  ALARA_CHECK(measure_detectors(arguments, progress, report));
  return report;
}

}  // namespace alara::bench
