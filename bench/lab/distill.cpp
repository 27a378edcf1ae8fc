// SPDX-License-Identifier: Apache-2.0
// What a small network gains from a teacher on Fashion-MNIST, over the same network trained alone for as long, when it
// has few labelled pictures, as a device may have: the teacher knows what it learnt from all of them. What was
// found where the student had them all too is in the README of learn/compress.
#include <algorithm>
#include <cmath>

#include "bench/lab/fashion.hpp"
#include "cli/progress.hpp"
#include "graph/cost.hpp"
#include "graph/shapes.hpp"
#include "learn/architecture/architecture.hpp"
#include "learn/compress/distillation.hpp"

namespace alara::bench {
namespace {

constexpr std::uint64_t kSeeds[] = {1, 2, 3};

constexpr std::int64_t kRows = 3000;
constexpr int kEpochs = 40;

// The student: the teacher at half its width.
constexpr std::string_view kStudent = "template: cnn\noptions: {filters: [12, 24, 40], depth: 2}\n";

Result<graph::Model> student(std::uint64_t seed) {
  return learn::parse_architecture(kStudent, "student", {.seed = seed});
}

Result<double> macs_of(const graph::Model& model) {
  ALARA_TRY(const graph::ValueTable values, graph::infer_shapes(model, graph::fixed_inputs(model, 1)));
  return static_cast<double>(graph::cost_of(model.graph, values).macs);
}

// What the students have.
Result<learn::Dataset> few_rows(const Fashion& fashion) {
  learn::Recipe recipe = fashion.recipe;
  recipe.rows.most = kRows;
  return learn::dataset_of(recipe);
}

learn::TrainOptions lesson(const Fashion& fashion, std::uint64_t seed, std::filesystem::path checkpoint) {
  learn::TrainOptions options = fashion.recipe.training;
  if (options.epochs > 1) options.epochs = kEpochs;
  options.seed = seed;
  options.checkpoint = std::move(checkpoint);
  return options;
}

struct Pair {
  double alone = 0, taught = 0;  // percent of the test pictures
};

Result<Pair> both(const Fashion& fashion, const learn::Dataset& data, std::uint64_t seed,
                  const Checkpoints& checkpoints, Progress& progress) {
  ALARA_TRY(graph::Model network, student(seed));
  const auto training = [&](std::string_view how) {
    return lesson(fashion, seed, checkpoints.file(fmt::format("{}-{}", how, seed)));
  };
  ALARA_TRY(const learn::Trained alone, learn::train(network, data, training("alone"), progress));
  learn::DistilOptions options;
  options.weight = 0.9;
  ALARA_TRY(const learn::Trained taught,
            learn::distil(std::move(network), fashion.model, data, options, training("taught"), progress));
  if (alone.report.stopped || taught.report.stopped) return fail(ErrorKind::refused, "the training was stopped");
  Pair out;
  ALARA_TRY(out.alone, test_accuracy(alone.model, fashion.data));
  ALARA_TRY(out.taught, test_accuracy(taught.model, fashion.data));
  return out;
}

}  // namespace

Result<Report> run_distill(const Arguments& arguments) {
  cli::TerminalProgress progress;
  ALARA_TRY(const Fashion fashion, trained_fashion(learn::fashion_cnn(), arguments, progress));
  ALARA_TRY(const double teacher, test_accuracy(fashion.model, fashion.data));
  ALARA_TRY(const graph::Model small, student(1));
  ALARA_TRY(const double teacher_macs, macs_of(fashion.model));
  ALARA_TRY(const double student_macs, macs_of(small));
  ALARA_TRY(const learn::Dataset data, few_rows(fashion));

  const Checkpoints checkpoints(arguments, "distill");
  Report report;
  double alone = 0;
  double taught = 0;
  double least = 100;
  for (const std::uint64_t seed : kSeeds) {
    ALARA_TRY(const Pair pair, both(fashion, data, seed, checkpoints, progress));
    alone += pair.alone / std::size(kSeeds);
    taught += pair.taught / std::size(kSeeds);
    least = std::min(least, pair.taught - pair.alone);
    report.notes.push_back(fmt::format("seed {}: {:.2f} % alone, {:.2f} % taught", seed, pair.alone, pair.taught));
  }
  report.workload = fmt::format(
      "A student ({}) learns Fashion-MNIST from {} labelled pictures and from the CNN of learn/train/recipes.hpp, "
      "which had learnt from 57,000 (temperature 4, nine tenths of the loss); and from these pictures alone by the "
      "same options: {} epochs, three seeds. Accuracy on 10,000 test pictures by ONNX Runtime.",
      kStudent.substr(0, kStudent.size() - 1), kRows, kEpochs);
  std::replace(report.workload.begin(), report.workload.end(), '\n', ' ');
  report.baseline["accuracy_teacher"] = teacher;
  report.baseline["accuracy_alone"] = alone;
  report.figures["accuracy_taught"] = taught;
  report.figures["gain_points"] = taught - alone;
  report.figures["gain_points_least"] = least;
  report.figures["macs_ratio"] = student_macs / teacher_macs;
  report.notes.emplace_back("checked: the student needs at most a quarter of the teacher's multiply-accumulates");
  report.checked = student_macs <= teacher_macs / 4;
  checkpoints.remove_all();
  return report;
}

}  // namespace alara::bench
