// SPDX-License-Identifier: Apache-2.0
#include "learn/compress/pruning.hpp"

#include <algorithm>
#include <cmath>

#include "graph/upgrade.hpp"
#include "learn/compress/mask_keeper.hpp"

namespace alara::learn {
namespace {

Status check(const PruneOptions& options) {
  if (!options.filters && !options.weights)
    return fail(ErrorKind::bad_input, "nothing is to be pruned: neither weights nor filters are asked for");
  if (options.rounds < 1 || options.rounds > 100)
    return fail(ErrorKind::bad_input, "filters go in {} rounds; 1 to 100 is possible", options.rounds);
  if (!(options.ramp >= 0 && options.ramp <= 1))
    return fail(ErrorKind::bad_input, "the ramp is {}; it is a share between 0 and 1", options.ramp);
  if (options.refresh < 1) return fail(ErrorKind::bad_input, "masks are chosen every {} steps", options.refresh);
  return options.training.check();
}

// One pruning from beginning to end: what is trained now, and what the dense network was.
class Pruning {
 public:
  Pruning(graph::Model model, const Dataset& data, const PruneOptions& options, Progress& progress)
      : dense_(model), model_(std::move(model)), data_(data), options_(options), progress_(progress) {}

  Result<Pruned> run() {
    const auto before = graph::prunable_layers(model_.graph, options_.least);
    for (const graph::PrunableLayer& layer : before) filters_before_[layer.weight] = layer.layout.outputs();
    if (before.empty()) return fail(ErrorKind::bad_input, "the model has no layer with {} weights", options_.least);
    if (options_.filters) ALARA_CHECK(remove_filters());
    if (options_.weights && !out_.stopped) ALARA_CHECK(zero_weights());
    out_.model = std::move(model_);
    report_layers();
    return std::move(out_);
  }

 private:
  Status remove_filters() {
    // Equal shares of what is left, so that all rounds together remove what was asked for.
    graph::FilterOptions step = *options_.filters;
    step.share = 1 - std::pow(1 - step.share, 1.0 / options_.rounds);
    for (int round = 0; round < options_.rounds && !out_.stopped; ++round) {
      ALARA_TRY(const auto removed, graph::remove_filters(model_, step));
      if (round == 0 && removed.empty())
        return fail(ErrorKind::bad_input,
                    "no filter can be removed: all reach an output or an operator that looks "
                    "across channels, or the layers keep their least number");
      ALARA_CHECK(train_part(rounds_epochs(round), {}));
    }
    return {};
  }

  // Equal parts; the last has what does not divide.
  [[nodiscard]] int rounds_epochs(int round) const {
    const int each = std::max(1, options_.training.epochs / options_.rounds);
    return round + 1 < options_.rounds ? each : std::max(1, options_.training.epochs - each * (options_.rounds - 1));
  }

  Status zero_weights() {
    const auto batches = static_cast<std::int64_t>(data_.size(Part::train) / options_.training.batch);
    const std::int64_t steps = std::max<std::int64_t>(1, batches * options_.training.epochs);
    const auto end = static_cast<std::int64_t>(options_.ramp * static_cast<double>(steps));
    MaskKeeper masks(model_.graph, *options_.weights,
                     {0, options_.weights->sparsity, 0, std::max<std::int64_t>(1, end)}, options_.refresh,
                     options_.least);
    Hooks hooks;
    hooks.identity = fmt::format("masks={},{},{},{} ramp={} refresh={} least={}", options_.weights->sparsity,
                                 static_cast<int>(options_.weights->pattern), static_cast<int>(options_.weights->scope),
                                 options_.weights->most_of_a_layer, end, options_.refresh, options_.least);
    hooks.counts_from = end;
    hooks.at_start = [&](Network& network, std::int64_t step) { masks.begin(network, step); };
    hooks.after_step = [&](Network& network, std::int64_t step) { masks.update(network, step); };
    ALARA_CHECK(train_part(options_.training.epochs, std::move(hooks)));
    if (out_.stopped) return {};
    ALARA_TRY(const auto kept, graph::prune_weights(model_.graph, *options_.weights, options_.least));
    static_cast<void>(kept);
    return {};
  }

  Status train_part(int epochs, Hooks hooks) {
    TrainOptions training = options_.training;
    training.epochs = epochs;
    if (!training.checkpoint.empty()) training.checkpoint += fmt::format(".{}", ++part_);
    ALARA_TRY(Objective objective, objective_for(model_, data_, training.label_smoothing));
    std::optional<Network> teacher;
    if (options_.teach > 0) {
      ALARA_TRY(teacher, Network::build(dense_));
      DistilOptions lesson;
      lesson.weight = options_.teach;
      ALARA_TRY(objective, distillation_objective(model_, dense_, *teacher, data_, lesson, training.label_smoothing));
    }
    ALARA_TRY(Trained trained,
              train(std::move(model_), data_, training, std::move(objective), std::move(hooks), progress_));
    model_ = std::move(trained.model);
    out_.stopped = trained.report.stopped;
    for (EpochReport epoch : trained.report.curve) {
      epoch.epoch = static_cast<int>(out_.curve.size()) + 1;
      out_.curve.push_back(epoch);
    }
    return {};
  }

  void report_layers() {
    for (const graph::PrunableLayer& layer : graph::prunable_layers(out_.model.graph, 1)) {
      const auto before = filters_before_.find(layer.weight);
      if (before == filters_before_.end()) continue;
      const auto numbers = layer.layout.weight->values<float>();
      const auto zeros = std::count(numbers.begin(), numbers.end(), 0.0F);
      out_.layers.push_back({layer.weight, static_cast<std::int64_t>(numbers.size()),
                             static_cast<double>(zeros) / static_cast<double>(numbers.size()), before->second,
                             layer.layout.outputs()});
    }
  }

  const graph::Model dense_;
  graph::Model model_;
  const Dataset& data_;
  const PruneOptions& options_;
  Progress& progress_;
  std::map<std::string, std::int64_t> filters_before_;
  int part_ = 0;
  Pruned out_;
};

}  // namespace

Result<Pruned> prune(graph::Model model, const Dataset& data, const PruneOptions& options, Progress& progress) {
  ALARA_CHECK(check(options));
  ALARA_CHECK(graph::upgrade(model));
  return Pruning(std::move(model), data, options, progress).run();
}

}  // namespace alara::learn
