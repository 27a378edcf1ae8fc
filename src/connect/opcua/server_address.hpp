// SPDX-License-Identifier: Apache-2.0
// Addresses of the OPC UA server in a site file: which node of ours shows a value or takes one, and within which range.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace alara::opcua {

inline constexpr std::size_t kMostServerAddressBytes = 512;
inline constexpr std::size_t kMostFolders = 16;             // one within the other
inline constexpr std::uint16_t kServerNamespace = 2;        // 0 is the standard's, 1 the application's
inline constexpr std::string_view kAlarmFolder = "Alarms";  // ours

struct ValueRange {
  double least = 0, most = 0;
  bool operator==(const ValueRange&) const = default;
};

struct ServerAddress {
  std::vector<std::string> path;        // folders from the Objects folder on, and the node's own name
  std::optional<std::uint32_t> number;  // of a numeric node id; else the id is text()
  std::optional<ValueRange> range;

  [[nodiscard]] std::string text() const;  // "Line1/speed", "i=7"
};

// "Line1/Machine3/vibration", "Line1/wanted_speed in 0..1500", "s=Speed", "ns=2;i=7".
[[nodiscard]] Result<ServerAddress> parse_server_address(std::string_view text);

}  // namespace alara::opcua
