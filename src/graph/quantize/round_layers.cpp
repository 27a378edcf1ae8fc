// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/round_layers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.hpp"
#include "graph/linear.hpp"

namespace alara::graph {
namespace {

struct Job {
  LayerWork* layer;
  InputGram gram;
};

Status gather(const Model& model, SampleSource& samples, const ExecutorFactory& executors, std::size_t max_samples,
              std::vector<Job>& jobs, Progress& progress) {
  std::vector<std::string> inputs;
  for (const Job& job : jobs) inputs.push_back(model.graph.nodes[job.layer->node].input(0));
  ALARA_TRY(const std::unique_ptr<Executor> executor, executors(model, inputs, {}));
  const auto add = [&](std::span<const TensorView> values) -> Status {
    for (std::size_t i = 0; i < jobs.size(); ++i) ALARA_CHECK(jobs[i].gram.add(values[i]));
    return {};
  };
  return for_each_run(samples, max_samples, *executor, "gathering inputs of layers", progress, add);
}

template <typename T>
std::uint64_t hash_of(const std::vector<T>& numbers, std::uint64_t before) {
  return fnv1a({reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)}, before);
}

// Of all that decides how a layer is rounded.
std::uint64_t key_of(const Job& job, int largest_level) {
  std::uint64_t hash = fnv1a(fmt::format("adaround {} {}", largest_level, job.layer->weights.columns));
  hash = hash_of(job.layer->weights.values, hash);
  hash = hash_of(job.layer->levels.values, hash);
  hash = hash_of(job.layer->levels.scales, hash);
  for (std::size_t group = 0; group < job.gram.groups(); ++group) hash = hash_of(job.gram.mean(group), hash);
  return hash;
}

Result<Rounding> round(const Job& job, int largest_level, WorkJournal* journal) {
  std::vector<std::int16_t>& levels = job.layer->levels.values;
  const std::uint64_t key = journal == nullptr ? 0 : key_of(job, largest_level);
  const auto* known = journal == nullptr ? nullptr : journal->recall(key);
  if (known != nullptr && known->size() == levels.size() + 2) {
    std::transform(known->begin() + 2, known->end(), levels.begin(), [largest_level](double level) {
      return static_cast<std::int16_t>(std::clamp<double>(level, -largest_level - 1, largest_level));
    });
    return Rounding{known->front(), known->at(1)};
  }
  const Rounding done = round_adaptively(job.layer->weights, job.gram, largest_level, {}, job.layer->levels);
  if (journal == nullptr) return done;
  std::vector<double> numbers{done.error_nearest, done.error};
  numbers.insert(numbers.end(), levels.begin(), levels.end());
  ALARA_CHECK(journal->add(key, numbers));
  return done;
}

Status round_all(const Model& model, std::vector<Job>& jobs, int largest_level, WorkJournal* journal,
                 std::vector<std::string>& notes, Progress& progress) {
  progress.begin("rounding weights", jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (progress.stopped()) return fail(ErrorKind::refused, "stopped while rounding weights");
    ALARA_TRY(const Rounding done, round(jobs[i], largest_level, journal));
    const std::string label = model.graph.nodes[jobs[i].layer->node].label();
    if (done.error_nearest > 0)
      notes.push_back(
          fmt::format("{}: rounding leaves {:.0f} % of the error", label, 100 * done.error / done.error_nearest));
    progress.step(i + 1, label);
  }
  jobs.clear();
  return {};
}

}  // namespace

Status round_layers(const Model& model, SampleSource& samples, const ExecutorFactory& executors,
                    std::size_t max_samples, int largest_level, std::vector<LayerWork>& layers, WorkJournal* journal,
                    std::vector<std::string>& notes, Progress& progress) {
  std::vector<Job> jobs;
  std::size_t bytes = 0;
  const auto work_off = [&]() -> Status {
    if (jobs.empty()) return {};
    ALARA_CHECK(gather(model, samples, executors, max_samples, jobs, progress));
    bytes = 0;
    return round_all(model, jobs, largest_level, journal, notes, progress);
  };
  for (LayerWork& layer : layers) {
    const Node& node = model.graph.nodes[layer.node];
    auto gram = InputGram::of(model.graph, node);
    if (!gram) {
      notes.push_back(node.label() +
                      ": its weights are rounded to nearest, it is too wide or of a form that AdaRound "
                      "does not know");
      continue;
    }
    if (bytes + gram->bytes() > kGramBytes) ALARA_CHECK(work_off());
    bytes += gram->bytes();
    jobs.push_back({&layer, std::move(*gram)});
  }
  return work_off();
}

}  // namespace alara::graph
