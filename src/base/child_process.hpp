// SPDX-License-Identifier: Apache-2.0
// Starts helpers of the demo and the benchmarks: other programs, or a function in a forked copy of this one. A child
// does not outlive its handle, nor its parent.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace alara {

class ChildProcess {
 public:
  // Runs a program; its output goes to `output` ("" = nowhere, "-" = where ours goes).
  [[nodiscard]] static Result<std::unique_ptr<ChildProcess>> start(const std::vector<std::string>& arguments,
                                                                   const std::string& output = "");
  // Runs `work` in a forked child, which exits with its result. Only while this process has one thread.
  [[nodiscard]] static Result<std::unique_ptr<ChildProcess>> fork(const std::function<int()>& work);
  ~ChildProcess();  // kills and waits
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] int pid() const { return pid_; }
  [[nodiscard]] bool running();
  void signal(int number) const;
  // Asks it to end (SIGTERM), kills it after `patience`; its exit code, or 128 + the signal that ended it.
  int stop(Nanos patience);
  // Waits for it to end by itself; -1 when it has not within `patience`.
  int wait(Nanos patience);

 private:
  explicit ChildProcess(int pid) : pid_(pid) {}
  int pid_;
  int status_ = 0;
  bool ended_ = false;
};

// A TCP port on 127.0.0.1 that nobody listens on at this moment; 0 when there is none.
[[nodiscard]] int free_loopback_port();
// True as soon as something accepts connections there, false after `patience`.
[[nodiscard]] bool wait_for_listener(int port, Nanos patience);
// The first of the usual places where an executable of this name lies, or "".
[[nodiscard]] std::string find_program(const std::string& name);

}  // namespace alara
