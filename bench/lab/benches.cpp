// SPDX-License-Identifier: Apache-2.0
#include "bench/lab/benches.hpp"

#include <array>

namespace alara::bench {

std::span<const Bench> lab_benches() {
  static constexpr std::array<Bench, 0> kBenches = {};
  return kBenches;
}

}  // namespace alara::bench
