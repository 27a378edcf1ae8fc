// SPDX-License-Identifier: Apache-2.0
// `alara-lab distill`: a small network learns from a large one.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/progress.hpp"
#include "graph/import/source.hpp"
#include "lab/commands.hpp"
#include "lab/training_arguments.hpp"
#include "learn/architecture/architecture.hpp"
#include "learn/compress/distillation.hpp"

namespace alara::lab {
namespace {

struct DistillArguments {
  std::string teacher, student, out;
  std::vector<std::string> features;  // "teacher_value=student_value"
  learn::DistilOptions options;
  DataArguments data;
  TrainingArguments training;
};

Result<learn::DistilOptions> options_of(const DistillArguments& arguments) {
  learn::DistilOptions out = arguments.options;
  for (const std::string& pair : arguments.features) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == pair.size())
      return fail(ErrorKind::bad_input, "--feature '{}' is not like TEACHER_VALUE=STUDENT_VALUE", pair);
    out.features.push_back({pair.substr(0, equals), pair.substr(equals + 1)});
  }
  return out;
}

// A model, or the network of an architecture file with first weights.
Result<graph::Model> student_from(const std::string& path, std::uint64_t seed) {
  if (path.ends_with(".yaml") || path.ends_with(".yml")) return learn::load_architecture(path, {.seed = seed});
  return graph::read_model(path);
}

Result<int> distill(const DistillArguments& arguments) {
  ALARA_TRY(const learn::TrainOptions training, arguments.training.read(arguments.out));
  ALARA_TRY(const learn::DistilOptions options, options_of(arguments));
  ALARA_TRY(const graph::Model teacher, graph::read_model(arguments.teacher));
  ALARA_TRY(graph::Model student, student_from(arguments.student, training.seed));
  learn::DatasetOptions rows;
  rows.seed = training.seed;
  // Both see what the teacher learnt to see.
  ALARA_TRY(const learn::Dataset data, arguments.data.open(teacher, rows));
  ALARA_TRY(const std::string before, summary(teacher, data, {}, training.threads));
  if (!before.empty()) fmt::print("teacher: {}", before);
  cli::TerminalProgress progress;
  ALARA_TRY(const learn::Trained trained,
            learn::distil(std::move(student), teacher, data, options, training, progress));
  return arguments.training.finish(trained, data, arguments.out);
}

}  // namespace

void add_distill_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("distill", "A small network learns from a large one");
  command->footer(
      "The student is a model, trained or not, or an architecture file (alara-lab train --list).\nExample:\n"
      "  alara-lab distill large.onnx small.yaml small.onnx --data /usr/share/datasets/fashion-mnist --epochs 10");
  auto arguments = std::make_shared<DistillArguments>();
  command->add_option("TEACHER", arguments->teacher, "A trained .onnx or .tflite file, or a tfjs model.json")
      ->required()
      ->option_text(" ");
  command->add_option("STUDENT", arguments->student, "A model of the same kinds, or an architecture .yaml")
      ->required()
      ->option_text(" ");
  command->add_option("OUT", arguments->out, "The .onnx file to write")->required()->option_text(" ");
  command->add_option("--temperature", arguments->options.temperature, "Larger teaches more of unlikely classes (4)")
      ->check(CLI::Range(1.0, 100.0))
      ->option_text("T");
  command->add_option("--weight", arguments->options.weight, "The teacher's share of the loss (0.7)")
      ->check(CLI::Range(0.0, 1.0))
      ->option_text("SHARE");
  command
      ->add_option("--feature", arguments->features,
                   "Values in between that shall become alike; may be given several times")
      ->allow_extra_args(false)
      ->option_text("TEACHER=STUDENT");
  command->add_option("--feature-weight", arguments->options.feature_weight, "Of their mean squared difference (1)")
      ->check(CLI::Range(0.0, 1e6))
      ->option_text("W");
  arguments->data.declare(*command);
  arguments->training.declare(*command);
  command->callback([&line, arguments] {
    const Result<int> done = distill(*arguments);
    line.exit_code = done ? *done : cli::report(done.error());
  });
}

}  // namespace alara::lab
