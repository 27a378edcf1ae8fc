// SPDX-License-Identifier: Apache-2.0
// What an OPC UA server of ours says about alarms: those that stand, and the notices on their way to its clients.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/connector.hpp"

namespace alara::opcua {

// An EventNotice that owns its texts.
struct AlarmNotice {
  std::uint64_t key = 0;
  bool raised = true;
  Severity severity = Severity::info;
  std::string pipeline, asset, text;
  Nanos time = 0;
};

// Of 1 to 1000 (OPC UA Part 5, 6.4.2).
[[nodiscard]] std::uint16_t severity_number(Severity severity);

// Thread-safe.
class AlarmBoard {
 public:
  static constexpr std::size_t kMostActive = 10'000, kMostWaiting = 1'000, kMostLines = 500, kMostTextBytes = 1'000;

  void take(const EventNotice& event);

  // Notices since the last call, oldest first.
  [[nodiscard]] std::vector<AlarmNotice> notices();
  struct Standing {
    std::vector<std::string>
        lines;  // "high press-1 overload: 42 A (since 2024-…)", the newest first, at most kMostLines
    std::uint32_t count = 0;
    std::uint16_t highest = 0;  // 0: none
  };
  [[nodiscard]] Standing standing() const;
  [[nodiscard]] std::uint64_t dropped() const;  // notices and alarms for which there was no room

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, AlarmNotice> active_;
  std::deque<AlarmNotice> waiting_;
  std::uint64_t dropped_ = 0;
};

}  // namespace alara::opcua
