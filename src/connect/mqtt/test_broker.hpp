// SPDX-License-Identifier: Apache-2.0
// A real mosquitto on a free loopback port, for tests: started with a configuration of its own in a temporary folder,
// stopped and swept away at the end.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>

namespace alara::mqtt {

inline std::string mosquitto_path() {
  for (const char* const path : {"/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"})
    if (access(path, X_OK) == 0) return path;
  return {};
}

inline sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A port nobody listens on at this moment.
inline int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

class TestBroker {
 public:
  explicit TestBroker(std::string extra = "", int port = free_port()) : port_(port), extra_(std::move(extra)) {
    std::string folder = (std::filesystem::temp_directory_path() / "alara-broker-XXXXXX").string();
    folder_ = mkdtemp(folder.data());
    start();
  }
  ~TestBroker() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TestBroker(const TestBroker&) = delete;
  TestBroker& operator=(const TestBroker&) = delete;

  void start() {
    const std::string file = folder_ + "/mosquitto.conf";
    std::ofstream(file) << "listener " << port_ << " 127.0.0.1\nallow_anonymous true\npersistence false\n"
                        << "set_tcp_nodelay true\nmax_queued_messages 0\nlog_dest none\nuser root\n"
                        << extra_;
    const std::string program = mosquitto_path();
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // it does not outlive a test that crashes
      const int null = open("/dev/null", O_RDWR);
      dup2(null, 1);
      dup2(null, 2);
      execl(program.c_str(), program.c_str(), "-c", file.c_str(), nullptr);
      _exit(127);
    }
    ready_ = false;
    for (int i = 0; i < 500 && !ready_; ++i) {
      const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in address = loopback(port_);
      ready_ = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
      close(fd);
      if (!ready_) poll(nullptr, 0, 10);
    }
  }
  void stop() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int pid() const { return pid_; }
  [[nodiscard]] bool ready() const { return ready_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  int port_;
  std::string extra_;
  std::string folder_;
  int pid_ = -1;
  bool ready_ = false;
};

}  // namespace alara::mqtt
