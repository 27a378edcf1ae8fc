// SPDX-License-Identifier: Apache-2.0
// `alara-lab finetune`: trains an existing model on, also a quantised one (QDQ): weights learn with their rounding.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/progress.hpp"
#include "graph/import/source.hpp"
#include "lab/commands.hpp"
#include "lab/training_arguments.hpp"
#include "learn/train/trainer.hpp"

namespace alara::lab {
namespace {

struct FinetuneArguments {
  std::string in, out;
  DataArguments data;
  TrainingArguments training;
};

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
  ALARA_TRY(const learn::Trained trained, learn::train(std::move(model), data, options, progress));
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
  arguments->data.declare(*command);
  arguments->training.declare(*command);
  command->callback([&line, arguments] {
    const Result<int> done = finetune(*arguments);
    line.exit_code = done ? *done : cli::report(done.error());
  });
}

}  // namespace alara::lab
