// SPDX-License-Identifier: Apache-2.0
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>

#include "base/file.hpp"
#include "cli/progress.hpp"
#include "lab/commands.hpp"
#include "lab/report_measure.hpp"
#include "lab/report_page.hpp"
#include "lab/resident.hpp"
#include "lab/text_table.hpp"
#include "learn/data/file_bytes.hpp"
#include "learn/ort_executor.hpp"

namespace alara::lab {
namespace {

struct ReportOptions {
  ReportRequest request;
  std::string original;
  std::vector<std::string> variants;  // "int8=model.onnx"
  std::vector<std::string> curves;
  std::string json, html;
  std::string resident_of;  // what a child of the report does
};

// "int8=model.onnx"; without a name, the file's own.
NamedFile named(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return {std::filesystem::path(text).stem().string(), text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void print(const Report& report) {
  using Align = TextTable::Align;
  TextTable table({{"variant"},
                   {"accuracy", Align::right},
                   {"output", Align::right},
                   {"size", Align::right},
                   {"packed", Align::right},
                   {"p50", Align::right},
                   {"p95", Align::right},
                   {"MACs", Align::right},
                   {"parameters", Align::right}});
  for (const VariantReport& variant : report.variants)
    table.row({variant.name, variant.accuracy ? fmt::format("{:.2f} %", *variant.accuracy) : "",
               variant.sqnr_db ? fmt::format("{:.1f} dB", *variant.sqnr_db) : "",
               short_bytes(static_cast<std::int64_t>(variant.bytes)),
               short_bytes(static_cast<std::int64_t>(variant.packed_bytes)),
               fmt::format("{:.3g} ms", variant.measured.p50_ms), fmt::format("{:.3g} ms", variant.measured.p95_ms),
               short_count(variant.macs), short_count(variant.parameters)});
  fmt::print("{}", table.text());
  for (const std::string& warning : report.warnings()) fmt::print(stderr, "warning: {}\n", warning);
}

Status run(ReportOptions& options) {
  for (const std::string& file : {options.json, options.html})
    if (!file.empty()) ALARA_CHECK(learn::check_writable(file));
  ReportRequest& request = options.request;
  request.original = named(options.original);
  for (const std::string& text : options.variants) request.variants.push_back(named(text));
  for (const std::string& text : options.curves) request.curves.push_back(named(text));
  if (request.title.empty()) request.title = "Report on " + request.original.path.stem().string();
  cli::TerminalProgress progress;
  const SystemClock clock;
  ALARA_TRY(const Report report, make_report(request, learn::make_ort_executor(), clock, progress));
  if (!options.json.empty())
    ALARA_CHECK(replace_file(
        options.json, report.json().dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n"));
  if (!options.html.empty()) ALARA_CHECK(replace_file(options.html, report_page(report)));
  print(report);
  return {};
}

int run_resident(const std::string& model) {
  const auto mb = run_and_measure_resident(model);
  if (!mb) return cli::report(mb.error());
  fmt::print("{:.3f}\n", *mb);
  return cli::kGood;
}

}  // namespace

void add_report_command(CLI::App& app, CommandLine& line) {
  CLI::App* command =
      app.add_subcommand("report", "Compare a model's variants: accuracy, size, speed, where errors arise");
  command->footer(
      "All run on the same samples; those of a labelled set (IDX files, a folder for each class, inputs.npy with "
      "labels.npy)\n"
      "give accuracy. Latencies are of this processor, one thread, in turns.\n"
      "Example:\n  alara-lab report --float model.onnx --variant int8=model.int8.onnx --data fashion-mnist/ --html "
      "report.html");
  auto options = std::make_shared<ReportOptions>();
  options->request.program = line.program;
  ReportRequest& request = options->request;
  command->add_option("--float", options->original, "The model that others are held against")
      ->option_text("[NAME=]MODEL");
  command->add_option("--variant", options->variants, "Another form of it; may be given several times")
      ->allow_extra_args(false)
      ->option_text("[NAME=]MODEL");
  command->add_option("--data", request.data, "Samples, with labels or without")->option_text("DIR");
  command->add_option("--samples", request.samples, "How many of them, spread evenly; 0: all (1000)")
      ->check(CLI::Range(0, 1'000'000'000))
      ->option_text("N");
  command->add_option("--runs", request.runs, "Timed runs of each model (200)")
      ->check(CLI::Range(1, 100'000))
      ->option_text("N");
  command->add_option("--value-samples", request.value_samples, "Samples for the errors of values in between (16)")
      ->check(CLI::Range(0, 1'000'000'000))
      ->option_text("N");
  command
      ->add_option("--preprocessing", request.preprocessing,
                   "In place of what the model says, e.g. \"scale=0.0039 mean=0.5\"")
      ->option_text("TEXT");
  command->add_option("--curve", options->curves, "A learning curve as training writes it; may be given several times")
      ->allow_extra_args(false)
      ->option_text("[NAME=]FILE");
  command->add_option("--title", request.title, "Of the page")->option_text("TEXT");
  command->add_option("--json", options->json, "Write all figures to FILE")->option_text("FILE");
  command->add_option("--html", options->html, "Write a page to read to FILE")->option_text("FILE");
  command->add_option("--resident-of", options->resident_of)->group("");
  command->callback([&line, options] {
    if (!options->resident_of.empty()) {
      line.exit_code = run_resident(options->resident_of);
      return;
    }
    if (options->original.empty() || options->request.data.empty()) {
      line.exit_code =
          cli::report({ErrorKind::bad_input, "report needs --float and --data", {}, "see alara-lab report --help"});
      return;
    }
    const Status done = run(*options);
    line.exit_code = done ? cli::kGood : cli::report(done.error());
  });
}

}  // namespace alara::lab
