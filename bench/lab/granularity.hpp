// SPDX-License-Identifier: Apache-2.0
// Scales per channel beside one scale per layer, on every model at hand.
#pragma once

#include "base/progress.hpp"
#include "bench/bench.hpp"

namespace alara::bench {

// Adds "models", "per_channel_worse_count", "per_channel_gave_way_count" (models for which one scale per layer measured
// better and was taken instead) and a note for each model to the report.
Status measure_granularity(const Arguments& arguments, Progress& progress, Report& report);

}  // namespace alara::bench
