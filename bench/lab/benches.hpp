// SPDX-License-Identifier: Apache-2.0
// The benchmarks of `alara-lab`. Each is one file here and one line in benches.cpp.
#pragma once

#include <span>

#include "bench/bench.hpp"

namespace alara::bench {

// All of them, in the order of the documentation.
[[nodiscard]] std::span<const Bench> lab_benches();

}  // namespace alara::bench
