// SPDX-License-Identifier: Apache-2.0
// What a running CoAP connector tells about itself. Written by the loop's thread, read by any.
#pragma once

#include "core/connector.hpp"
#include "core/last_error.hpp"

namespace alara::coap {

struct Telemetry : LastError {
  ConnectorStats stats;
  std::atomic<std::uint64_t> notifications{0};  // of observed resources, read or sent
  std::atomic<std::uint64_t> refusals{0};       // answers 4.xx and 5.xx, got or given
  std::atomic<std::uint64_t> timeouts{0};
};

inline void count(std::atomic<std::uint64_t>& counter, std::uint64_t amount = 1) {
  counter.fetch_add(amount, std::memory_order_relaxed);
}

// A connector's life on the loop: begin() and end() run on its thread.
class Session {
 public:
  virtual ~Session() = default;
  virtual void begin() = 0;
  virtual void end() = 0;  // acknowledges and settles what waits; nothing of it is left with the loop
  // Carries a message; false when it can not.
  virtual bool publish(std::string_view path, std::string_view payload) {
    return static_cast<void>(path), static_cast<void>(payload), false;
  }
};

}  // namespace alara::coap
