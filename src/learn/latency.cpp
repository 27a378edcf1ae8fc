// SPDX-License-Identifier: Apache-2.0
#include "learn/latency.hpp"

#include <algorithm>

namespace alara::learn {

Result<std::vector<Latency>> latencies_of(std::span<const Timed> models, std::size_t runs, std::size_t warm_ups,
                                          const Clock& clock, Progress& progress) {
  ALARA_ASSERT(runs > 0, "a latency is of at least one run");
  std::vector<std::vector<double>> times(models.size());
  progress.begin("timing", runs);
  for (std::size_t i = 0; i < runs + warm_ups; ++i) {
    if (progress.stopped()) return fail(ErrorKind::refused, "stopped");
    for (std::size_t k = 0; k < models.size(); ++k) {
      const Nanos begin = clock.monotonic();
      ALARA_TRY([[maybe_unused]] const auto outputs, models[k].executor->run(models[k].inputs));
      if (i >= warm_ups) times[k].push_back(static_cast<double>(clock.monotonic() - begin) / 1e6);
    }
    if (i >= warm_ups) progress.step(i - warm_ups + 1, "");
  }
  std::vector<Latency> out;
  for (std::vector<double>& each : times) {
    std::sort(each.begin(), each.end());
    out.push_back({each[(runs - 1) / 2], each[(runs - 1) * 95 / 100]});
  }
  return out;
}

}  // namespace alara::learn
