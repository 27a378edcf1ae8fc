// SPDX-License-Identifier: Apache-2.0
// What a primary host application says of itself on its STATE topic (Sparkplug 3.0): {"online":true,"timestamp":…}.
#pragma once

#include <cstdint>
#include <span>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace alara::mqtt {

inline constexpr std::size_t kMaxStateBytes = 4096;

struct HostState {
  bool online = false;
  Nanos time = 0;
};
[[nodiscard]] Result<HostState> read_host_state(std::span<const std::uint8_t> payload);

// Follows the messages: one that is older than another already seen changes nothing.
class PrimaryHost {
 public:
  // True when the host went online or offline by this.
  bool hear(const HostState& state) {
    if (state.time < newest_) return false;
    newest_ = state.time;
    const bool changed = online_ != state.online;
    online_ = state.online;
    return changed;
  }
  void forget() { online_ = false; }  // a new connection: the retained message tells
  [[nodiscard]] bool online() const { return online_; }

 private:
  bool online_ = false;
  Nanos newest_ = 0;
};

}  // namespace alara::mqtt
