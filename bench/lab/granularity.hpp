// SPDX-License-Identifier: Apache-2.0
// Scales per channel beside one scale per layer, on every model at hand.
#pragma once

#include "base/progress.hpp"
#include "bench/bench.hpp"

namespace alara::bench {

// Adds "models", "per_channel_worse_count" (of what quantising gives, which takes one scale per layer where that
// measures better), "per_channel_worse_without_choice_count" (of scales per channel whatever they measure),
// "per_channel_gave_way_count" (models for which one scale per layer was taken) and a note for each model to the
// report. It is not checked when a model fails or none is there.
Status measure_granularity(const Arguments& arguments, Progress& progress, Report& report);

}  // namespace alara::bench
