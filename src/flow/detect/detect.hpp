// SPDX-License-Identifier: Apache-2.0
// The `detect` step: streaming anomaly detectors, one value in (several for hs_trees), one row out per row in.
//   drift: {detect: {of: load.mean, with: cusum, slack: 0.5, threshold: 5}}   # -> drift.score, drift.alarm
// Outputs: score (0 = as expected), alarm, and for ewma, mad and spot `level`, the limit in the signal's unit.
// Rows before the detector is warm have quality uncertain; rows whose inputs are bad or no numbers are counted, not
// learned, and come out with quality bad, score NaN and the alarm as it was.
#pragma once

#include "core/operator.hpp"

namespace alara::flow {

const OperatorKind& detect_kind();

}  // namespace alara::flow
