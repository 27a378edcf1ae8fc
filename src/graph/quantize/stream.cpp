// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/stream.hpp"

#include <algorithm>
#include <vector>

namespace alara::graph {

Status for_each_sample(SampleSource& source, std::size_t count, std::string_view task, Progress& progress,
                       const std::function<Status(std::span<const TensorView>)>& visit) {
  count = std::min(count, source.size());
  if (count == 0) return fail(ErrorKind::bad_input, "{}: there are no samples", task);
  progress.begin(task, count);
  for (std::size_t i = 0; i < count; ++i) {
    if (progress.stopped()) return fail(ErrorKind::refused, "stopped while {}", task);
    ALARA_TRY(const std::vector<Tensor> sample, source.sample(i));
    std::vector<TensorView> inputs;
    for (const Tensor& tensor : sample) inputs.push_back(view(tensor));
    ALARA_CHECK(visit(inputs));
    progress.step(i + 1, "");
  }
  return {};
}

Status for_each_run(SampleSource& source, std::size_t count, Executor& executor, std::string_view task,
                    Progress& progress, const std::function<Status(std::span<const TensorView>)>& visit) {
  return for_each_sample(source, count, task, progress, [&](std::span<const TensorView> inputs) -> Status {
    ALARA_TRY(const std::vector<TensorView> values, executor.run(inputs));
    return visit(values);
  });
}

}  // namespace alara::graph
