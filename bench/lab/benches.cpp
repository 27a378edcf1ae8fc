// SPDX-License-Identifier: Apache-2.0
#include "bench/lab/benches.hpp"

namespace alara::bench {

Result<Report> run_calibration(const Arguments& arguments);
Result<Report> run_distill(const Arguments& arguments);
Result<Report> run_equalise(const Arguments& arguments);
Result<Report> run_gradients(const Arguments& arguments);
Result<Report> run_prune(const Arguments& arguments);
Result<Report> run_quantize(const Arguments& arguments);

std::span<const Bench> lab_benches() {
  static constexpr Bench kBenches[] = {
      {"gradients", "Is autograd right? Every operator against ONNX Runtime and finite differences.", run_gradients},
      {"quantize", "8-bit integers: accuracy, detections, scales per channel beside one per layer", run_quantize},
      {"calibration", "calibrating: memory with many samples, time and memory beside ONNX Runtime's tool",
       run_calibration},
      {"equalise", "a network whose channels differ by 1:1000, before and after equalisation", run_equalise},
      {"prune", "80 % of the weights zero, 40 % of the filters gone, zeros in 8 bits: accuracy, latency, size",
       run_prune},
      {"distill", "what a small network gains from a large one, over three seeds", run_distill},
  };
  return kBenches;
}

}  // namespace alara::bench
