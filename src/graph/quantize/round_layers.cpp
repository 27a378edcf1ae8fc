// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/round_layers.hpp"

#include <fmt/format.h>

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

Status round(const Model& model, std::vector<Job>& jobs, int largest_level, std::vector<std::string>& notes,
             Progress& progress) {
  progress.begin("rounding weights", jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (progress.stopped()) return fail(ErrorKind::refused, "stopped while rounding weights");
    const Rounding done =
        round_adaptively(jobs[i].layer->weights, jobs[i].gram, largest_level, {}, jobs[i].layer->levels);
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
                    std::size_t max_samples, int largest_level, std::vector<LayerWork>& layers,
                    std::vector<std::string>& notes, Progress& progress) {
  std::vector<Job> jobs;
  std::size_t bytes = 0;
  const auto work_off = [&]() -> Status {
    if (jobs.empty()) return {};
    ALARA_CHECK(gather(model, samples, executors, max_samples, jobs, progress));
    bytes = 0;
    return round(model, jobs, largest_level, notes, progress);
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
