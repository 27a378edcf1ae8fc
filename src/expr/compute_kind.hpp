// SPDX-License-Identifier: Apache-2.0
// The step `compute`: one expression per row.
#pragma once

#include "core/operator.hpp"

namespace alara::expr {

// `power: {compute: spindle_current * 400[V]}`. One output, named as the step, one row per input row. A row whose
// result is NaN though its inputs are good (log of a negative number) turns bad.
[[nodiscard]] const OperatorKind& compute_kind();

}  // namespace alara::expr
