// SPDX-License-Identifier: Apache-2.0
// How long models take, side by side: each run of one is followed by a run of the next, so that a busy moment of the
// machine meets all alike.
#pragma once

#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/progress.hpp"
#include "base/result.hpp"
#include "graph/executor.hpp"

namespace alara::learn {

struct Timed {
  graph::Executor* executor = nullptr;        // loaded; must outlive the measuring
  std::span<const graph::TensorView> inputs;  // of every run
};

struct Latency {
  double p50_ms = 0, p95_ms = 0;
};

// One for each of `models`, over `runs` >= 1 runs after `warm_ups` that do not count. Errors: refused (stopped), and
// those of running.
[[nodiscard]] Result<std::vector<Latency>> latencies_of(std::span<const Timed> models, std::size_t runs,
                                                        std::size_t warm_ups, const Clock& clock, Progress& progress);

}  // namespace alara::learn
