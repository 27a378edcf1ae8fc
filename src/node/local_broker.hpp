// SPDX-License-Identifier: Apache-2.0
// A mosquitto of our own on a free loopback port, for the demo and the benchmarks: no persistence, gone at the end.
#pragma once

#include <memory>
#include <string>

#include "base/child_process.hpp"

namespace alara::node {

class LocalBroker {
 public:
  // Fails when mosquitto is not installed or does not come up within 5 s.
  [[nodiscard]] static Result<std::unique_ptr<LocalBroker>> start();
  ~LocalBroker();
  LocalBroker(const LocalBroker&) = delete;
  LocalBroker& operator=(const LocalBroker&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int pid() const { return process_->pid(); }

 private:
  LocalBroker() = default;
  int port_ = 0;
  std::string folder_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace alara::node
