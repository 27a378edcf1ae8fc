// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/scripted_device.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>

#include "base/result.hpp"

namespace alara::contract {
namespace {

constexpr int kPollMs = 5;
constexpr std::size_t kPrefix = 6;

}  // namespace

ScriptedDevice::ScriptedDevice(Script script, std::uint16_t port) : script_(std::move(script)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const bound = reinterpret_cast<sockaddr*>(&address);
  ALARA_ASSERT(
      bind(listener_, bound, size) == 0 && listen(listener_, 8) == 0 && getsockname(listener_, bound, &size) == 0,
      "the scripted device must listen");
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
}

ScriptedDevice::~ScriptedDevice() {
  thread_.request_stop();
  thread_.join();
  close(listener_);
}

void ScriptedDevice::say(int fd, const Reply& reply) {
  const std::size_t piece = reply.in_pieces ? 1 : reply.bytes.size();
  for (std::size_t at = 0; at < reply.bytes.size(); at += piece)
    static_cast<void>(!send(fd, reply.bytes.data() + at, piece, MSG_NOSIGNAL));
}

// False: the connection ends.
bool ScriptedDevice::serve(int fd, int connection, Bytes& received) {
  std::uint8_t buffer[2048];
  const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  received.insert(received.end(), buffer, buffer + got);
  while (received.size() >= kPrefix) {
    const std::size_t length = kPrefix + static_cast<std::size_t>((received[4] << 8) | received[5]);
    if (received.size() < length) return true;
    const Bytes frame(received.begin(), received.begin() + static_cast<std::ptrdiff_t>(length));
    received.erase(received.begin(), received.begin() + static_cast<std::ptrdiff_t>(length));
    const Reply reply = script_(connection, requests_++, frame);
    say(fd, reply);
    if (reply.close_after) return false;
  }
  return true;
}

void ScriptedDevice::run(const std::stop_token& stop) {
  struct Client {
    int number;
    Bytes received;
  };
  std::map<int, Client> clients;
  while (!stop.stop_requested()) {
    std::vector<pollfd> polled{{listener_, POLLIN, 0}};
    for (const auto& [fd, client] : clients) polled.push_back({fd, POLLIN, 0});
    if (poll(polled.data(), polled.size(), kPollMs) <= 0) continue;
    for (std::size_t i = 1; i < polled.size(); ++i) {
      if (polled[i].revents == 0) continue;
      Client& client = clients[polled[i].fd];
      if (serve(polled[i].fd, client.number, client.received)) continue;
      close(polled[i].fd);
      clients.erase(polled[i].fd);
    }
    if (polled[0].revents == 0) continue;
    const int fd = accept(listener_, nullptr, nullptr);
    if (fd < 0) continue;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int number = connections_++;
    const Reply greeting = script_(number, requests_, {});
    say(fd, greeting);
    if (greeting.close_after)
      close(fd);
    else
      clients[fd] = {number, {}};
  }
  for (const auto& [fd, client] : clients) close(fd);
}

Bytes answer_with(const Bytes& request, std::uint16_t value) {
  const std::size_t registers = static_cast<std::size_t>((request[10] << 8) | request[11]);
  const std::size_t bytes = 2 * registers;
  Bytes answer{request[0], request[1], 0,
               0,          0,          static_cast<std::uint8_t>(3 + bytes),
               request[6], request[7], static_cast<std::uint8_t>(bytes)};
  for (std::size_t i = 0; i < registers; ++i) {
    answer.push_back(static_cast<std::uint8_t>(value >> 8));
    answer.push_back(static_cast<std::uint8_t>(value));
  }
  return answer;
}

}  // namespace alara::contract
