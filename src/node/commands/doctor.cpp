// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>
#include <CLI/App.hpp>
#include <algorithm>
#include <cstdio>

#include "base/machine.hpp"
#include "base/quantity.hpp"
#include "infer/session.hpp"
#include "node/commands/commands.hpp"

namespace alara::node {
namespace {

// One finding: what is so, and when it is short of ideal, what that costs and how to mend it.
void finding(bool good, const std::string& what, std::string_view cost) {
  fmt::print("{} {}\n", good ? "  ok  " : " note ", what);
  if (!good && !cost.empty()) fmt::print("       {}\n", cost);
}

void examine() {
  const Machine machine = inspect_machine();
  fmt::print("machine\n");
  finding(machine.cores >= 2, fmt::format("{} usable cores: {}", machine.cores, machine.cpu),
          "with one core, models compete with the fast lane; give the node two");
  const bool wide = std::ranges::find(machine.cpu_features, "avx2") != machine.cpu_features.end();
  finding(wide, fmt::format("vector features: {}", fmt::join(machine.cpu_features, ", ")),
          "without AVX2 window and model kernels run at a half to a quarter of the speed");
  finding(machine.memory_mb > 512, fmt::format("{:.0f} MB of memory", machine.memory_mb), "models may not fit");

  fmt::print("real time\n");
  finding(machine.realtime_kernel,
          fmt::format("kernel {}{}", machine.kernel, machine.realtime_kernel ? ", PREEMPT_RT" : ""),
          "not a PREEMPT_RT kernel: the usual reaction is the same, the rare worst one may take tens of milliseconds");
  finding(machine.may_set_priority, machine.may_set_priority ? "may use SCHED_FIFO" : "may not use SCHED_FIFO",
          "the fast lane competes with every other program: set 'LimitRTPRIO=51' in the service file, or give "
          "CAP_SYS_NICE");
  const bool unlimited = machine.lockable_bytes == UINT64_MAX;
  finding(unlimited || machine.lockable_bytes >= 256'000'000,
          fmt::format("lockable memory: {}", unlimited ? "unlimited" : format_size(machine.lockable_bytes)),
          "memory may be paged out at the wrong moment: set 'LimitMEMLOCK=infinity' in the service file");
  const bool fast_clock = machine.clock_source == "tsc" || machine.clock_source == "kvm-clock" ||
                          machine.clock_source == "arch_sys_counter";
  finding(fast_clock, fmt::format("clock source {}", machine.clock_source), "each look at the clock is a system call");
  SystemClock clock;
  const Jitter jitter = measure_sleep_jitter(clock, kSecond);
  finding(jitter.p99 < kMillisecond,
          fmt::format("sleeps return late by p50 {}, p99 {}, max {} (1 s measured)", format_duration(jitter.p50),
                      format_duration(jitter.p99), format_duration(jitter.max)),
          "no schedule on this machine is kept better than this; polls jitter by as much");

  fmt::print("models\n");
  if (const auto runtime = infer::runtime_info())
    finding(true, fmt::format("ONNX Runtime {} with {}", runtime->version, fmt::join(runtime->providers, ", ")), "");
  else
    finding(false, runtime.error().text(), "pipelines without a model step run all the same");
}

}  // namespace

void add_doctor_command(CLI::App& app, CommandLine& line) {
  CLI::App* command =
      app.add_subcommand("doctor", "Examine this machine: what it offers, what is missing and what that costs");
  command->footer("Example:\n  alara doctor");
  command->callback([&line] {
    examine();
    line.exit_code = kGood;
  });
}

}  // namespace alara::node
