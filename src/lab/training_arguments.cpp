// SPDX-License-Identifier: Apache-2.0
#include "lab/training_arguments.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/command_line.hpp"
#include "graph/onnx_file.hpp"
#include "learn/data/file_bytes.hpp"
#include "learn/data/score.hpp"
#include "learn/ort_executor.hpp"

namespace alara::lab {
namespace {

using learn::Part;
using learn::Target;

Status make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(ErrorKind::bad_input, "folder '{}' can not be made: {}", folder.string(), error.message());
  return {};
}

}  // namespace

void DataArguments::declare(CLI::App& command) {
  command
      .add_option("--data", folder,
                  "inputs.npy with labels.npy or targets.npy, pictures in a folder per class, or an IDX set")
      ->required()
      ->option_text("DIR");
  command.add_option("--target", target, "What is learnt: classes, values, or the input itself (what the folder has)")
      ->check(CLI::IsMember({"classes", "values", "itself"}))
      ->option_text("WHAT");
  command
      .add_option("--preprocessing", preprocessing, "As \"scale=0.0039 mean=0.5 deviation=0.25 order=rgb size=96x96\"")
      ->option_text("TEXT");
  command.add_option("--validation", validation, "Share of the rows set aside where there is no validation/ (0.1)")
      ->check(CLI::Range(0.0, 0.9))
      ->option_text("SHARE");
  command.add_option("--rows", rows, "Train with so many rows only, chosen by the seed")
      ->check(CLI::Range(0, 1'000'000'000))
      ->option_text("N");
}

Result<learn::Dataset> DataArguments::open(const graph::Model& model, learn::DatasetOptions options) const {
  if (model.graph.inputs.empty()) return fail(ErrorKind::bad_input, "the model has no input");
  const bool known = model.metadata.contains(std::string(learn::kPreprocessingKey));
  if (!preprocessing.empty()) {
    ALARA_TRY(options.preprocessing, learn::parse_preprocessing(preprocessing));
  } else {
    ALARA_TRY(options.preprocessing, learn::preprocessing_of(model));
  }
  options.measure_mean = options.measure_mean && !known && preprocessing.empty();
  options.validation = validation;
  options.most = rows;
  if (target == "classes") options.target = Target::classes;
  if (target == "values") options.target = Target::values;
  if (target == "itself") options.target = Target::itself;
  return learn::Dataset::open(folder, model.graph.inputs.front(), options);
}

void TrainingArguments::declare(CLI::App& command) {
  const auto add = [&](const char* name, auto& value, const std::string& sentence, const char* text) {
    command.add_option(name, value, sentence + fmt::format(" ({})", value))->option_text(text);
  };
  add("--epochs", options.epochs, "How often the rows are gone through", "N");
  add("--batch", options.batch, "Rows of one step", "N");
  add("--rate", options.rate, "Learning rate", "X");
  add("--optimiser", optimiser, "adam or sgd", "NAME");
  add("--schedule", schedule, "Of the rate: cosine, steps or constant", "NAME");
  add("--warm-up", options.schedule.warm_up, "Share of the training in which the rate rises", "SHARE");
  add("--weight-decay", options.weight_decay, "Pull of weights towards 0", "X");
  add("--clip", options.clip, "Largest norm of the gradients; 0: any", "X");
  add("--smoothing", options.label_smoothing, "Share of certainty spread over all classes", "SHARE");
  add("--shift", options.augmentation.shift, "Move pictures by chance, up to so many pixels", "N");
  add("--flip", options.augmentation.flip, "Chance of a horizontal flip", "SHARE");
  add("--erase", options.augmentation.erase, "Blank a square of this side at a chance place", "N");
  add("--average", options.average, "Keep a running mean of the weights with this decay, as 0.998", "X");
  add("--patience", options.patience, "End after so many epochs without a better one; 0: never", "N");
  command.add_flag("--keep-best", options.keep_best, "Give the weights of the best validation epoch, not the last");
  add("--seed", options.seed, "Of first weights, order and variation", "N");
  add("--threads", options.threads, "0: one for each CPU. On a busy machine 1 is often faster", "N");
  command
      .add_option("--checkpoint", checkpoint, "Keep the state there after each epoch and when stopped; go on from it")
      ->option_text("DIR");
  command.add_option("--curve", curve, "Write the learning curve as JSON")->option_text("FILE");
}

Result<learn::TrainOptions> TrainingArguments::read(const std::string& out_file) const {
  ALARA_CHECK(learn::check_writable(out_file));
  if (!curve.empty()) ALARA_CHECK(learn::check_writable(curve));
  learn::TrainOptions out = options;
  if (optimiser != "adam" && optimiser != "sgd")
    return fail(ErrorKind::bad_input, "there is no optimiser '{}'; adam and sgd are", optimiser);
  out.optimiser = optimiser == "sgd" ? learn::OptimiserKind::sgd : learn::OptimiserKind::adam;
  using Shape = learn::RateSchedule::Shape;
  if (schedule != "cosine" && schedule != "steps" && schedule != "constant")
    return fail(ErrorKind::bad_input, "there is no schedule '{}'; cosine, steps and constant are", schedule);
  out.schedule.shape = schedule == "cosine" ? Shape::cosine : schedule == "steps" ? Shape::steps : Shape::constant;
  if (!checkpoint.empty()) {
    ALARA_CHECK(make_folder(checkpoint));
    out.checkpoint = std::filesystem::path(checkpoint) / "training.checkpoint";
  }
  ALARA_CHECK(out.check());
  return out;
}

Result<std::string> summary(const graph::Model& model, const learn::Dataset& data, const learn::TrainReport& report,
                            int threads) {
  const bool classes = data.target() == Target::classes;
  std::string out;
  if (!report.curve.empty()) {
    const learn::EpochReport& last = report.curve.back();
    out += fmt::format("{} epoch{}, loss {:.4f}", last.epoch, last.epoch == 1 ? "" : "s", last.loss);
    if (data.size(Part::validation) > 0)
      out += classes ? fmt::format(", validation {:.2f} %", last.validation_accuracy)
                     : fmt::format(", validation loss {:.4f}", last.validation_loss);
    if (report.best_epoch > 0) out += fmt::format(" (best in epoch {})", report.best_epoch);
    out += '\n';
  }
  if (data.size(Part::test) == 0) return out;
  const auto score =
      learn::score_of(model, data, Part::test, learn::make_ort_executor(), {.threads = std::max(threads, 1)});
  if (!score && score.error().kind == ErrorKind::unavailable)
    return out + "the test part is not measured: " + score.error().text() + "\n";
  if (!score) return tl::unexpected<Error>(score.error());
  return out + (classes ? fmt::format("test accuracy {:.2f} % of {}\n", score->accuracy, score->samples)
                        : fmt::format("test mean square {:.6g} of {}\n", score->mean_square, score->samples));
}

Result<int> TrainingArguments::finish(const learn::Trained& trained, const learn::Dataset& data,
                                      const std::string& out) const {
  if (!curve.empty()) ALARA_CHECK(learn::write_bytes(curve, learn::curve_json(trained.report.curve) + "\n"));
  if (trained.report.stopped) {
    fmt::print(stderr, "stopped; {}\n",
               checkpoint.empty() ? "nothing was kept: give --checkpoint DIR to go on later"
                                  : "the same command goes on from the checkpoint");
    return cli::kFailed;
  }
  ALARA_CHECK(graph::write_onnx(trained.model, out));
  ALARA_TRY(const std::string text, summary(trained.model, data, trained.report, options.threads));
  fmt::print("{}", text);
  return cli::kGood;
}

}  // namespace alara::lab
