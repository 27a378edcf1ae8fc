// SPDX-License-Identifier: Apache-2.0
#include <time.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "base/clock.hpp"
#include "base/histogram.hpp"
#include "bench/bench.hpp"

namespace alara::bench {
namespace {

double read_seconds(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

double thread_cpu_seconds() { return read_seconds(CLOCK_THREAD_CPUTIME_ID); }
double seconds_now() { return read_seconds(CLOCK_MONOTONIC); }

double process_cpu_seconds(int pid) {
  std::ifstream stat(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(stat, line);
  // The second field is the program's name in parentheses; utime and stime are fields 14 and 15.
  const std::size_t after_name = line.rfind(')');
  if (after_name == std::string::npos) return 0;
  std::istringstream fields(line.substr(after_name + 2));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double process_rss_mb(int pid) {
  std::ifstream statm(fmt::format("/proc/{}/statm", pid));
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

double sleep_jitter_p99_ms(double seconds) {
  SystemClock clock;
  Histogram late;
  const Nanos end = clock.monotonic() + static_cast<Nanos>(seconds * 1e9);
  for (Nanos due = clock.monotonic() + kMillisecond; due < end; due += kMillisecond) {
    clock.sleep_until(due);
    late.record(clock.monotonic() - due);
  }
  return static_cast<double>(late.quantile(0.99)) / 1e6;
}

}  // namespace alara::bench
