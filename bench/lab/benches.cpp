// SPDX-License-Identifier: Apache-2.0
#include "bench/lab/benches.hpp"

namespace alara::bench {

Result<Report> run_gradients(const Arguments& arguments);

std::span<const Bench> lab_benches() {
  static constexpr Bench kBenches[] = {
      {"gradients", "Is autograd right? Every operator against ONNX Runtime and finite differences.", run_gradients},
  };
  return kBenches;
}

}  // namespace alara::bench
