// SPDX-License-Identifier: Apache-2.0
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <charconv>
#include <cstdio>

#include "base/text.hpp"
#include "graph/fuse.hpp"
#include "graph/import/source.hpp"
#include "lab/commands.hpp"
#include "lab/inspection.hpp"

namespace alara::lab {
namespace {

struct InspectOptions {
  std::string model;
  std::int64_t batch = 1;
  std::vector<std::string> shapes;  // "image=1x3x224x224"
  bool json = false;
  bool simplify = false;
};

// "image=1x3x224x224".
Result<std::pair<std::string, graph::Shape>> parse_shape(const std::string& text) {
  const std::size_t equals = text.rfind('=');
  Error error{ErrorKind::bad_input, fmt::format("'{}' is no shape of an input", text), {}, "write image=1x3x224x224"};
  if (equals == std::string::npos || equals == 0) return tl::unexpected(error);
  std::pair<std::string, graph::Shape> out{text.substr(0, equals), {}};
  for (const std::string_view part : split(std::string_view(text).substr(equals + 1), 'x')) {
    std::int64_t size = 0;
    const auto [end, fault] = std::from_chars(part.data(), part.data() + part.size(), size);
    if (fault != std::errc{} || end != part.data() + part.size() || size < 0) return tl::unexpected(error);
    out.second.push_back(size);
  }
  return out;
}

Status inspect_file(const InspectOptions& options) {
  std::map<std::string, graph::Shape> shapes;
  for (const std::string& text : options.shapes) {
    ALARA_TRY(auto shape, parse_shape(text));
    shapes.insert(std::move(shape));
  }
  ALARA_TRY(graph::Model model, graph::read_model(options.model));
  if (options.simplify) {
    ALARA_TRY(const graph::Simplified done, graph::simplify(model));
    for (const auto& [rule, count] : done.rewrites) fmt::print(stderr, "simplified: {} {}\n", count, rule);
  }
  ALARA_TRY(const Inspection inspection, inspect(std::move(model), options.batch, shapes));
  if (options.json)
    fmt::print("{}\n", inspection.json().dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  else
    fmt::print("{}", inspection.text());
  return {};
}

}  // namespace

void add_inspect_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("inspect", "Operators, shapes, parameters, MACs and memory of a model");
  command->footer(
      "MACs are products with weights (Conv, Gemm, MatMul, recurrent layers); memory is what lives while a node runs.\n"
      "Examples:\n  alara-lab inspect model.onnx\n  alara-lab inspect detector.tflite --simplify --json\n"
      "  alara-lab inspect text.onnx --shape x=1x3x48x320");
  auto options = std::make_shared<InspectOptions>();
  command->add_option("MODEL", options->model, "An .onnx or .tflite file, or a tfjs model.json")
      ->required()
      ->option_text(" ");
  command->add_option("--batch", options->batch, "What a free first dimension of the inputs is taken as (1)")
      ->check(CLI::Range(1, 1'000'000))
      ->option_text("N");
  command->add_option("--shape", options->shapes, "The shape of an input whose other dimensions are free")
      ->allow_extra_args(false)
      ->option_text("NAME=AxBxC");
  command->add_flag("--simplify", options->simplify, "Fold and fuse first, as quantising does");
  command->add_flag("--json", options->json, "As JSON");
  command->callback([&line, options] {
    const Status done = inspect_file(*options);
    line.exit_code = done ? cli::kGood : cli::report(done.error());
  });
}

}  // namespace alara::lab
