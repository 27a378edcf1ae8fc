// SPDX-License-Identifier: Apache-2.0
#include <CLI/App.hpp>
#include <cstdio>

#include "infer/inspect.hpp"
#include "node/commands/commands.hpp"

namespace alara::node {

void add_model_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("model", "Look at model files");
  command->footer("Example:\n  alara model inspect examples/models/bearing.onnx");
  command->require_subcommand(1);
  CLI::App* inspect = command->add_subcommand("inspect", "Inputs, outputs, operators, size and digest of an ONNX file");
  inspect->footer(
      "Also tries whether the model runs here; exit code 1 when it does not.\nExample:\n  alara model inspect "
      "examples/models/bearing.onnx");
  auto path = std::make_shared<std::string>();
  inspect->add_option("FILE", *path, "The ONNX file")->required()->option_text(" ");
  inspect->callback([&line, path] {
    const SystemClock clock;
    const auto inspection = infer::inspect(*path, clock);
    if (!inspection) {
      line.exit_code = report(inspection.error());
      return;
    }
    fmt::print("{}", inspection->text());
    line.exit_code = inspection->loads ? kGood : kFailed;
  });
}

}  // namespace alara::node
