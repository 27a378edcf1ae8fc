// SPDX-License-Identifier: Apache-2.0
// A broker that does what a test says, for what a real one does not do on demand: announce limits, withhold answers,
// refuse with a reason. Speaks just enough MQTT 5 for one client at a time, on a thread of its own.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "connect/mqtt/test_broker.hpp"

namespace alara::mqtt {

class ScriptedBroker {
 public:
  struct Script {
    std::string connack;      // properties of CONNACK
    bool answers = true;      // PUBLISH at QoS 1 gets PUBACK
    std::uint8_t reason = 0;  // of PUBACK
    std::string said;         // its reason string
  };
  // A PUBLISH as it came.
  struct Heard {
    std::string topic;
    std::string payload;
    int qos = 0;
    bool retain = false;
    int alias = 0;
    std::uint32_t expiry = 0;
  };

  explicit ScriptedBroker(Script script) : script_(std::move(script)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_, 4);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedBroker() {
    stopping_ = true;
    shutdown(listener_, SHUT_RDWR);
    if (const int client = client_; client >= 0) shutdown(client, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  ScriptedBroker(const ScriptedBroker&) = delete;
  ScriptedBroker& operator=(const ScriptedBroker&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::vector<Heard> heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  [[nodiscard]] std::string connect_packet() const {
    const std::lock_guard lock(mutex_);
    return connect_;
  }
  // Answers the oldest message that has none yet.
  void answer_one() {
    const std::lock_guard lock(mutex_);
    if (unanswered_.empty()) return;
    acknowledge(unanswered_.front());
    unanswered_.erase(unanswered_.begin());
  }

 private:
  bool read_exactly(char* into, std::size_t size) {
    for (std::size_t done = 0; done < size;) {
      const ssize_t got = read(client_, into + done, size - done);
      if (got <= 0) return false;
      done += static_cast<std::size_t>(got);
    }
    return true;
  }
  void send(const std::string& bytes) { static_cast<void>(!::send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL)); }
  static std::string packet(char type, const std::string& body) {
    return std::string{type, static_cast<char>(body.size())} + body;  // all of ours are short
  }
  void acknowledge(const std::string& id) {
    std::string properties;
    if (!script_.said.empty())
      properties = std::string{'\x1F', '\0', static_cast<char>(script_.said.size())} + script_.said;
    send(packet('\x40', id + std::string{static_cast<char>(script_.reason), static_cast<char>(properties.size())} +
                            properties));
  }
  void serve() {
    while (!stopping_) {
      client_ = accept(listener_, nullptr, nullptr);
      if (client_ < 0) return;
      while (!stopping_ && serve_one()) {
      }
      close(client_.exchange(-1));
    }
  }
  bool serve_one() {
    char type = 0, byte = 0;
    if (!read_exactly(&type, 1)) return false;
    std::size_t length = 0;
    for (int shift = 0; shift < 28; shift += 7) {
      if (!read_exactly(&byte, 1)) return false;
      length |= static_cast<std::size_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) break;
    }
    std::string body(length, '\0');
    if (length > 0 && !read_exactly(body.data(), length)) return false;
    const std::lock_guard lock(mutex_);
    switch (type & 0xF0) {
      case 0x10:
        connect_ = body;
        send(packet('\x20', std::string{'\0', '\0', static_cast<char>(script_.connack.size())} + script_.connack));
        return true;
      case 0x30:
        hear(type, body);
        return true;
      case 0xC0:
        send(packet(static_cast<char>(0xD0), ""));
        return true;
      case 0xE0:
        return false;
      default:
        return true;
    }
  }
  void hear(char flags, const std::string& body) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(body.at(i)); };
    Heard heard;
    heard.qos = (flags >> 1) & 3;
    heard.retain = (flags & 1) != 0;
    std::size_t next = 2 + (at(0) << 8 | at(1));
    heard.topic = body.substr(2, next - 2);
    const std::string id = heard.qos > 0 ? body.substr(next, 2) : "";
    next += id.size();
    const std::size_t end = next + 1 + at(next);
    for (++next; next < end;) {
      const auto property = at(next++);
      if (property == 0x23) {
        heard.alias = at(next) << 8 | at(next + 1);
        next += 2;
      } else if (property == 0x02) {
        for (std::size_t i = 0; i < 4; ++i) heard.expiry = heard.expiry << 8 | at(next + i);
        next += 4;
      } else {
        next = end;
      }
    }
    heard.payload = body.substr(end);
    heard_.push_back(std::move(heard));
    if (id.empty()) return;
    if (script_.answers) {
      acknowledge(id);
    } else {
      unanswered_.push_back(id);
    }
  }

  const Script script_;
  int port_ = 0;
  int listener_ = -1;
  std::atomic<int> client_{-1};
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;  // guards what follows
  std::vector<Heard> heard_;
  std::vector<std::string> unanswered_;
  std::string connect_;
  std::thread thread_;
};

}  // namespace alara::mqtt
