// SPDX-License-Identifier: Apache-2.0
// A Modbus TCP peer that answers what a test wants, right or wrong, on a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <thread>
#include <vector>

namespace alara::contract {

using Bytes = std::vector<std::uint8_t>;

class ScriptedDevice {
 public:
  struct Reply {
    Bytes bytes = {};
    bool close_after = false;
    bool in_pieces = false;  // each byte in a packet of its own
  };
  // Called for every whole request, and with an empty one when a client connects. Counting from 0.
  using Script = std::function<Reply(int connection, int request, const Bytes& frame)>;

  explicit ScriptedDevice(Script script, std::uint16_t port = 0);
  ~ScriptedDevice();
  ScriptedDevice(const ScriptedDevice&) = delete;
  ScriptedDevice& operator=(const ScriptedDevice&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] int requests() const { return requests_; }

 private:
  void run(const std::stop_token& stop);
  bool serve(int fd, int connection, Bytes& received);
  static void say(int fd, const Reply& reply);

  const Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<int> requests_{0};
  std::jthread thread_;
};

// The right answer to a read of registers that all hold `value`, as a frame.
[[nodiscard]] Bytes answer_with(const Bytes& request, std::uint16_t value);

}  // namespace alara::contract
