// SPDX-License-Identifier: Apache-2.0
// What this machine offers to a real-time program, read from the kernel and measured. Behind `alara doctor` and the
// "machine" part of every benchmark.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"

namespace alara {

struct Machine {
  std::string cpu;                        // model name
  int cores = 0;                          // usable by this process
  std::vector<std::string> cpu_features;  // those our kernels look for
  std::string kernel;                     // release
  bool realtime_kernel = false;           // PREEMPT_RT
  bool may_set_priority = false;          // SCHED_FIFO is allowed
  std::uint64_t lockable_bytes = 0;       // RLIMIT_MEMLOCK; UINT64_MAX = unlimited
  std::string clock_source;
  double memory_mb = 0;
};

[[nodiscard]] Machine inspect_machine();
// The same list alone, which costs nothing to ask for.
[[nodiscard]] std::vector<std::string> cpu_features();

struct Jitter {
  Nanos p50 = 0, p99 = 0, max = 0;
};
// How late clock_nanosleep returns, at 1 ms sleeps over `duration`.
[[nodiscard]] Jitter measure_sleep_jitter(Clock& clock, Nanos duration);

}  // namespace alara
