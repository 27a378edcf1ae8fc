// SPDX-License-Identifier: Apache-2.0
// A device that pushes its readings to a CoAP server, for tests; shares nothing with libcoap.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/result.hpp"
#include "tests/contract/coap_message.hpp"

namespace alara::contract {

class CoapPusher {
 public:
  explicit CoapPusher(int port) : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    static_cast<void>(!connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  }
  ~CoapPusher() { close(socket_); }
  void send(const CoapMessage& message) const {
    const std::string bytes = message.bytes();
    static_cast<void>(!::send(socket_, bytes.data(), bytes.size(), 0));
  }
  void send_raw(std::string_view bytes) const { static_cast<void>(!::send(socket_, bytes.data(), bytes.size(), 0)); }
  [[nodiscard]] std::optional<CoapMessage> receive(int within_ms = 5000) const {
    pollfd waiting{socket_, POLLIN, 0};
    if (poll(&waiting, 1, within_ms) != 1) return std::nullopt;
    char bytes[2048];
    const ssize_t got = recv(socket_, bytes, sizeof bytes, 0);
    return got < 0 ? std::nullopt : CoapMessage::read({bytes, static_cast<std::size_t>(got)});
  }
  // The code of the answer, "2.04"; "" when none came.
  std::string put(std::string_view path, const std::string& payload, unsigned format = 0) {
    CoapMessage message;
    message.code = 3;
    message.id = next_id_++;
    message.token = fmt::format("{:04x}", message.id);
    message.set_path(path);
    message.set_number(CoapMessage::kContentFormat, format);
    message.payload = payload;
    send(message);
    do last_ = receive(500);
    while (last_ && last_->code == 0);  // an answer to what was no request
    return last_ ? fmt::format("{}.{:02}", last_->code >> 5, last_->code & 31) : "";
  }
  [[nodiscard]] const CoapMessage& last() const { return *last_; }
  [[nodiscard]] std::uint16_t next_id() { return next_id_++; }

 private:
  int socket_;
  std::uint16_t next_id_ = 1;
  std::optional<CoapMessage> last_;
};

}  // namespace alara::contract
