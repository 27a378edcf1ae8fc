// SPDX-License-Identifier: Apache-2.0
// A CoAP device for tests: resources that can be read, observed and written, answered on a thread of its own. It can be
// silent, send nonsense, and forget its observers.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "base/result.hpp"
#include "tests/contract/coap_message.hpp"

namespace alara::contract {

class CoapDevice {
 public:
  ~CoapDevice() { stop(); }

  void start() {
    if (socket_ >= 0) return;
    socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(port_);
    ALARA_ASSERT(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "its port again");
    socklen_t size = sizeof address;
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    muted_ = false;
    observers_.clear();
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  void stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
    if (socket_ >= 0) close(std::exchange(socket_, -1));
  }
  [[nodiscard]] int port() const { return port_; }
  void mute() { muted_ = true; }

  // A resource's value; those who observe it are told.
  void set(const std::string& path, const std::string& value) {
    const std::lock_guard lock(mutex_);
    values_[path] = value;
    for (const Observer& observer : observers_)
      if (observer.path == path) notify(observer);
  }
  [[nodiscard]] std::string value(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    const auto found = values_.find(path);
    return found == values_.end() ? "" : found->second;
  }
  void forget_observers() {
    const std::lock_guard lock(mutex_);
    observers_.clear();
  }
  // Sends to whoever spoke last.
  void send_raw(const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    send(bytes, last_);
  }
  void stop_reading() { no_reading_ = true; }  // GET is refused from now on, with 5.03
  [[nodiscard]] std::uint64_t values_sent() const { return sent_; }
  [[nodiscard]] std::uint64_t registrations() const { return registrations_; }

  // What was PUT, in order.
  [[nodiscard]] std::vector<std::string> written() const {
    const std::lock_guard lock(mutex_);
    return written_;
  }

  bool observable = true;
  std::string mute_path;  // requests for it are acknowledged, and never answered
  unsigned block = 0;     // size exponent of Block2 (size 16 << block) that large values are sent in; 0: whole

 private:
  struct Observer {
    std::string path, token;
    sockaddr_in address;
    unsigned sequence = 1;
  };
  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  void send(const std::string& bytes, const sockaddr_in& to) const {
    static_cast<void>(
        !sendto(socket_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to));
  }
  void notify(const Observer& observer) {
    if (muted_) return;
    CoapMessage note;
    note.type = CoapMessage::kConfirmable;
    note.code = 2 << 5 | 5;
    note.id = next_id_++;
    note.token = observer.token;
    note.set_number(CoapMessage::kObserve, ++sequence_);
    note.payload = values_[observer.path];
    ++sent_;
    send(note.bytes(), observer.address);
  }
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd waiting{socket_, POLLIN, 0};
      if (::poll(&waiting, 1, 10) != 1) continue;
      char bytes[2048];
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t got = recvfrom(socket_, bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (got < 0) continue;
      const auto message = CoapMessage::read({bytes, static_cast<std::size_t>(got)});
      const std::lock_guard lock(mutex_);
      last_ = from;
      if (message && !muted_) answer(*message, from);
    }
  }
  void answer(const CoapMessage& request, const sockaddr_in& from) {
    if (request.type == CoapMessage::kAck || request.type == CoapMessage::kReset) return;
    CoapMessage reply;
    reply.id = request.id;
    if (request.code == 0) {
      reply.type = CoapMessage::kReset;  // the answer to a ping
      return send(reply.bytes(), from);
    }
    reply.type = CoapMessage::kAck;
    reply.token = request.token;
    const std::string path = request.path();
    if (path == mute_path) {
      reply.token.clear();  // an empty acknowledgement: "the answer will come"
      return send(reply.bytes(), from);
    }
    if (request.code == 1)
      get(request, path, from, reply);
    else
      put(request, path, reply);
    send(reply.bytes(), from);
  }
  void get(const CoapMessage& request, const std::string& path, const sockaddr_in& from, CoapMessage& reply) {
    const auto value = values_.find(path);
    if (no_reading_ || value == values_.end()) {
      reply.code = no_reading_ ? 5 << 5 | 3 : 4 << 5 | 4;
      return;
    }
    reply.code = 2 << 5 | 5;
    if (observable && request.number(CoapMessage::kObserve) == 0u) {
      ++registrations_;
      std::erase_if(observers_, [&](const Observer& other) { return other.token == request.token; });
      observers_.push_back({path, request.token, from});
      reply.set_number(CoapMessage::kObserve, ++sequence_);
    }
    reply.payload = value->second;
    if (block != 0 && value->second.size() > (16u << block)) {
      const unsigned wanted = request.number(CoapMessage::kBlock2).value_or(block) >> 4;
      const std::size_t size = 16u << block, at = wanted * size;
      const bool more = at + size < value->second.size();
      reply.set_number(CoapMessage::kBlock2, wanted << 4 | (more ? 8u : 0u) | block);
      reply.payload = at < value->second.size() ? value->second.substr(at, size) : "";
      if (more) return;
    }
    ++sent_;
  }
  void put(const CoapMessage& request, const std::string& path, CoapMessage& reply) {
    if (values_.contains(path)) {
      values_[path] = request.payload;
      written_.push_back(request.payload);
      reply.code = 2 << 5 | 4;
    } else {
      reply.code = 4 << 5 | 4;
    }
  }

  int socket_ = -1, port_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> values_;
  std::vector<std::string> written_;
  std::vector<Observer> observers_;
  sockaddr_in last_{};
  std::uint16_t next_id_ = 1000;
  unsigned sequence_ = 1;
  std::atomic<bool> muted_{false}, no_reading_{false};
  std::atomic<std::uint64_t> sent_{0}, registrations_{0};
  std::jthread thread_;
};

}  // namespace alara::contract
