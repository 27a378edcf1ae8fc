// SPDX-License-Identifier: Apache-2.0
// `alara-lab train`: a network from an architecture file or a template, learnt from a folder of data.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/progress.hpp"
#include "lab/commands.hpp"
#include "lab/training_arguments.hpp"
#include "learn/architecture/architecture.hpp"
#include "learn/train/trainer.hpp"

namespace alara::lab {
namespace {

struct TrainArguments {
  std::string network, out;           // a template's name or an architecture file
  std::vector<std::string> settings;  // "classes=4"
  DataArguments data;
  TrainingArguments training;
  bool list = false;
};

// {"classes=4", "input=[1, 8, 8]"} as one YAML map.
Result<std::string> settings_text(const std::vector<std::string>& settings) {
  std::string out;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(ErrorKind::bad_input, "--set '{}' is not like classes=4", setting);
    out += fmt::format("{}: {}\n", setting.substr(0, equals), setting.substr(equals + 1));
  }
  return out;
}

Result<graph::Model> network_from(const TrainArguments& arguments) {
  const learn::BuildOptions options{.seed = arguments.training.options.seed};
  const std::string ending = std::filesystem::path(arguments.network).extension().string();
  if (ending != ".yaml" && ending != ".yml") {
    ALARA_TRY(const std::string settings, settings_text(arguments.settings));
    return learn::build_template(arguments.network, settings, options);
  }
  if (!arguments.settings.empty())
    return fail(ErrorKind::bad_input, "--set is for templates; '{}' has its sizes in the file", arguments.network);
  return learn::load_architecture(arguments.network, options);
}

Result<int> train(const TrainArguments& arguments) {
  ALARA_TRY(const learn::TrainOptions options, arguments.training.read(arguments.out));
  ALARA_TRY(graph::Model network, network_from(arguments));
  learn::DatasetOptions rows;
  rows.measure_mean = true;
  rows.seed = options.seed;
  ALARA_TRY(const learn::Dataset data, arguments.data.open(network, rows));
  cli::TerminalProgress progress;
  ALARA_TRY(const learn::Trained trained, learn::train(std::move(network), data, options, progress));
  return arguments.training.finish(trained, data, arguments.out);
}

}  // namespace

void add_train_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("train", "Train a network from an architecture file or a template");
  command->footer(
      "Without a mean in --preprocessing, mean and deviation are measured and kept in the model's metadata.\n"
      "Ctrl-C stops after the running step; with --checkpoint the same command goes on from there.\nExamples:\n"
      "  alara-lab train cnn.onnx --template cnn --data /usr/share/datasets/fashion-mnist --epochs 10 --flip 0.5\n"
      "  alara-lab train wear.onnx --template wear.yaml --data recordings/ --curve curve.json\n"
      "  alara-lab train --list");
  auto arguments = std::make_shared<TrainArguments>();
  command->add_option("OUT", arguments->out, "The .onnx file to write")->option_text(" ");
  command
      ->add_option("--template", arguments->network,
                   "A network by its name (--list), or a YAML file with input and layers")
      ->option_text("NAME|FILE");
  command->add_option("--set", arguments->settings, "Of the template, as classes=4; may be given several times")
      ->allow_extra_args(false)
      ->option_text("KEY=VALUE");
  command->add_flag("--list", arguments->list, "Show the templates and the layers of architecture files");
  arguments->data.declare(*command);
  command->get_option("--data")->required(false);
  arguments->training.declare(*command);
  command->callback([&line, arguments] {
    if (arguments->list) {
      fmt::print("# Templates\n\n{}\n# Layers\n\n{}", learn::template_reference(), learn::layer_reference());
      return;
    }
    Result<int> done = fail(ErrorKind::bad_input, "the .onnx file to write, --template and --data are needed");
    if (!arguments->out.empty() && !arguments->network.empty() && !arguments->data.folder.empty())
      done = train(*arguments);
    line.exit_code = done ? *done : cli::report(done.error());
  });
}

}  // namespace alara::lab
