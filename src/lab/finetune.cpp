// SPDX-License-Identifier: Apache-2.0
// `alara-lab finetune`: trains an existing model on, also a quantised one (QDQ): weights learn with their rounding.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/progress.hpp"
#include "graph/import/source.hpp"
#include "lab/commands.hpp"
#include "lab/training_arguments.hpp"
#include "learn/compress/kept_zeros.hpp"
#include "learn/train/trainer.hpp"

namespace alara::lab {
namespace {

struct FinetuneArguments {
  std::string in, out;
  bool free_zeros = false;
  DataArguments data;
  TrainingArguments training;
};

// A pruned model keeps its zeros, unless it shall not.
Result<learn::Hooks> hooks_for(const graph::Model& model, const FinetuneArguments& arguments) {
  if (arguments.free_zeros) return learn::Hooks{};
  ALARA_TRY(const learn::Network network, learn::Network::build(model));
  std::vector<std::string> pruned = learn::pruned_parameters(network);
  if (pruned.empty()) return learn::Hooks{};
  fmt::print(stderr, "the zeros of {} pruned weights are kept (--free-zeros trains them too)\n", pruned.size());
  return learn::keep_zeros(std::move(pruned));
}

Result<int> finetune(const FinetuneArguments& arguments) {
  ALARA_TRY(const learn::TrainOptions options, arguments.training.read(arguments.out));
  ALARA_TRY(graph::Model model, graph::read_model(arguments.in));
  learn::DatasetOptions rows;
  rows.seed = options.seed;
  ALARA_TRY(const learn::Dataset data, arguments.data.open(model, rows));
  fmt::print(stderr, "preprocessing: {}\n", data.preprocessing().summary());
  ALARA_TRY(const std::string before, summary(model, data, {}, options.threads));
  if (!before.empty()) fmt::print("before: {}", before);
  cli::TerminalProgress progress;
  ALARA_TRY(learn::Objective objective, learn::objective_for(model, data, options.label_smoothing));
  ALARA_TRY(learn::Hooks hooks, hooks_for(model, arguments));
  ALARA_TRY(const learn::Trained trained,
            learn::train(std::move(model), data, options, std::move(objective), std::move(hooks), progress));
  return arguments.training.finish(trained, data, arguments.out);
}

}  // namespace

void add_finetune_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("finetune", "Train an existing model on, also a quantised one");
  command->footer(
      "A quantised model (QDQ) learns with its rounding: gradients pass straight through, scales stay, and the result "
      "is\n"
      "quantised as before. Preprocessing is what the model's metadata say.\nExample:\n"
      "  alara-lab finetune cnn-int8.onnx better.onnx --data /usr/share/datasets/fashion-mnist --epochs 2");
  auto arguments = std::make_shared<FinetuneArguments>();
  arguments->training.options.epochs = 3;
  arguments->training.options.rate = 2e-4;
  command->add_option("IN", arguments->in, "An .onnx file")->required()->option_text(" ");
  command->add_option("OUT", arguments->out, "The .onnx file to write")->required()->option_text(" ");
  command->add_flag("--free-zeros", arguments->free_zeros, "Let the zeros of a pruned model learn too");
  arguments->data.declare(*command);
  arguments->training.declare(*command);
  command->callback([&line, arguments] {
    const Result<int> done = finetune(*arguments);
    line.exit_code = done ? *done : cli::report(done.error());
  });
}

}  // namespace alara::lab
