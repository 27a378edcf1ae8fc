// SPDX-License-Identifier: Apache-2.0
// The features again, each straight from its definition, in double precision, by sums over sines and cosines: slow and
// simple. Tests and the benchmark hold the fast code against it.
#pragma once

#include <span>

#include "flow/feature/features.hpp"

namespace alara::flow {

// The value of `feature` for a record whose size is fast and even. O(n) to O(n^2).
[[nodiscard]] double reference_value(const FeaturePlan& plan, const Feature& feature, std::span<const double> record,
                                     double shaft_hz);

}  // namespace alara::flow
