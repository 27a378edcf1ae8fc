// SPDX-License-Identifier: Apache-2.0
#include "bench/bench.hpp"
#include "node/commands/commands.hpp"

int main(int argc, char** argv) { return alara::node::run_command_line(argc, argv, alara::bench::all_benches()); }
