// SPDX-License-Identifier: Apache-2.0
// Progress for people: a bar on a terminal, now and then a plain line elsewhere; both on stderr. Ctrl-C and SIGTERM ask
// the work to stop; a second one ends the program.
#pragma once

#include <chrono>
#include <string>

#include "base/progress.hpp"

namespace alara::cli {

// One for a program's run, made before its threads are.
class TerminalProgress final : public Progress {
 public:
  TerminalProgress();
  ~TerminalProgress() override;
  TerminalProgress(const TerminalProgress&) = delete;
  TerminalProgress& operator=(const TerminalProgress&) = delete;

  void begin(std::string_view task, std::size_t steps) override;
  void step(std::size_t done, std::string_view note) override;
  [[nodiscard]] bool stopped() const override;

 private:
  using Moment = std::chrono::steady_clock::time_point;
  void show(std::string_view note);
  void end_line();

  const bool terminal_;
  std::string task_;
  std::size_t steps_ = 0, done_ = 0;
  std::size_t done_before_ = 0;  // steps of an earlier run that this one goes on from
  Moment begun_, shown_;
  bool line_open_ = false;
};

}  // namespace alara::cli
