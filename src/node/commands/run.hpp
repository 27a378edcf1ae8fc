// SPDX-License-Identifier: Apache-2.0
// Runs a site in the foreground: live table, signals, reload, report. Shared by `alara run` and `alara demo`.
#pragma once

#include <functional>
#include <string>

#include "base/clock.hpp"
#include "node/runtime.hpp"

namespace alara::node {

struct RunOptions {
  std::string path;
  double seconds = 0;  // 0 = until stopped or all finite sources have ended
  bool quiet = false;  // no live table or lines
  bool report = true;  // the final report to stdout
  RuntimeOptions runtime;
};

// Returns the exit code. Handles SIGINT, SIGTERM (stop) and SIGHUP (reload).
[[nodiscard]] int run_site(const RunOptions& options);

}  // namespace alara::node
