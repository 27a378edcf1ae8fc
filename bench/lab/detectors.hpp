// SPDX-License-Identifier: Apache-2.0
// Two detectors with their pictures, before and after quantising.
#pragma once

#include "base/progress.hpp"
#include "bench/bench.hpp"

namespace alara::bench {

// Adds "detections_kept" (percent, of the worse detector) and figures of each to the report; a note where models or
// pictures are not there.
Status measure_detectors(const Arguments& arguments, Progress& progress, Report& report);

}  // namespace alara::bench
