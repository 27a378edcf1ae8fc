// SPDX-License-Identifier: Apache-2.0
#include "bench/command.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/machine.hpp"
#include "base/text.hpp"

namespace alara::bench {
namespace {

struct BenchOptions {
  std::string name;
  std::string json;
  Arguments arguments;
};

nlohmann::ordered_json machine_json() {
  const Machine machine = inspect_machine();
  return {{"cpu", machine.cpu},
          {"cores", machine.cores},
          {"features", machine.cpu_features},
          {"kernel", machine.kernel},
          {"realtime", machine.realtime_kernel},
          {"memory_mb", std::round(machine.memory_mb)}};
}

void print_report(const Bench& bench, const Report& result) {
  fmt::print("{}: {}\n", bench.name, result.workload);
  for (const auto& [name, value] : result.figures) fmt::print("  {:<44} {:.6g}\n", name, value);
  for (const auto& [name, value] : result.baseline) fmt::print("  {:<44} {:.6g}   (baseline)\n", name, value);
  for (const std::string& note : result.notes) fmt::print("  note: {}\n", note);
  fmt::print("  {}\n", result.checked ? "result checked against a reference" : "NOT CHECKED: these are no figures");
}

Status write_json(const std::string& path, const Bench& bench, const Report& result) {
  const nlohmann::ordered_json json = {{"bench", bench.name},         {"workload", result.workload},
                                       {"machine", machine_json()},   {"figures", result.figures},
                                       {"baseline", result.baseline}, {"notes", result.notes},
                                       {"checked", result.checked}};
  std::ofstream file(path);
  file << json.dump(1) << '\n';
  file.flush();
  if (!file) return fail(ErrorKind::unavailable, "can not write '{}'", path);
  return {};
}

int run_bench(const BenchOptions& options, std::span<const Bench> benches) {
  for (const Bench& bench : benches) {
    if (bench.name != options.name) continue;
    const auto result = bench.run(options.arguments);
    if (!result) return cli::report(result.error());
    print_report(bench, *result);
    if (!options.json.empty())
      if (const Status written = write_json(options.json, bench, *result); !written)
        return cli::report(written.error());
    return result->checked ? cli::kGood : cli::kFailed;
  }
  std::vector<std::string_view> known;
  for (const Bench& bench : benches) known.push_back(bench.name);
  return cli::report({ErrorKind::bad_input,
                      fmt::format("there is no benchmark '{}'", options.name),
                      {},
                      "there are " + enumerate(known)});
}

}  // namespace

void add_bench_command(CLI::App& app, cli::CommandLine& line, std::span<const Bench> benches) {
  CLI::App* command =
      app.add_subcommand("bench", "Measure this program on this machine: where the README's figures come from");
  const std::string word = fmt::format("{} bench", app.get_name());
  const std::string_view first = benches.empty() ? "NAME" : benches.front().name;
  command->footer(fmt::format("Examples:\n  {0}\n  {0} {1} --json {1}.json", word, first));
  auto options = std::make_shared<BenchOptions>();
  command->add_option("NAME", options->name, "Which benchmark; without it they are listed")->option_text(" ");
  command->add_option("--json", options->json, "Write the figures to FILE")->option_text("FILE");
  command->add_option("--data", options->arguments.data, "Folder of recordings, for benchmarks that replay them")
      ->option_text("FOLDER");
  command->add_option("--seconds", options->arguments.seconds, "Measured time; default is the benchmark's own")
      ->check(CLI::Range(0.01, 86400.0))
      ->option_text("SECONDS");
  command->add_flag("--quick", options->arguments.quick,
                    "Smallest meaningful run, to see that it works; not for figures");
  command->callback([&line, options, benches] {
    options->arguments.program = line.program;
    if (options->name.empty()) {
      for (const Bench& bench : benches) fmt::print("{:<12} {}\n", bench.name, bench.sentence);
      line.exit_code = cli::kGood;
    } else {
      line.exit_code = run_bench(*options, benches);
    }
  });
}

}  // namespace alara::bench
