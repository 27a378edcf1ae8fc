// SPDX-License-Identifier: Apache-2.0
// Rounds the weights of a layer so that its outputs come out right, not each weight by itself (Nagel et al., "Up or
// down? Adaptive rounding for post-training quantization", ICML 2020, arXiv 2004.10568). On the quadratic form
// dw^T E[x x^T] dw that the mean squared error of an output is: no samples are needed beside that matrix.
#pragma once

#include <cstddef>

#include "graph/quantize/input_gram.hpp"
#include "graph/quantize/weights.hpp"

namespace alara::graph {

struct AdaRoundOptions {
  int iterations = 500;
  float rate = 0.02F;                      // of Adam
  float regulariser = 0.3F;                // lambda of eq. 21: draws the variables to 0 and 1
  float first_power = 20, last_power = 2;  // beta of eq. 24, from start to end
};

struct Rounding {
  double error_nearest = 0;  // what rounding to nearest adds to the outputs: mean squares, summed over them
  double error = 0;          // the same of the levels now; never larger
};

// `levels` come in rounded to nearest. Rows whose result would be no better stay so.
Rounding round_adaptively(const WeightMatrix& weights, const InputGram& gram, int largest_level,
                          const AdaRoundOptions& options, Levels& levels);

}  // namespace alara::graph
