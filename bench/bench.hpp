// SPDX-License-Identifier: Apache-2.0
// The frame of every benchmark: it says its workload, checks its result against a plain reference before the clock
// starts, measures, and reports figures beside a baseline of the same run. `alara bench NAME --json FILE` runs one.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace alara::bench {

struct Arguments {
  std::string data;     // --data DIR, for benchmarks over recordings
  double seconds = 0;   // --seconds: measured time; 0 = the benchmark's own
  bool quick = false;   // --quick: smallest meaningful run, for tests of the benchmark itself
  std::string program;  // path of the running `alara`, for benchmarks that start child processes
};

struct Report {
  std::string workload;  // one or two sentences
  std::map<std::string, double> figures;
  std::map<std::string, double> baseline;
  std::vector<std::string> notes;  // lines for people
  bool checked = false;            // the result agreed with the reference
};

struct Bench {
  std::string_view name;
  std::string_view sentence;
  Result<Report> (*run)(const Arguments& arguments);
};

// All benchmarks, in the order of the documentation (benches.cpp).
[[nodiscard]] std::span<const Bench> all_benches();

// Keeps the optimiser from removing a computation.
template <typename T>
inline void keep(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

[[nodiscard]] double thread_cpu_seconds();          // CLOCK_THREAD_CPUTIME_ID
[[nodiscard]] double process_cpu_seconds(int pid);  // user + system of another process, from /proc
[[nodiscard]] double process_rss_mb(int pid);
[[nodiscard]] double seconds_now();  // CLOCK_MONOTONIC
// p99 of clock_nanosleep lateness over `seconds` at 1 ms sleeps, in milliseconds: what this machine can do at best.
[[nodiscard]] double sleep_jitter_p99_ms(double seconds);

}  // namespace alara::bench
