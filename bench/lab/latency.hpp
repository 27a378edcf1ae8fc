// SPDX-License-Identifier: Apache-2.0
// How long models take, measured side by side: runs of all of them alternate, so that what disturbs one disturbs all.
#pragma once

#include <span>
#include <vector>

#include "base/result.hpp"
#include "graph/model.hpp"

namespace alara::bench {

struct Latency {
  double p50_ms = 0, p95_ms = 0;
};

// Each model with inputs of zeros in one row, on one thread, `runs` times after a tenth of that to warm up.
[[nodiscard]] Result<std::vector<Latency>> latencies_of(std::span<const graph::Model> models, std::size_t runs);

}  // namespace alara::bench
