// SPDX-License-Identifier: Apache-2.0
#include "graph/quantize/stream.hpp"

#include <algorithm>
#include <vector>

namespace alara::graph {

Status stream(SampleSource& source, std::size_t count, Executor& executor, std::string_view stage,
              const Progress& progress, const std::function<Status(std::span<const TensorView>)>& visit) {
  count = std::min(count, source.size());
  if (count == 0) return fail(ErrorKind::bad_input, "{} needs samples, and there are none", stage);
  for (std::size_t i = 0; i < count; ++i) {
    if (progress) ALARA_CHECK(progress(stage, i, count));
    ALARA_TRY(const std::vector<Tensor> sample, source.sample(i));
    std::vector<TensorView> inputs;
    for (const Tensor& tensor : sample) inputs.push_back(view(tensor));
    ALARA_TRY(const std::vector<TensorView> values, executor.run(inputs));
    ALARA_CHECK(visit(values));
  }
  return progress ? progress(stage, count, count) : Status{};
}

}  // namespace alara::graph
