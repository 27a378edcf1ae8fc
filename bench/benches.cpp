// SPDX-License-Identifier: Apache-2.0
#include "bench/bench.hpp"

#include <array>

namespace alara::bench {

Result<Report> run_features(const Arguments& arguments);

std::span<const Bench> all_benches() {
  static constexpr auto kBenches = std::to_array<Bench>({
      {"features", "waveform features of 100 machines x 3 axes", run_features},
  });
  return kBenches;
}

}  // namespace alara::bench
