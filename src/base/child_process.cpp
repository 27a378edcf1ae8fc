// SPDX-License-Identifier: Apache-2.0
#include "base/child_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace alara {
namespace {

constexpr Nanos kLook = 5 * kMillisecond;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void nap() {
  const timespec pause{0, kLook};
  nanosleep(&pause, nullptr);
}

// In the child: dies with its parent, and handles signals as a fresh program does.
void settle_in_child() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(const std::vector<std::string>& arguments,
                                                          const std::string& output) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const int pid = ::fork();
  if (pid < 0) return fail(ErrorKind::exhausted, "can not start '{}': {}", arguments.front(), std::strerror(errno));
  if (pid == 0) {
    settle_in_child();
    if (output != "-") {
      const char* path = output.empty() ? "/dev/null" : output.c_str();
      const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
      dup2(fd, STDOUT_FILENO);
      dup2(fd, STDERR_FILENO);
    }
    execvp(argv.front(), argv.data());
    _exit(127);
  }
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid));
}

Result<std::unique_ptr<ChildProcess>> ChildProcess::fork(const std::function<int()>& work) {
  const int pid = ::fork();
  if (pid < 0) return fail(ErrorKind::exhausted, "can not fork: {}", std::strerror(errno));
  if (pid == 0) {
    settle_in_child();
    _exit(work());
  }
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid));
}

ChildProcess::~ChildProcess() {
  if (!running()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, &status_, 0);
}

bool ChildProcess::running() {
  if (!ended_) ended_ = waitpid(pid_, &status_, WNOHANG) == pid_;
  return !ended_;
}

void ChildProcess::signal(int number) const { kill(pid_, number); }

int ChildProcess::wait(Nanos patience) {
  for (Nanos waited = 0; running(); waited += kLook) {
    if (waited >= patience) return -1;
    nap();
  }
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
}

int ChildProcess::stop(Nanos patience) {
  if (running()) kill(pid_, SIGTERM);
  if (const int code = wait(patience); code >= 0) return code;
  kill(pid_, SIGKILL);
  return wait(kSecond);
}

int free_loopback_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  return bound ? ntohs(address.sin_port) : 0;
}

bool wait_for_listener(int port, Nanos patience) {
  const sockaddr_in address = loopback(port);
  for (Nanos waited = 0; waited < patience; waited += kLook) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool accepted = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    if (accepted) return true;
    nap();
  }
  return false;
}

std::string find_program(const std::string& name) {
  for (const char* folder : {"/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/"})
    if (const std::string path = folder + name; access(path.c_str(), X_OK) == 0) return path;
  return {};
}

}  // namespace alara
