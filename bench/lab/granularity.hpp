// SPDX-License-Identifier: Apache-2.0
// Scales per channel beside one scale per layer, on every model at hand.
#pragma once

#include "base/progress.hpp"
#include "bench/bench.hpp"

namespace alara::bench {

// Adds "per_channel_worse_count", "models" and a note for each model to the report.
Status measure_granularity(const Arguments& arguments, Progress& progress, Report& report);

}  // namespace alara::bench
