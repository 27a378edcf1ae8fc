// SPDX-License-Identifier: Apache-2.0
// `alara-lab prune`: weights to zero, or filters really removed, with fine-tuning in between.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <map>

#include "cli/progress.hpp"
#include "graph/import/source.hpp"
#include "lab/commands.hpp"
#include "lab/text_table.hpp"
#include "lab/training_arguments.hpp"
#include "learn/compress/pruning.hpp"

namespace alara::lab {
namespace {

const std::map<std::string, graph::Pattern> kPatterns = {{"unstructured", graph::Pattern::unstructured},
                                                         {"2:4", graph::Pattern::two_of_four},
                                                         {"4x1", graph::Pattern::blocks_4x1}};

struct PruneArguments {
  std::string in, out;
  double sparsity = 0, filters = 0;
  std::string pattern = "unstructured", scope = "layer";
  std::int64_t multiple = 1;
  learn::PruneOptions options;
  DataArguments data;
  TrainingArguments training;
};

Result<learn::PruneOptions> options_of(const PruneArguments& arguments) {
  learn::PruneOptions out = arguments.options;
  ALARA_TRY(out.training, arguments.training.read(arguments.out));
  if (arguments.sparsity > 0) {
    out.weights = graph::MaskOptions{};
    out.weights->sparsity = arguments.sparsity;
    out.weights->pattern = kPatterns.at(arguments.pattern);
    if (arguments.scope == "global") out.weights->scope = graph::MaskScope::global;
  }
  if (arguments.filters > 0) {
    out.filters = graph::FilterOptions{};
    out.filters->share = arguments.filters;
    out.filters->multiple = arguments.multiple;
    if (arguments.scope == "global") out.filters->scope = graph::FilterScope::global;
  }
  if (!out.weights && !out.filters)
    return fail(ErrorKind::bad_input,
                "give --sparsity 0.8 (weights to zero) or --filters 0.4 (filters removed), or both");
  return out;
}

std::string table_of(const learn::Pruned& pruned) {
  using enum TextTable::Align;
  TextTable table({{"layer", left}, {"weights", right}, {"zeros", right}, {"filters", right}});
  for (const learn::PrunedLayer& layer : pruned.layers)
    table.row({layer.weight, short_count(layer.weights), fmt::format("{:.1f} %", 100 * layer.sparsity),
               layer.filters == layer.filters_before ? fmt::format("{}", layer.filters)
                                                     : fmt::format("{} of {}", layer.filters, layer.filters_before)});
  return table.text();
}

// What is said where a layer's limit or the pattern's leaves fewer zeros than were asked for; else "".
std::string shortfall(const learn::Pruned& pruned, const graph::MaskOptions& wanted) {
  double zeros = 0, weights = 0;
  for (const learn::PrunedLayer& layer : pruned.layers) {
    zeros += layer.sparsity * static_cast<double>(layer.weights);
    weights += static_cast<double>(layer.weights);
  }
  constexpr double kRounding = 0.01;  // whole weights of small layers
  if (weights == 0 || zeros / weights > wanted.sparsity - kRounding) return "";
  return fmt::format("note: {:.1f} % of the weights are zero, not {:.1f} %: {}\n", 100 * zeros / weights,
                     100 * wanted.sparsity,
                     wanted.pattern == graph::Pattern::two_of_four
                         ? "2:4 allows half of them at most"
                         : fmt::format("no layer loses more than {:.0f} %", 100 * wanted.most_of_a_layer));
}

Result<int> prune(const PruneArguments& arguments) {
  ALARA_TRY(const learn::PruneOptions options, options_of(arguments));
  ALARA_TRY(graph::Model model, graph::read_model(arguments.in));
  learn::DatasetOptions rows;
  rows.seed = options.training.seed;
  ALARA_TRY(const learn::Dataset data, arguments.data.open(model, rows));
  ALARA_TRY(const std::string before, summary(model, data, {}, options.training.threads));
  if (!before.empty()) fmt::print("before: {}", before);
  cli::TerminalProgress progress;
  ALARA_TRY(const learn::Pruned pruned, learn::prune(std::move(model), data, options, progress));
  if (!pruned.stopped) fmt::print("{}", table_of(pruned));
  if (!pruned.stopped && options.weights) fmt::print(stderr, "{}", shortfall(pruned, *options.weights));
  learn::TrainReport report;
  report.curve = pruned.curve;
  report.stopped = pruned.stopped;
  return arguments.training.finish({pruned.model, report}, data, arguments.out);
}

}  // namespace

void add_prune_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("prune", "Weights to zero, or filters removed, with fine-tuning");
  command->footer(
      "Zeros make a file smaller when it is packed, not faster; removed filters make it smaller and faster.\n"
      "--epochs is for each of the two: the rounds in which filters go share it, zeros have as many again.\n"
      "Examples:\n"
      "  alara-lab prune cnn.onnx sparse.onnx --sparsity 0.8 --data /usr/share/datasets/fashion-mnist --epochs 5\n"
      "  alara-lab prune cnn.onnx narrow.onnx --filters 0.4 --multiple 4 --data /usr/share/datasets/fashion-mnist");
  auto arguments = std::make_shared<PruneArguments>();
  arguments->training.options.epochs = 5;
  arguments->training.options.rate = 0.001;
  command->add_option("IN", arguments->in, "An .onnx or .tflite file, or a tfjs model.json")
      ->required()
      ->option_text(" ");
  command->add_option("OUT", arguments->out, "The .onnx file to write")->required()->option_text(" ");
  command->add_option("--sparsity", arguments->sparsity, "Share of the weights that become zero")
      ->check(CLI::Range(0.0, 0.999))
      ->option_text("SHARE");
  command->add_option("--pattern", arguments->pattern, "Which weights go together: unstructured (default), 2:4 or 4x1")
      ->check(CLI::IsMember({"unstructured", "2:4", "4x1"}))
      ->option_text("PATTERN");
  command->add_option("--filters", arguments->filters, "Share of the filters that are removed")
      ->check(CLI::Range(0.0, 0.95))
      ->option_text("SHARE");
  command->add_option("--multiple", arguments->multiple, "Keep a multiple of so many filters: 4 or 8 suit CPUs (1)")
      ->check(CLI::Range(1, 64))
      ->option_text("N");
  command->add_option("--rounds", arguments->options.rounds, "In which filters go, with training after each (2)")
      ->check(CLI::Range(1, 100))
      ->option_text("N");
  command->add_option("--scope", arguments->scope, "The share is that of each layer (default), or global")
      ->check(CLI::IsMember({"layer", "global"}))
      ->option_text("SCOPE");
  command
      ->add_option("--teach", arguments->options.teach, "The dense network's share of the loss; 0: labels alone (0.5)")
      ->check(CLI::Range(0.0, 1.0))
      ->option_text("SHARE");
  arguments->data.declare(*command);
  arguments->training.declare(*command);
  command->callback([&line, arguments] {
    const Result<int> done = prune(*arguments);
    line.exit_code = done ? *done : cli::report(done.error());
  });
}

}  // namespace alara::lab
