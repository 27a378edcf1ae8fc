// SPDX-License-Identifier: Apache-2.0
// `bench [NAME]` of a program: lists its benchmarks or runs one and prints and writes its report.
#pragma once

#include <span>

#include "bench/bench.hpp"
#include "cli/command_line.hpp"

namespace alara::bench {

// `benches` must outlive the program's command line.
void add_bench_command(CLI::App& app, cli::CommandLine& line, std::span<const Bench> benches);

}  // namespace alara::bench
