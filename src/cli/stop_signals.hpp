// SPDX-License-Identifier: Apache-2.0
// SIGINT, SIGTERM and SIGHUP of a foreground program as something to wait for. Make one before any thread is started:
// threads inherit that these signals are blocked.
#pragma once

#include <signal.h>

namespace alara::cli {

class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // The next signal within `wait_ms`; 0 when none came.
  [[nodiscard]] int next(int wait_ms) const;

 private:
  sigset_t set_{}, before_{};
  int fd_ = -1;
};

}  // namespace alara::cli
