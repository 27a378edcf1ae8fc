// SPDX-License-Identifier: Apache-2.0
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <filesystem>

#include "base/file.hpp"
#include "base/machine.hpp"
#include "cli/progress.hpp"
#include "graph/import/source.hpp"
#include "graph/onnx_file.hpp"
#include "graph/quantize/half.hpp"
#include "graph/quantize/quantize.hpp"
#include "graph/quantize/weight_only.hpp"
#include "lab/commands.hpp"
#include "lab/evaluation_data.hpp"
#include "lab/quantization_report.hpp"
#include "learn/data/file_bytes.hpp"
#include "learn/data/samples.hpp"
#include "learn/ort_executor.hpp"

namespace alara::lab {
namespace {

struct QuantizeCommand {
  std::string from, to, calibration, evaluation, report, preprocessing, checkpoint;
  std::string method = "mse", weights = "auto", activations = "uint8";
  std::vector<std::string> exclude, outputs;
  double percentile = graph::kDefaultPercentile;
  std::optional<double> max_drop;
  std::size_t samples = 0;  // 0: all
  int threads = 1;
  bool per_tensor = false, equalise = false, bias_correction = false, adaround = false;
  bool weight_only = false, half = false;
};

Result<graph::QuantizeOptions> options_of(const QuantizeCommand& command) {
  graph::QuantizeOptions out;
  ALARA_TRY(out.method, graph::range_method(command.method));
  out.percentile = command.percentile;
  out.granularity = command.per_tensor ? graph::Granularity::per_tensor : graph::Granularity::per_channel;
  if (command.weights == "int8") out.weights = graph::WeightType::int8;
  if (command.weights == "int7") out.weights = graph::WeightType::int7;
  if (command.weights == "uint8") out.weights = graph::WeightType::uint8;
  if (command.activations == "int8") out.activations = graph::ActivationType::int8;
  if (command.activations == "int8" && command.weights == "uint8")
    return fail(ErrorKind::bad_input, "uint8 weights need uint8 activations: no kernel takes them with int8 ones");
  out.equalise = command.equalise;
  out.bias_correction = command.bias_correction;
  out.adaround = command.adaround;
  out.exclude = {command.exclude.begin(), command.exclude.end()};
  out.max_drop = command.max_drop;
  out.threads = command.threads;
  return out;
}

Result<learn::Preprocessing> preprocessing_for(const QuantizeCommand& command, const graph::Model& model) {
  return command.preprocessing.empty() ? learn::preprocessing_of(model)
                                       : learn::parse_preprocessing(command.preprocessing);
}

// The labelled data of --eval; nullptr without.
Result<std::shared_ptr<const EvaluationData>> evaluation_for(const QuantizeCommand& command,
                                                             const graph::Model& model) {
  if (command.evaluation.empty()) return nullptr;
  ALARA_TRY(EvaluationData data, EvaluationData::open_labelled(command.evaluation, model, command.preprocessing));
  return std::make_shared<const EvaluationData>(std::move(data));
}

Result<graph::Quantized> quantize_to_integers(const QuantizeCommand& command, const graph::Model& model,
                                              const std::shared_ptr<const EvaluationData>& evaluation) {
  if (command.calibration.empty())
    return tl::unexpected<Error>(Error{
        ErrorKind::bad_input, "quantising needs samples", {}, "give --calib DIR, or use --weight-only or --fp16"});
  ALARA_TRY(graph::QuantizeOptions options, options_of(command));
  const graph::ExecutorFactory executors = learn::make_ort_executor();
  if (evaluation != nullptr) {
    options.metric_name = fmt::format("accuracy {:016x}", evaluation->hash());
    options.metric = [evaluation, executors, threads = command.threads](const graph::Model& changed) {
      return evaluation->accuracy_of(changed, executors, threads);
    };
  }
  ALARA_TRY(const learn::Preprocessing preprocessing, preprocessing_for(command, model));
  ALARA_TRY(auto samples, learn::open_samples(command.calibration, model.graph.inputs, preprocessing));
  fmt::print(stderr, "preprocessing: {}\n", preprocessing.summary());
  if (command.samples > 0) samples = learn::spread(std::move(samples), command.samples);
  std::optional<WorkJournal> journal;
  if (!command.checkpoint.empty()) {
    ALARA_TRY(WorkJournal opened, WorkJournal::open(command.checkpoint));
    options.journal = &journal.emplace(std::move(opened));
  }
  cli::TerminalProgress progress;
  auto done = graph::quantize(model, *samples, executors, options, progress);
  if (!done && done.error().kind == ErrorKind::refused && done.error().hint.empty())
    done.error().hint = journal ? "the same command goes on from " + command.checkpoint
                                : "with --checkpoint FILE it could go on from there";
  if (done && journal && journal->recalled() > 0)
    done->notes.push_back(
        fmt::format("{} parts of the work were found in {}", journal->recalled(), command.checkpoint));
  return done;
}

Result<graph::Quantized> without_calibration(const QuantizeCommand& command, const graph::Model& model) {
  const std::set<std::string> exclude(command.exclude.begin(), command.exclude.end());
  const auto granularity = command.per_tensor ? graph::Granularity::per_tensor : graph::Granularity::per_channel;
  ALARA_TRY(graph::Smaller smaller, command.half ? graph::to_half_precision(model, exclude)
                                                 : graph::quantize_weights(model, granularity, exclude));
  graph::Quantized out;
  out.model = std::move(smaller.model);
  out.notes = std::move(smaller.notes);
  out.notes.push_back(fmt::format("{} tensors became {}", smaller.changed, command.half ? "float16" : "int8"));
  return out;
}

std::string weight_type(const QuantizeCommand& command) {
  if (command.half) return "";
  if (command.weight_only) return "int8";
  if (command.weights != "auto") return command.weights;
  return graph::weights_for(cpu_features()) == graph::WeightType::int7 ? "int7" : "int8";
}

Status run(const QuantizeCommand& command) {
  ALARA_CHECK(learn::check_writable(command.to));
  if (!command.report.empty()) ALARA_CHECK(learn::check_writable(command.report));
  ALARA_TRY(graph::Model model, graph::read_model(command.from));
  if (!command.outputs.empty()) ALARA_CHECK(graph::keep_outputs(model, command.outputs));
  ALARA_TRY(const auto evaluation, evaluation_for(command, model));
  const bool plain = command.weight_only || command.half;
  QuantizationReport report;
  ALARA_TRY(report.result,
            plain ? without_calibration(command, model) : quantize_to_integers(command, model, evaluation));
  if (evaluation != nullptr) {
    const graph::ExecutorFactory executors = learn::make_ort_executor();
    ALARA_TRY(const double before, evaluation->accuracy_of(model, executors, command.threads));
    ALARA_TRY(const double after, evaluation->accuracy_of(report.result.model, executors, command.threads));
    report.accuracy = Accuracies{before, after, evaluation->size()};
  }
  report.result.model.metadata = model.metadata;
  ALARA_CHECK(graph::write_onnx(report.result.model, command.to));
  report.from = command.from;
  report.to = command.to;
  report.kind = command.half ? "float16" : command.weight_only ? "weights" : "int8";
  report.weight_type = weight_type(command);
  ALARA_TRY(const std::string as_onnx, graph::to_onnx(model));
  report.bytes_before = as_onnx.size();
  ALARA_TRY(report.bytes_after, learn::size_of_file(command.to));
  if (!command.report.empty())
    ALARA_CHECK(replace_file(
        command.report, report.json().dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n"));
  fmt::print("{}", report.text());
  return {};
}

void add_numbers(CLI::App& command, QuantizeCommand& options) {
  command.add_option("--method", options.method, "How ranges are chosen (mse)")
      ->check(CLI::IsMember({"minmax", "percentile", "entropy", "mse"}))
      ->option_text("minmax|percentile|entropy|mse");
  command.add_option("--percentile", options.percentile, "Of --method percentile (99.99)")
      ->check(CLI::Range(50.0, 100.0))
      ->option_text("P");
  command.add_flag("--per-tensor", options.per_tensor, "One scale for all weights of a layer, not one per channel");
  command.add_option("--weights", options.weights, "auto: int7 on x86 without VNNI, where sums of 8 bits saturate")
      ->check(CLI::IsMember({"auto", "int8", "int7", "uint8"}))
      ->option_text("auto|int8|int7|uint8");
  command.add_option("--activations", options.activations, "uint8 (default) or int8")
      ->check(CLI::IsMember({"uint8", "int8"}))
      ->option_text("uint8|int8");
  command.add_flag("--equalise", options.equalise, "Even out channels across layers first");
  command.add_flag("--bias-correction", options.bias_correction, "Take the mean error of weights out of biases");
  command.add_flag("--adaround", options.adaround, "Round weights so that outputs come out right (slower)");
}

void add_data(CLI::App& command, QuantizeCommand& options) {
  command.add_option("--calib", options.calibration, "Samples: a folder or file of .npy, pictures or IDX")
      ->option_text("PATH");
  command.add_option("--preprocessing", options.preprocessing, "As \"scale=0.0078 mean=1\"; else what the model says")
      ->option_text("TEXT");
  command.add_option("--samples", options.samples, "Use so many samples, evenly spread (all)")
      ->check(CLI::Range(0, 1'000'000'000))
      ->option_text("N");
  command.add_option("--eval", options.evaluation, "Labelled data: its accuracy is measured")->option_text("DIR");
  command
      .add_option("--max-drop", options.max_drop,
                  "Put layers back to float until no more is lost: points of accuracy with --eval, else percent of "
                  "the outputs' cosine")
      ->check(CLI::Range(0.0, 100.0))
      ->option_text("D");
}

}  // namespace

void add_quantize_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("quantize", "A model on 8-bit integers, with a table of what it costs where");
  command->footer(
      "Examples:\n  alara-lab quantize model.onnx small.onnx --calib pictures/\n"
      "  alara-lab quantize model.onnx small.onnx --calib train/ --bias-correction --max-drop 0.5 --eval test/\n"
      "  alara-lab quantize detector.tflite small.onnx --calib pictures/ --exclude Softmax --report small.json\n"
      "  alara-lab quantize model.onnx half.onnx --fp16");
  auto options = std::make_shared<QuantizeCommand>();
  command->add_option("FROM", options->from, "An .onnx or .tflite file, or a tfjs model.json")
      ->required()
      ->option_text(" ");
  command->add_option("TO", options->to, "The .onnx file to write")->required()->option_text(" ");
  add_data(*command, *options);
  add_numbers(*command, *options);
  CLI::Option* weight_only =
      command->add_flag("--weight-only", options->weight_only, "Only the weights, no samples needed");
  CLI::Option* half = command->add_flag("--fp16", options->half, "Weights and computing in float16 instead");
  half->excludes(weight_only)->excludes("--per-tensor");
  for (const char* of_integers : {"--calib", "--samples", "--method", "--percentile", "--weights", "--activations",
                                  "--equalise", "--bias-correction", "--adaround", "--max-drop"}) {
    weight_only->excludes(of_integers);
    half->excludes(of_integers);
  }
  command
      ->add_option("--exclude", options->exclude,
                   "What stays in float: a node's name, output or operator; may be given several times")
      ->allow_extra_args(false)
      ->option_text("NODE");
  command->add_option("--output", options->outputs, "Keep only this of the model's outputs; may be given several times")
      ->allow_extra_args(false)
      ->option_text("NAME");
  command->add_option("--threads", options->threads, "Of each run of the model (1)")
      ->check(CLI::Range(1, 256))
      ->option_text("N");
  CLI::Option* checkpoint =
      command->add_option("--checkpoint", options->checkpoint, "Keep there what long parts found; go on from it")
          ->option_text("FILE");
  weight_only->excludes(checkpoint);
  half->excludes(checkpoint);
  command->add_option("--report", options->report, "The table as JSON")->option_text("FILE");
  command->callback([&line, options] {
    const Status done = run(*options);
    line.exit_code = done ? cli::kGood : cli::report(done.error());
  });
}

}  // namespace alara::lab
