// SPDX-License-Identifier: Apache-2.0
// Runs graphs with ONNX Runtime: the executor that calibration, comparison and evaluation use.
#pragma once

#include "graph/executor.hpp"

namespace alara::learn {

// Values asked for that are no outputs of the model become outputs of what is run. With options.optimise off each node
// runs by itself, so that a value is what its node gave.
[[nodiscard]] graph::ExecutorFactory make_ort_executor();

}  // namespace alara::learn
