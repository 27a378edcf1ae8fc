// SPDX-License-Identifier: Apache-2.0
#include "base/machine.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <fstream>

#include "base/histogram.hpp"
#include "base/text.hpp"

namespace alara {
namespace {

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return std::string(trim(line.substr(line.find(':') + 1)));
  return "unknown";
}

// Tries it for a moment: the only honest answer, since capabilities, limits and cgroups all have a say.
bool can_be_realtime() {
  const int policy = sched_getscheduler(0);
  sched_param before{};
  sched_getparam(0, &before);
  sched_param wanted{};
  wanted.sched_priority = 51;  // the highest a node asks for
  if (sched_setscheduler(0, SCHED_FIFO, &wanted) != 0) return false;
  sched_setscheduler(0, policy, &before);
  return true;
}

}  // namespace

#if defined(__x86_64__)
// CPUID leaf 7, sub-leaf 1, EAX bit 4 (Intel SDM, volume 2A): older compilers do not know this feature by name.
bool has_avx_vnni() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __builtin_cpu_supports("avx2") && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax >> 4 & 1U) != 0;
}
#endif

std::vector<std::string> cpu_features() {
  std::vector<std::string> features;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) features.emplace_back("sse4.2");
  if (__builtin_cpu_supports("avx2")) features.emplace_back("avx2");
  if (__builtin_cpu_supports("fma")) features.emplace_back("fma");
  if (__builtin_cpu_supports("avx512f")) features.emplace_back("avx512f");
  if (__builtin_cpu_supports("avx512vnni")) features.emplace_back("avx512vnni");
  if (has_avx_vnni()) features.emplace_back("avxvnni");
#endif
  return features;
}

Machine inspect_machine() {
  Machine machine;
  machine.cpu = cpu_model();
  cpu_set_t usable;
  CPU_ZERO(&usable);
  machine.cores = sched_getaffinity(0, sizeof usable, &usable) == 0 ? CPU_COUNT(&usable) : 1;
  machine.cpu_features = cpu_features();
  utsname name{};
  uname(&name);
  machine.kernel = name.release;
  machine.realtime_kernel = first_line("/sys/kernel/realtime") == "1" ||
                            std::string_view(name.version).find("PREEMPT_RT") != std::string_view::npos;
  machine.may_set_priority = can_be_realtime();
  rlimit limit{};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  machine.lockable_bytes = limit.rlim_cur == RLIM_INFINITY || geteuid() == 0 ? UINT64_MAX : limit.rlim_cur;
  machine.clock_source = first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  if (machine.clock_source.empty()) machine.clock_source = "unknown";
  machine.memory_mb = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
  return machine;
}

Jitter measure_sleep_jitter(Clock& clock, Nanos duration) {
  Histogram late;
  const Nanos end = clock.monotonic() + duration;
  for (Nanos due = clock.monotonic() + kMillisecond; due < end; due += kMillisecond) {
    clock.sleep_until(due);
    late.record(clock.monotonic() - due);
  }
  return {late.quantile(0.5), late.quantile(0.99), late.max()};
}

}  // namespace alara
