// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

namespace alara::cli {
namespace {

using namespace std::chrono_literals;

// A signal handler can reach nothing else.
std::atomic<bool> asked_to_stop{false};

void ask_to_stop(int number) {
  asked_to_stop = true;
  signal(number, SIG_DFL);
}

// "3:05".
std::string minutes(double seconds) {
  const auto whole = static_cast<int>(seconds);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string bar(double share) {
  constexpr int kWidth = 24;
  const int full = static_cast<int>(share * kWidth);
  return fmt::format("[{:=<{}}{:{}}]", "", full, "", kWidth - full);
}

}  // namespace

TerminalProgress::TerminalProgress() : terminal_(isatty(STDERR_FILENO) == 1) {
  signal(SIGINT, ask_to_stop);
  signal(SIGTERM, ask_to_stop);
}

TerminalProgress::~TerminalProgress() {
  end_line();
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
}

void TerminalProgress::begin(std::string_view task, std::size_t steps) {
  end_line();
  task_ = task;
  steps_ = steps;
  done_ = 0;
  done_before_ = 0;
  begun_ = std::chrono::steady_clock::now();
  shown_ = begun_;
  if (!terminal_) fmt::print(stderr, "{}\n", task_);
}

void TerminalProgress::step(std::size_t done, std::string_view note) {
  if (done_ == 0 && done > 1) done_before_ = done - 1;
  done_ = done;
  const auto now = std::chrono::steady_clock::now();
  const bool last = steps_ != 0 && done == steps_;
  if (!last && now - shown_ < (terminal_ ? 100ms : 10s)) return;
  shown_ = now;
  show(note);
  if (last) end_line();
}

bool TerminalProgress::stopped() const { return asked_to_stop; }

void TerminalProgress::show(std::string_view note) {
  const double spent = std::chrono::duration<double>(shown_ - begun_).count();
  const double share = steps_ == 0 ? 0 : static_cast<double>(done_) / static_cast<double>(steps_);
  const auto here = static_cast<double>(done_ - done_before_);
  const auto left = static_cast<double>(steps_ - done_);
  std::string text = steps_ == 0 ? fmt::format("{} {}", task_, done_) : fmt::format("{} {}/{}", task_, done_, steps_);
  if (terminal_ && steps_ != 0) text += " " + bar(share);
  text += steps_ != 0 && here > 0 && left > 0 ? fmt::format(" {} left", minutes(spent / here * left))
                                              : fmt::format(" {}", minutes(spent));
  if (!note.empty()) text += fmt::format("  {}", note);
  fmt::print(stderr, "{}{}{}", terminal_ ? "\r\x1b[K" : "", text, terminal_ ? "" : "\n");
  std::fflush(stderr);
  line_open_ = terminal_;
}

void TerminalProgress::end_line() {
  if (line_open_) fmt::print(stderr, "\n");
  line_open_ = false;
}

}  // namespace alara::cli
