// SPDX-License-Identifier: Apache-2.0
#include "node/commands/run.hpp"

#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "cli/stop_signals.hpp"
#include "node/api.hpp"
#include "node/commands/commands.hpp"
#include "node/commands/site_argument.hpp"
#include "node/live_table.hpp"

namespace alara::node {
namespace {

constexpr Nanos kTableEvery = kSecond;
constexpr Nanos kLineEvery = 10 * kSecond;
constexpr Nanos kLook = 50 * kMillisecond;
constexpr std::size_t kShownEvents = 8;

// Passes a wish for a reload from a server thread to the controlling thread and its diagnosis back.
class ReloadDesk {
 public:
  Diagnosis ask() {
    std::unique_lock lock(mutex_);
    const std::uint64_t wish = ++wished_;
    changed_.wait(lock, [&] { return done_ >= wish || closed_; });
    return done_ >= wish ? answer_ : Diagnosis{{{ErrorKind::unavailable, "the node is stopping", {}, {}}}, {}};
  }
  // The newest wish that has not been answered; 0 when there is none.
  std::uint64_t wanted() {
    const std::lock_guard lock(mutex_);
    return wished_ > done_ ? wished_ : 0;
  }
  // Answers the wishes up to `wish`: later ones may be about a file that was not read.
  void answer(std::uint64_t wish, Diagnosis diagnosis) {
    const std::lock_guard lock(mutex_);
    answer_ = std::move(diagnosis);
    done_ = wish;
    changed_.notify_all();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t wished_ = 0, done_ = 0;
  bool closed_ = false;
  Diagnosis answer_;
};

// Shows the node to a person: redraws on a terminal, else a line now and then.
class Display {
 public:
  Display(bool quiet, const NodeStatus& first) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) == 1), last_(first) {}

  void look(const Runtime& runtime) {
    if (quiet_) return;
    NodeStatus now = runtime.status();
    if (now.now - last_.now < (terminal_ ? kTableEvery : kLineEvery)) return;
    if (terminal_) {
      fmt::print(stderr, "\x1b[H\x1b[2J{}", live_table(now, last_, runtime.events().newest(kShownEvents)));
    } else {
      fmt::print(stderr, "{}", live_line(now, last_));
    }
    last_ = std::move(now);
  }

 private:
  bool quiet_;
  bool terminal_;
  NodeStatus last_;
};

int control(Runtime& runtime, const RunOptions& options, const cli::StopSignals& signals, ReloadDesk& reloads,
            SystemClock& clock) {
  Display display(options.quiet, runtime.status());
  const Nanos end = options.seconds > 0 ? clock.monotonic() + static_cast<Nanos>(options.seconds * 1e9) : kNever;
  while (clock.monotonic() < end && !runtime.finished()) {
    const int signal = signals.next(static_cast<int>(kLook / kMillisecond));
    if (signal == SIGINT || signal == SIGTERM) break;
    if (signal == SIGHUP) {
      const Diagnosis diagnosis = runtime.reload();
      print_diagnosis(diagnosis);
      fmt::print(stderr, "{}\n", diagnosis.ok() ? "reloaded" : "not reloaded: the running configuration goes on");
    }
    if (const std::uint64_t wish = reloads.wanted(); wish != 0) reloads.answer(wish, runtime.reload());
    display.look(runtime);
  }
  return kGood;
}

}  // namespace

int run_site(const RunOptions& options) {
  SystemClock clock;
  const cli::StopSignals signals;
  Diagnosis diagnosis;
  const auto runtime = Runtime::start(options.path, clock, options.runtime, diagnosis);
  print_diagnosis(diagnosis);
  if (!runtime) return exit_code_of(diagnosis.errors.front());
  ReloadDesk reloads;
  std::unique_ptr<HttpServer> server;
  if (const std::string address = runtime->http_address(); !address.empty()) {
    auto started = HttpServer::start(address, api_routes(*runtime, [&reloads] { return reloads.ask(); }));
    if (!started) return report(started.error());
    server = std::move(*started);
    if (!options.quiet)
      fmt::print(stderr, "pages at http://{}:{}/\n", address.substr(0, address.rfind(':')), server->port());
  }
  if (!options.quiet)
    for (const std::string& note : runtime->notes()) fmt::print(stderr, "note: {}\n", note);
  const int code = control(*runtime, options, signals, reloads, clock);
  reloads.close();
  runtime->stop();
  if (options.report) fmt::print("{}", final_report(runtime->status()));
  server.reset();
  return code;
}

void add_run_command(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("run", "Run a site: read, compute, decide, act");
  command->footer(
      "Examples:\n  alara run site.yaml\n  alara run site.yaml --for 60\nSIGHUP reloads the file; SIGTERM and Ctrl-C "
      "command the safe values and end.");
  auto options = std::make_shared<RunOptions>();
  auto ordinary = std::make_shared<bool>(false);
  command->add_option("SITE", options->path, "The site file")->required()->option_text(" ");
  command
      ->add_option("--for", options->seconds,
                   "How long to run; default is until stopped, or until all recordings have been read")
      ->check(CLI::Range(0.0, 1e9))
      ->option_text("SECONDS");
  command
      ->add_option("--http", options->runtime.http,
                   "Where to serve the pages instead of settings.http; 'off' for nowhere")
      ->option_text("HOST:PORT");
  command->add_flag("-q,--quiet", options->quiet, "No live table, no lines of progress");
  command->add_flag("--no-realtime", *ordinary, "Do not ask for real-time priority and locked memory");
  command->callback([&line, options, ordinary] {
    options->runtime.realtime = !*ordinary;
    line.exit_code = run_site(*options);
  });
}

}  // namespace alara::node
