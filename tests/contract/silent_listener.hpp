// SPDX-License-Identifier: Apache-2.0
// A peer that is no peer, for tests.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "base/result.hpp"

namespace alara::contract {

// A port that accepts connections and does nothing more, or says something that is no OPC UA.
class Listener {
 public:
  explicit Listener(int port, std::string says = "") {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ALARA_ASSERT(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "the port must be free");
    listen(fd_, 16);
    thread_ = std::jthread([this, says = std::move(says)](const std::stop_token& stop) {
      std::vector<int> peers;
      while (!stop.stop_requested()) {
        const int peer = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (peer >= 0) {
          ++accepted_;
          peers.push_back(peer);
          static_cast<void>(!send(peer, says.data(), says.size(), MSG_NOSIGNAL));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      for (const int peer : peers) close(peer);
    });
  }
  ~Listener() {
    thread_.request_stop();
    thread_.join();
    close(fd_);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  [[nodiscard]] int accepted() const { return accepted_; }

 private:
  int fd_ = -1;
  std::atomic<int> accepted_{0};
  std::jthread thread_;
};

}  // namespace alara::contract
