// SPDX-License-Identifier: Apache-2.0
#include "lab/commands.hpp"

#include "bench/command.hpp"
#include "bench/lab/benches.hpp"

namespace alara::lab {

int run_command_line(int argc, char** argv) {
  const cli::Program program = {"alara-lab",
                                "Alara Edge's model toolchain: ONNX in, ONNX out; train, shrink, quantise, compare.",
                                "Start with:  alara-lab inspect model.onnx\nOf each:     alara-lab COMMAND --help"};
  const auto add_bench = [](CLI::App& app, CommandLine& line) {
    bench::add_bench_command(app, line, bench::lab_benches());
  };
  const cli::AddCommand commands[] = {add_inspect_command,  add_train_command, add_finetune_command,
                                      add_quantize_command, add_prune_command, add_distill_command,
                                      add_report_command,   add_bench};
  return cli::run_command_line(argc, argv, program, commands);
}

}  // namespace alara::lab
