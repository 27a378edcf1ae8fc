// SPDX-License-Identifier: Apache-2.0
// The connector contract for connectors that listen: a peer that pushes one reading after the other to five paths.
#pragma once

#include <atomic>
#include <thread>

#include "base/child_process.hpp"
#include "tests/contract/connector_contract.hpp"

namespace alara::contract {

class PushHarness : public ConnectorHarness {
 public:
  // True when the connector has confirmed the reading.
  using Push = std::function<bool(const std::string& path, const std::string& body)>;

  void start_peer() override {
    ended_ = false;
    thread_ = std::jthread([this](const std::stop_token& stop) {
      const Push push = pusher();
      for (int i = 0; !stop.stop_requested() && !ended_; i = (i + 1) % kSignals)
        if (push(path_of(i), fmt::format("{}", value_.load()))) ++points_;
    });
  }
  void stop_peer() override {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
  }
  void offer(double value) override { value_ = value; }
  std::uint64_t stop_offering() override {
    ended_ = true;
    stop_peer();
    return points_;
  }
  std::vector<std::string> signal_addresses() const override {
    std::vector<std::string> addresses;
    for (int i = 0; i < kSignals; ++i) addresses.push_back(path_of(i));
    return addresses;
  }
  bool listens() const override { return true; }
  bool can_send_garbage() const override { return true; }

 protected:
  // One pusher for each life of the peer.
  [[nodiscard]] virtual Push pusher() = 0;
  [[nodiscard]] static std::string path_of(int signal) { return fmt::format("/sensors/{}", signal); }
  [[nodiscard]] int port() const { return port_; }

 private:
  static constexpr int kSignals = 5;
  const int port_ = free_loopback_port();
  std::atomic<double> value_{0};
  std::atomic<bool> ended_{false};
  std::atomic<std::uint64_t> points_{0};
  std::jthread thread_;
};

}  // namespace alara::contract
