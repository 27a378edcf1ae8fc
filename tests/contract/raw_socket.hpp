// SPDX-License-Identifier: Apache-2.0
// A TCP connection to 127.0.0.1 that sends whatever a test likes.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string_view>
#include <utility>

namespace alara::contract {

class RawSocket {
 public:
  explicit RawSocket(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawSocket() {
    if (fd_ >= 0) close(fd_);
  }
  RawSocket(RawSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_) {}
  RawSocket& operator=(RawSocket&&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  void send(std::string_view bytes) const { static_cast<void>(!::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL)); }
  // The next bytes, as many as come at once; nothing when none do within 20 s.
  [[nodiscard]] std::vector<std::uint8_t> receive() const {
    std::vector<std::uint8_t> bytes(4096);
    pollfd waiting{fd_, POLLIN, 0};
    const ssize_t got = poll(&waiting, 1, 20'000) == 1 ? recv(fd_, bytes.data(), bytes.size(), 0) : 0;
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return bytes;
  }
  // Reads away what comes until the peer ends the connection; false when it does not within 20 s.
  [[nodiscard]] bool closed_by_peer() const {
    std::array<char, 4096> ignored{};
    while (true) {
      pollfd waiting{fd_, POLLIN, 0};
      if (poll(&waiting, 1, 20'000) <= 0) return false;
      if (recv(fd_, ignored.data(), ignored.size(), 0) <= 0) return true;
    }
  }

 private:
  int fd_;
  bool connected_ = false;
};

}  // namespace alara::contract
