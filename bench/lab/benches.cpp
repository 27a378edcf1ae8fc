// SPDX-License-Identifier: Apache-2.0
#include "bench/lab/benches.hpp"

namespace alara::bench {

Result<Report> run_distill(const Arguments& arguments);
Result<Report> run_gradients(const Arguments& arguments);
Result<Report> run_prune(const Arguments& arguments);

std::span<const Bench> lab_benches() {
  static constexpr Bench kBenches[] = {
      {"gradients", "Is autograd right? Every operator against ONNX Runtime and finite differences.", run_gradients},
      {"prune", "80 % of the weights zero, 40 % of the filters gone, zeros in 8 bits: accuracy, latency, size",
       run_prune},
      {"distill", "what a small network gains from a large one, over three seeds", run_distill},
  };
  return kBenches;
}

}  // namespace alara::bench
