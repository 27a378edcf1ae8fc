// SPDX-License-Identifier: Apache-2.0
// `alara demo`: a broker, a simulated line in a process of its own, and a node that watches it, on free loopback ports.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/child_process.hpp"
#include "node/commands/commands.hpp"
#include "node/commands/run.hpp"
#include "node/local_broker.hpp"

namespace alara::node {
namespace {

struct DemoOptions {
  double seconds = 60;
  int machines = 40;
};

// A folder that is gone when the demo is.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "alara-demo-XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Status wait_for_file(ChildProcess& simulator, const std::string& path, const std::string& output) {
  SystemClock clock;
  for (const Nanos end = clock.monotonic() + 10 * kSecond; clock.monotonic() < end;) {
    std::error_code error;
    if (std::filesystem::exists(path, error) && std::filesystem::file_size(path, error) > 0) return {};
    if (!simulator.running()) break;
    clock.sleep_until(clock.monotonic() + 20 * kMillisecond);
  }
  std::ifstream said(output);
  const std::string text((std::istreambuf_iterator<char>(said)), std::istreambuf_iterator<char>());
  return fail(ErrorKind::internal, "the simulated line did not come up: {}", text);
}

int demo(const std::string& program, const DemoOptions& options) {
  const TemporaryFolder folder;
  if (folder.path().empty()) return report({ErrorKind::unavailable, "can not make a temporary folder", {}, {}});
  const auto broker = LocalBroker::start();
  if (!broker) return report(broker.error());
  const std::string site = folder.path() + "/line-1.yaml", output = folder.path() + "/simulator";
  const std::string http = fmt::format("127.0.0.1:{}", free_loopback_port());
  const auto simulator = ChildProcess::start(
      {program, "sim", "cnc", "--machines", fmt::format("{}", options.machines), "--mqtt-port",
       fmt::format("{}", (*broker)->port()), "--site", site, "--http", http, "--overload-every", "2s", "--worn",
       fmt::format("{}", options.machines > 16 ? 17 : options.machines), "--wear-growth", "25s"},
      output);
  if (!simulator) return report(simulator.error());
  if (const Status up = wait_for_file(**simulator, site, output); !up) return report(up.error());
  fmt::print(stderr, "{} simulated CNC machines, {} signals; a machine jams every 2 s, the bearing of one wears out\n",
             options.machines, options.machines * 50);
  RunOptions run;
  run.path = site;
  run.seconds = options.seconds;
  const int code = run_site(run);
  (*simulator)->stop(2 * kSecond);
  std::ifstream said(output);
  for (std::string line; std::getline(said, line);)
    if (line.starts_with("overloads")) fmt::print("  the line says      {}\n", line);
  return code;
}

}  // namespace

void add_demo_command(CLI::App& app, CommandLine& line) {
  CLI::App* command =
      app.add_subcommand("demo", "A simulated line of 40 CNC machines, watched and kept safe for a minute");
  command->footer(
      "Needs mosquitto installed, and nothing else: all ports are free ones of 127.0.0.1.\nExample:\n  alara demo "
      "--for 20");
  auto options = std::make_shared<DemoOptions>();
  command->add_option("--for", options->seconds, "How long to run; default 60")
      ->check(CLI::Range(1.0, 86400.0))
      ->option_text("SECONDS");
  command->add_option("--machines", options->machines, "How many machines, 1 to 200; default 40")
      ->check(CLI::Range(1, 200))
      ->option_text("N");
  command->callback([&line, options] { line.exit_code = demo(line.program, *options); });
}

}  // namespace alara::node
