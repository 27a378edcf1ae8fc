// SPDX-License-Identifier: Apache-2.0
// A real `alara run` in a process of its own, for benchmarks of the whole: its site file in a temporary folder, its
// pages on a free port.
#pragma once

#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/child_process.hpp"
#include "bench/bench.hpp"

namespace alara::bench {

// The account of a node's only connector, in points.
struct PointAccount {
  double accepted = 0, rejected = 0, dropped = 0;
  double unaccounted = 0;  // accepted, but neither delivered nor buffered nor dropped
};

class NodeProcess {
 public:
  // Writes `site` to a file and starts `program run` on it.
  [[nodiscard]] static Result<std::unique_ptr<NodeProcess>> start(const std::string& program, const std::string& site);
  ~NodeProcess();
  NodeProcess(const NodeProcess&) = delete;
  NodeProcess& operator=(const NodeProcess&) = delete;

  [[nodiscard]] int pid() const { return process_->pid(); }
  // A page as JSON; fails when it can not be had.
  [[nodiscard]] Result<nlohmann::json> get(const std::string& path) const;
  [[nodiscard]] Result<PointAccount> account() const;
  // The account when `points` have been accepted or rejected, or what it is after five seconds.
  [[nodiscard]] Result<PointAccount> settled_account(double points) const;
  // Waits until every connector is connected.
  [[nodiscard]] Status wait_connected(double seconds) const;
  // Ends it; its exit code.
  int stop();
  [[nodiscard]] std::string output() const;  // what it has printed so far

 private:
  NodeProcess() = default;
  std::string folder_;
  int port_ = 0;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace alara::bench
