// SPDX-License-Identifier: Apache-2.0
#include "bench/lab/latency.hpp"

#include <algorithm>

#include "bench/bench.hpp"
#include "graph/shapes.hpp"
#include "learn/ort_executor.hpp"

namespace alara::bench {
namespace {

// One loaded model, its inputs, and how long each run took.
struct Runner {
  std::unique_ptr<graph::Executor> executor;
  std::vector<graph::Tensor> inputs;
  std::vector<double> ms = {};

  Status run() {
    std::vector<graph::TensorView> views;
    for (const graph::Tensor& input : inputs) views.push_back(graph::view(input));
    const double start = seconds_now();
    ALARA_TRY(const auto outputs, executor->run(views));
    ms.push_back((seconds_now() - start) * 1e3);
    keep(outputs.size());
    return {};
  }
};

Result<Runner> load(const graph::Model& model) {
  const auto factory = learn::make_ort_executor();
  Runner out;
  ALARA_TRY(out.executor, factory(model, {}, {}));
  const auto shapes = graph::fixed_inputs(model, 1);
  for (const graph::ValueInfo& input : model.graph.inputs) {
    const auto shape = shapes.find(input.name);
    if (shape == shapes.end()) return fail(ErrorKind::bad_input, "the shape of '{}' is not known", input.name);
    out.inputs.push_back(graph::Tensor::zeros(input.type, shape->second));
  }
  return out;
}

Latency summary(std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  const auto at = [&](double share) {
    return ms[static_cast<std::size_t>(share * static_cast<double>(ms.size() - 1))];
  };
  return {at(0.5), at(0.95)};
}

}  // namespace

Result<std::vector<Latency>> latencies_of(std::span<const graph::Model> models, std::size_t runs) {
  std::vector<Runner> runners;
  for (const graph::Model& model : models) {
    ALARA_TRY(Runner runner, load(model));
    runners.push_back(std::move(runner));
  }
  for (std::size_t i = 0; i < runs + runs / 10; ++i) {
    if (i == runs / 10)
      for (Runner& runner : runners) runner.ms.clear();
    for (Runner& runner : runners) ALARA_CHECK(runner.run());
  }
  std::vector<Latency> out;
  for (Runner& runner : runners) out.push_back(summary(std::move(runner.ms)));
  return out;
}

}  // namespace alara::bench
